"""Pictures made by code, and encoders for what OpenCV does not write. Arrays are RGB."""

from __future__ import annotations

import struct
import tempfile
import zlib
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

HAS_GIF = "GIF:YES" in cv2.getBuildInformation().replace(" ", "")  # not in all builds of OpenCV 4
PNG_START = b"\x89PNG\r\n\x1a\n"


def make_pixels(width: int = 48, height: int = 32) -> NDArray[np.uint8]:
    """Smooth, coloured, with no symmetry at all."""
    y, x = np.mgrid[0:height, 0:width]
    red, green = 20 + 200 * x / width, 30 + 190 * y / height
    blue = 128 + 100 * np.sin(x / width * 5 + y / height * 2)
    return np.stack([red, green, blue], axis=2).round().astype(np.uint8)


def swap(pixels: NDArray[Any]) -> NDArray[Any]:
    """RGB to BGR and back, alpha kept."""
    if pixels.ndim == 2:
        return pixels
    return np.ascontiguousarray(np.concatenate([pixels[:, :, 2::-1], pixels[:, :, 3:]], axis=2))


def encode(extension: str, pixels: NDArray[Any], *parameters: int) -> bytes:
    """By OpenCV."""
    done, data = cv2.imencode(extension, swap(pixels), list(parameters))
    assert done
    return bytes(data)


def encode_animation(extension: str, frames: list[NDArray[np.uint8]]) -> bytes:
    animation = cv2.Animation()
    animation.frames = [swap(frame) for frame in frames]
    animation.durations = np.full(len(frames), 100)
    with tempfile.TemporaryDirectory() as folder:  # OpenCV 4 writes animations to files only
        path = Path(folder) / f"animation{extension}"
        assert cv2.imwriteanimation(str(path), animation)
        return path.read_bytes()


def exif_block(orientation: int, order: str = "<") -> bytes:
    """A TIFF directory that holds the orientation and nothing else."""
    start = b"II" if order == "<" else b"MM"
    return start + struct.pack(order + "HLHHHLHHL", 42, 8, 1, 274, 3, 1, orientation, 0, 0)


def jpeg_with(jpeg: bytes, exif: bytes) -> bytes:
    """A JPEG with an EXIF segment put in front."""
    contents = b"Exif\0\0" + exif
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(contents) + 2) + contents + jpeg[2:]


def png_chunk(name: bytes, contents: bytes) -> bytes:
    checksum = zlib.crc32(name + contents)
    return struct.pack(">L", len(contents)) + name + contents + struct.pack(">L", checksum)


def make_png(
    rows: NDArray[Any],
    color_type: int,
    depth: int = 8,
    width: int | None = None,
    before: tuple[tuple[bytes, bytes], ...] = (),
) -> bytes:
    """A PNG of raw rows (height, bytes or samples per row), with more chunks before its pixels."""
    height = len(rows)
    stored = rows.astype(">u2") if depth == 16 else rows
    raw = b"".join(b"\0" + row.tobytes() for row in stored)
    head = struct.pack(">LLBBBBB", rows.shape[1] if width is None else width, height, depth, color_type, 0, 0, 0)
    chunks = [(b"IHDR", head), *before, (b"IDAT", zlib.compress(raw)), (b"IEND", b"")]
    return PNG_START + b"".join(png_chunk(name, contents) for name, contents in chunks)


def png_with(png: bytes, name: bytes, contents: bytes) -> bytes:
    """A PNG with one more chunk after its header."""
    return png[:33] + png_chunk(name, contents) + png[33:]


def png_bomb(width: int, height: int) -> bytes:
    """A PNG that says it is large and, for a while, unpacks."""
    packer = zlib.compressobj(9)
    body = b"".join(packer.compress(bytes(1 << 20)) for _ in range(50)) + packer.flush()
    head = struct.pack(">LLBBBBB", width, height, 8, 2, 0, 0, 0)
    return PNG_START + png_chunk(b"IHDR", head) + png_chunk(b"IDAT", body) + png_chunk(b"IEND", b"")


def webp_with(webp: bytes, exif: bytes, width: int, height: int) -> bytes:
    """A simple WebP in the extended form, with an EXIF chunk."""
    sides = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    extended = b"VP8X" + struct.pack("<LL", 10, 0x08) + sides
    body = b"WEBP" + extended + webp[12:] + b"EXIF" + struct.pack("<L", len(exif)) + exif + b"\0" * (len(exif) % 2)
    return b"RIFF" + struct.pack("<L", len(body)) + body


def make_tiff(
    pixels: NDArray[Any],
    photometric: int = 2,
    alpha: int | None = None,
    orientation: int | None = None,
    order: str = "<",
    is_big: bool = False,
) -> bytes:
    """An uncompressed TIFF of one strip, classic or BigTIFF."""
    height, width = pixels.shape[:2]
    samples = 1 if pixels.ndim == 2 else pixels.shape[2]
    body = pixels.astype(pixels.dtype.newbyteorder(order)).tobytes()  # type: ignore[arg-type]
    tags: dict[int, list[int]] = {
        256: [width],
        257: [height],
        258: [pixels.dtype.itemsize * 8] * samples,
        259: [1],
        262: [photometric],
        273: [0],
        277: [samples],
        278: [height],
        279: [len(body)],
        339: [{"u": 1, "i": 2, "f": 3}[pixels.dtype.kind]] * samples,
    }
    if alpha is not None:
        tags[338] = [alpha]
    if orientation is not None:
        tags[274] = [orientation]
    head_size, count_code, entry_size, offset_code = (16, "Q", 20, "Q") if is_big else (8, "H", 12, "L")
    inline = struct.calcsize("=" + offset_code)
    end = head_size + struct.calcsize("=" + count_code) + entry_size * len(tags) + inline
    entries, beyond = b"", b""
    wide = {tag: struct.pack(order + "H" * len(v), *v) for tag, v in tags.items() if len(v) * 2 > inline}
    body_at = end + sum(len(value) for value in wide.values())
    for tag, values in sorted(tags.items()):
        is_long = tag in (273, 279)
        entries += struct.pack(order + "HH" + offset_code, tag, 4 if is_long else 3, len(values))
        if tag in wide:
            entries += struct.pack(order + offset_code, end + len(beyond))
            beyond += wide[tag]
        else:
            numbers = [body_at] if tag == 273 else values
            entries += struct.pack(order + ("L" if is_long else "H") * len(numbers), *numbers).ljust(inline, b"\0")
    start = b"II" if order == "<" else b"MM"
    head = struct.pack(order + "HHHQ", 43, 8, 0, 16) if is_big else struct.pack(order + "HL", 42, 8)
    count = struct.pack(order + count_code, len(tags))
    return start + head + count + entries + struct.pack(order + offset_code, 0) + beyond + body


def make_palette_bmp(indices: NDArray[np.uint8], palette: NDArray[np.uint8]) -> bytes:
    """An 8-bit BMP; the palette is (n, 3) RGB."""
    height, width = indices.shape
    stride = (width + 3) // 4 * 4
    rows = b"".join(row.tobytes().ljust(stride, b"\0") for row in indices[::-1])
    colors = b"".join(bytes((*color[::-1], 0)) for color in palette.tolist())
    start = 14 + 40 + len(colors)
    head = struct.pack("<LllHHLLllLL", 40, width, height, 1, 8, 0, len(rows), 0, 0, len(palette), 0)
    return b"BM" + struct.pack("<LLL", start + len(rows), 0, start) + head + colors + rows


def make_gif(frames: list[NDArray[np.uint8]], palette: NDArray[np.uint8], transparent: int | None = None) -> bytes:
    """A GIF of indices below 128, each frame over the whole picture; not packed at all."""
    height, width = frames[0].shape
    colors = palette.tobytes().ljust(3 * 128, b"\0")
    data = b"GIF89a" + struct.pack("<HHBBB", width, height, 0xF6, 0, 0) + colors
    for frame in frames:
        flags, index = (0, 0) if transparent is None else (1, transparent)
        data += b"\x21\xf9\x04" + struct.pack("<BHBB", flags, 10, index, 0)
        data += b"\x2c" + struct.pack("<HHHHB", 0, 0, width, height, 0) + b"\x07"
        # Codes have eight bits for as long as the table is cleared (128) before it is full.
        pixels = frame.tobytes()
        codes = b"".join(b"\x80" + pixels[at : at + 100] for at in range(0, len(pixels), 100)) + b"\x81"
        blocks = (codes[at : at + 255] for at in range(0, len(codes), 255))
        data += b"".join(bytes([len(block)]) + block for block in blocks) + b"\0"
    return data + b"\x3b"
