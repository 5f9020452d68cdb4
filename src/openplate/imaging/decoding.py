"""Encoded pictures to pixels. OpenCV decodes in BGR; what leaves this file is RGB.

- JPEG by libjpeg-turbo (simplejpeg), everything else by OpenCV. The format is told by the contents.
- A truncated picture is an error, never a picture that is half grey; a JPEG of one pass that lacks
  nothing but its end marker is complete. Damage that a JPEG decoder steps over without loss (stray bytes) is tolerated;
  a broken code or a lost restart interval is an error.
- Transparency is laid on white. 16-bit samples keep their upper half, rounded. Of an animation or a
  file of several pages the first picture counts.
"""

from __future__ import annotations

import os
import struct
import zlib
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import simplejpeg  # type: ignore[import-untyped]
from numpy.typing import NDArray

from openplate.errors import ImageTooLarge, UndecodableImage
from openplate.imaging.headers import (
    Header,
    JpegHeader,
    PnmHeader,
    TiffHeader,
    count_scans,
    png_chunks,
    read_header,
    without_stray_bytes,
)

Pixels = NDArray[np.uint8]

if "OPENCV_LOG_LEVEL" not in os.environ:
    # OpenCV's decoders report broken files on standard error; the exceptions raised here say it better.
    _set_log_level = getattr(cv2, "setLogLevel", None) or cv2.utils.logging.setLogLevel  # OpenCV 4, OpenCV 5
    _set_log_level(0)

# A pass over a megapixel costs a decoder some milliseconds even where the file has nothing in it.
_MOST_SCANNED_PIXELS = 4_000_000_000
_HARMLESS_WARNINGS = ("extraneous bytes", "color transform code", "JFIF revision", "Invalid SOS parameters")
_IS_CUT, _IS_SHORT = "Premature end of JPEG file", "premature end of data segment"
_MULTIPLIED_ALPHA, _STRAIGHT_ALPHA = 1, 2  # TIFF's codes
_DEFLATE_LIMIT = 1032  # no deflate stream grows more than this when unpacked


@dataclass(frozen=True, slots=True)
class ImageLimits:
    """What is refused before it is decoded: more bytes in the file, more pixels in the picture.

    Formats other than JPEG have a limit of OpenCV's own besides: 2**30 pixels, 2**20 on a side.
    """

    max_bytes: int = 64 * 2**20
    max_pixels: int = 100_000_000

    def __post_init__(self) -> None:
        if self.max_bytes < 1 or self.max_pixels < 1:
            raise ValueError(f"limits must be at least 1, not {self.max_bytes} bytes, {self.max_pixels} pixels")

    def check_bytes(self, count: int) -> None:
        if count > self.max_bytes:
            raise ImageTooLarge(f"the file has {count:,} bytes, more than the limit of {self.max_bytes:,}")

    def check_pixels(self, width: int, height: int) -> None:
        if width * height > self.max_pixels:
            raise ImageTooLarge(f"the picture has {width}x{height} pixels, more than the limit of {self.max_pixels:,}")


def decode(data: bytes, limits: ImageLimits) -> Pixels:
    """RGB (height, width, 3) after EXIF rotation; raises UndecodableImage or ImageTooLarge."""
    limits.check_bytes(len(data))
    header = read_header(data)
    limits.check_pixels(header.width, header.height)
    try:
        pixels = _decode(data, header, limits)
    except (MemoryError, cv2.error) as error:
        if isinstance(error, MemoryError) or error.code == cv2.Error.StsNoMem:
            raise ImageTooLarge(f"not enough memory for {header.width}x{header.height} pixels") from error
        raise UndecodableImage(f"truncated or damaged {header.format}") from error
    return _orient(pixels, header.orientation)


def _decode(data: bytes, header: Header, limits: ImageLimits) -> Pixels:
    if isinstance(header, JpegHeader):
        return _decode_jpeg(data, header, limits)
    if isinstance(header, PnmHeader):
        return _decode_pnm(data, header)
    if isinstance(header, TiffHeader):
        return _decode_tiff(data, header)
    if header.format == "PNG":
        data = _essential_png(data, header)
    return _to_rgb(_decode_by_opencv(data, header))


def _decode_by_opencv(data: bytes, header: Header) -> NDArray[Any]:
    decoded = cv2.imdecode(np.frombuffer(data, dtype=np.uint8), cv2.IMREAD_UNCHANGED)
    if decoded is None:
        raise UndecodableImage(f"truncated or damaged {header.format}, or of a kind that is not supported")
    if decoded.shape[:2] != (header.height, header.width):
        raise UndecodableImage(f"damaged {header.format}: it contradicts its own header")
    return decoded


# --- JPEG ---------------------------------------------------------------------------------------------


def _decode_jpeg(data: bytes, header: JpegHeader, limits: ImageLimits) -> Pixels:
    try:
        height, width, _, _ = simplejpeg.decode_jpeg_header(data, strict=False)
    except (ValueError, KeyError) as error:
        if isinstance(error, ValueError) and "subsampling" not in str(error):
            raise UndecodableImage(f"damaged JPEG: {error}") from error
        return _decode_rare_jpeg(data, header)
    limits.check_pixels(width, height)  # by the decoder's own account, whatever ours found
    _check_scans(data, header)
    pixels, complaint = _try_jpeg(data)
    return _decode_imperfect_jpeg(data, header, complaint) if pixels is None else pixels


def _check_scans(data: bytes, header: JpegHeader) -> None:
    if header.has_many_scans:
        most = _MOST_SCANNED_PIXELS // (header.width * header.height) + 1
        if count_scans(data, header.scan, most) >= most:
            raise ImageTooLarge(f"the JPEG stores its {header.width}x{header.height} pixels in {most} or more passes")


def _decode_imperfect_jpeg(data: bytes, header: JpegHeader, complaint: str) -> Pixels:
    pixels = None
    if _is_harmless(complaint):
        data, has_end = without_stray_bytes(data, header), _has_end(data, header)
        pixels, complaint = _try_jpeg(data)
        if pixels is None and _is_harmless(complaint) and has_end:
            pixels, complaint = _try_jpeg(data, strict=False)
    elif _IS_CUT in complaint and not header.has_many_scans:
        pixels, complaint = _try_jpeg(data + b"\xff\xd9")
    if pixels is not None:
        return pixels
    if _IS_CUT in complaint or _IS_SHORT in complaint:
        raise UndecodableImage("truncated or damaged JPEG: its picture data end early")
    raise UndecodableImage(f"damaged JPEG: {complaint}")


def _try_jpeg(data: bytes, strict: bool = True) -> tuple[Pixels | None, str]:
    """The pixels, or the decoder's complaint; ``strict``: its warnings are complaints as well."""
    try:
        return simplejpeg.decode_jpeg(data, strict=strict), ""
    except ValueError as error:
        return None, str(error)


def _is_harmless(complaint: str) -> bool:
    return any(warning in complaint for warning in _HARMLESS_WARNINGS)


def _decode_rare_jpeg(data: bytes, header: JpegHeader) -> Pixels:
    """A JPEG whose chroma is sampled in a way that simplejpeg does not know."""
    _check_scans(data, header)
    if not _has_end(data, header):
        raise UndecodableImage("truncated JPEG: it lacks its end")
    return _to_rgb(_decode_by_opencv(data, header))


def _has_end(data: bytes, header: JpegHeader) -> bool:
    return data.find(b"\xff\xd9", header.scan) >= 0


# --- the others ---------------------------------------------------------------------------------------


def _essential_png(data: bytes, header: Header) -> bytes:
    """The same picture without the chunks that do not change its pixels, checked for completeness.

    libpng would comment on broken chunks, and on many harmless ones, on standard error.
    """
    parts: list[bytes | memoryview] = [data[:8]]
    packed, has_end = 0, False
    view = memoryview(data)
    for name, start, stop in png_chunks(data):
        is_essential = name in (b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS")
        if stop + 4 > len(data):
            raise UndecodableImage("truncated PNG")
        if not is_essential:
            if name[:1].isupper():
                raise UndecodableImage(f"PNG with an unknown kind of contents ({name!r})")
            continue
        if zlib.crc32(view[start - 4 : stop]) != int.from_bytes(data[stop : stop + 4], "big"):
            raise UndecodableImage("damaged PNG: a checksum does not agree")
        parts.append(view[start - 8 : stop + 4])
        packed += (stop - start) * (name == b"IDAT")
        if name == b"IEND":
            has_end = True
            break
    if not has_end:
        raise UndecodableImage("truncated PNG")
    if header.width * header.height // 8 > packed * _DEFLATE_LIMIT:
        raise UndecodableImage("damaged PNG: it is too small to hold its pixels")
    return b"".join(parts)


def _decode_pnm(data: bytes, header: PnmHeader) -> Pixels:
    if header.kind not in (5, 6):
        return _to_rgb(_decode_by_opencv(data, header))
    # OpenCV passes samples on as they are, without regard to the largest one.
    channels = 3 if header.kind == 6 else 1
    dtype = np.dtype(">u2" if header.maximum > 255 else "u1")
    count = header.width * header.height * channels
    if len(data) < header.raster + count * dtype.itemsize:
        raise UndecodableImage("truncated PNM: it holds fewer pixels than it says")
    samples = np.frombuffer(data, dtype, count, header.raster).reshape(header.height, header.width, channels)
    if dtype.itemsize == 2:
        samples = samples.astype(np.uint16)
    if header.maximum != 255:
        samples = np.asarray(cv2.convertScaleAbs(samples, alpha=255 / header.maximum))
    return add_colors(samples.reshape(header.height, header.width, channels))


def _decode_tiff(data: bytes, header: TiffHeader) -> Pixels:
    if header.orientation_at and header.orientation != 1:
        # OpenCV turns some kinds of TIFF and not others: store "upright", turn all of them afterwards.
        changed = bytearray(data)
        struct.pack_into(header.orientation_at[1], changed, header.orientation_at[0], 1)
        data = bytes(changed)
    decoded = _decode_by_opencv(data, header)
    has_16_bits = decoded.dtype == np.uint16
    if header.is_inverted and has_16_bits:  # which OpenCV does for 8 bits only
        decoded = 65535 - decoded
    if decoded.ndim == 3 and decoded.shape[2] == 4:
        decoded = _lay_tiff_on_white(_to_8_bits(decoded), header.alpha, is_straight=has_16_bits)
    return _to_rgb(decoded)


def _lay_tiff_on_white(decoded: Pixels, alpha: int, is_straight: bool) -> NDArray[Any]:
    """BGR from BGRA; OpenCV multiplies the colours of 8-bit TIFFs with alpha, as others are stored."""
    colors = np.ascontiguousarray(decoded[:, :, :3])
    if alpha == _STRAIGHT_ALPHA and is_straight:
        return decoded
    if alpha in (_MULTIPLIED_ALPHA, _STRAIGHT_ALPHA):
        return np.asarray(cv2.add(colors, np.repeat(255 - decoded[:, :, 3:], 3, axis=2)))
    return colors


# --- pixels -------------------------------------------------------------------------------------------


def _to_rgb(decoded: NDArray[Any]) -> Pixels:
    """From what OpenCV decodes: grey, BGR or BGRA, 8 or 16 bits."""
    decoded = _to_8_bits(decoded)
    if decoded.ndim == 3 and decoded.shape[2] in (3, 4):
        code = cv2.COLOR_BGR2RGB if decoded.shape[2] == 3 else cv2.COLOR_BGRA2RGBA
        decoded = np.asarray(cv2.cvtColor(decoded, code))
    return add_colors(decoded)


def _to_8_bits(decoded: NDArray[Any]) -> NDArray[Any]:
    if decoded.dtype == np.uint16:
        decoded = np.asarray(cv2.convertScaleAbs(decoded, alpha=255 / 65535)).reshape(decoded.shape)
    if decoded.dtype != np.uint8:
        raise UndecodableImage(f"its samples are of the type {decoded.dtype}; 8 and 16 bits are supported")
    return decoded


def add_colors(pixels: Pixels) -> Pixels:
    """RGB (h, w, 3) from grey (h, w) or (h, w, 1), grey and alpha, RGB or RGBA; alpha is laid on white."""
    channels = pixels.shape[2] if pixels.ndim == 3 else 1
    if channels in (2, 4):
        pixels, channels = _lay_on_white(pixels), channels - 1
    if channels == 1:
        return cv2.cvtColor(pixels, cv2.COLOR_GRAY2RGB)  # type: ignore[return-value]
    if channels != 3:
        raise UndecodableImage(f"it has {channels} channels; 1 to 4 are supported")
    return pixels


def _lay_on_white(pixels: Pixels) -> Pixels:
    alpha = pixels[:, :, -1:].astype(np.uint16)
    mixed = (pixels[:, :, :-1] * alpha + 255 * (255 - alpha) + 127) // 255
    return mixed.astype(np.uint8)


def _orient(pixels: Pixels, orientation: int) -> Pixels:
    """Turned and mirrored as the EXIF orientation asks."""
    if orientation == 1:
        return pixels
    if orientation in (5, 7):
        pixels = cv2.transpose(pixels)  # type: ignore[assignment]
    turn = {
        3: cv2.ROTATE_180,
        6: cv2.ROTATE_90_CLOCKWISE,
        7: cv2.ROTATE_180,
        8: cv2.ROTATE_90_COUNTERCLOCKWISE,
    }
    if orientation in turn:
        return cv2.rotate(pixels, turn[orientation])  # type: ignore[return-value]
    if orientation in (2, 4):
        return cv2.flip(pixels, 1 if orientation == 2 else 0)  # type: ignore[return-value]
    return pixels
