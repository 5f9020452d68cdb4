"""Broken, misleading and malicious pictures: each is decoded or refused with an ImageError that says why."""

from __future__ import annotations

import os
import random
import socket
import struct
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import simplejpeg
from numpy.testing import assert_array_equal

from openplate.errors import ImageError, ImageTooLarge, UndecodableImage
from openplate.imaging import Image, ImageLimits, encode_jpeg
from pictures import (
    HAS_GIF,
    PNG_START,
    encode,
    encode_animation,
    exif_block,
    jpeg_with,
    make_gif,
    make_palette_bmp,
    make_pixels,
    make_png,
    make_tiff,
    png_bomb,
    png_chunk,
    png_with,
    webp_with,
)

PIXELS = make_pixels(40, 24)
GREY = PIXELS[:, :, 0]
ALPHA = np.dstack([PIXELS, GREY])
INDICES = (GREY // 16).astype(np.uint8)
PALETTE = np.stack([np.arange(16) * 16, np.arange(16) * 9, 255 - np.arange(16) * 15], axis=1).astype(np.uint8)
JPEG = encode_jpeg(Image.from_array(PIXELS))
LARGER_JPEG = encode_jpeg(Image.from_array(make_pixels(160, 120)))


def make_sources() -> dict[str, bytes]:
    """A small valid file of every kind that the decoders know."""
    cmyk = simplejpeg.encode_jpeg(np.ascontiguousarray(ALPHA), 90, "CMYK", "444")
    restarts = encode(".jpg", PIXELS, cv2.IMWRITE_JPEG_RST_INTERVAL, 1)
    samples = b" ".join(b"%d" % value for value in PIXELS.ravel())
    frames = [PIXELS, PIXELS[::-1]]
    return {
        "jpeg": JPEG,
        "jpeg exif": jpeg_with(JPEG, exif_block(6)),
        "jpeg progressive": encode(".jpg", PIXELS, cv2.IMWRITE_JPEG_PROGRESSIVE, 1),
        "jpeg restarts": restarts,
        "jpeg grey": simplejpeg.encode_jpeg(GREY[:, :, None].copy(), 90, "GRAY", "Gray"),
        "jpeg cmyk": cmyk,
        "png": encode(".png", PIXELS),
        "png 16 bits": encode(".png", PIXELS.astype(np.uint16) * 257),
        "png alpha": encode(".png", ALPHA),
        "png palette": make_png(INDICES, 3, before=((b"PLTE", PALETTE.tobytes()), (b"tRNS", bytes(9)))),
        "png exif": png_with(encode(".png", PIXELS), b"eXIf", exif_block(3)),
        "png animated": encode_animation(".png", frames),
        "webp": encode(".webp", PIXELS, cv2.IMWRITE_WEBP_QUALITY, 80),
        "webp lossless": encode(".webp", ALPHA, cv2.IMWRITE_WEBP_QUALITY, 101),
        "webp animated": encode_animation(".webp", frames),
        "webp exif": webp_with(encode(".webp", PIXELS, cv2.IMWRITE_WEBP_QUALITY, 80), exif_block(8), 40, 24),
        "bmp": encode(".bmp", PIXELS),
        "bmp palette": make_palette_bmp(INDICES, PALETTE),
        "tiff": make_tiff(PIXELS, orientation=5),
        "tiff big": make_tiff(PIXELS.astype(np.uint16), order=">", is_big=True),
        "tiff lzw": encode(".tiff", PIXELS, cv2.IMWRITE_TIFF_COMPRESSION, 5),
        "tiff deflate": encode(".tiff", PIXELS, cv2.IMWRITE_TIFF_COMPRESSION, 8),
        "tiff jpeg": encode(".tiff", PIXELS, cv2.IMWRITE_TIFF_COMPRESSION, 7),
        "ppm": encode(".ppm", PIXELS),
        "pgm 16 bits": encode(".pgm", GREY.astype(np.uint16) * 257),
        "ppm letters": b"P3\n# by hand\n40 24\n255\n" + samples + b"\n",
        "pbm": b"P4\n40 24\n" + np.packbits(GREY > 99, axis=1).tobytes(),
    }


SOURCES = make_sources()
if HAS_GIF:
    SOURCES |= {
        "gif": make_gif([INDICES], PALETTE),
        "gif animated": make_gif([INDICES, INDICES[::-1]], PALETTE, transparent=3),
    }


@pytest.mark.parametrize("name", SOURCES)
def test_the_sources_are_valid(name: str) -> None:
    image = Image.from_bytes(SOURCES[name])
    assert {image.width, image.height} == {40, 24}


# --- truncated -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SOURCES)
def test_a_truncated_picture_is_never_half_a_picture(name: str) -> None:
    """Cut anywhere, a file is an error, or nothing that belongs to its picture was lost."""
    data = SOURCES[name]
    whole = Image.from_bytes(data).pixels
    cuts = {
        *range(min(40, len(data))),
        *range(len(data) - 20, len(data)),
        *range(0, len(data), len(data) // 40),
    }
    refused = 0
    for length in sorted(cut for cut in cuts if cut >= 0):
        try:
            pixels = Image.from_bytes(data[:length]).pixels
        except UndecodableImage:
            refused += 1
        else:
            assert_array_equal(pixels, whole, err_msg=f"{name} cut to {length} of {len(data)} bytes")
    assert refused >= len(cuts) // 2


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9, 0.99])
def test_a_truncated_jpeg_says_so(share: float) -> None:
    with pytest.raises(UndecodableImage, match="truncated"):
        Image.from_bytes(LARGER_JPEG[: int(len(LARGER_JPEG) * share)])


@pytest.mark.parametrize("cut", [1, 2])
def test_a_jpeg_that_lacks_its_end_marker_only_is_complete(cut: int) -> None:
    assert_array_equal(Image.from_bytes(LARGER_JPEG[:-cut]).pixels, Image.from_bytes(LARGER_JPEG).pixels)


def test_what_follows_a_jpeg_does_not_matter() -> None:
    for tail in (b"\0" * 1000, LARGER_JPEG, b"<html>", b"\xff\xd9" * 5):
        assert_array_equal(Image.from_bytes(JPEG + tail).pixels, Image.from_bytes(JPEG).pixels)


def test_stray_bytes_between_the_parts_of_a_jpeg_are_passed_over() -> None:
    """Some cameras write a few bytes before a marker."""
    tables = JPEG.index(b"\xff\xdb")
    stray = JPEG[:tables] + b"\0\0\0" + JPEG[tables:]
    assert_array_equal(Image.from_bytes(stray).pixels, Image.from_bytes(JPEG).pixels)
    with pytest.raises(UndecodableImage):
        Image.from_bytes(stray[: len(stray) // 2 + 200])


def test_a_jpeg_with_a_lost_restart_interval_is_damaged() -> None:
    data = encode(".jpg", make_pixels(160, 120), cv2.IMWRITE_JPEG_RST_INTERVAL, 4)
    first, third = data.index(b"\xff\xd0"), data.index(b"\xff\xd2")
    with pytest.raises(UndecodableImage, match="damaged JPEG"):
        Image.from_bytes(data[:first] + data[third:])


def test_a_png_with_a_wrong_checksum_is_damaged() -> None:
    data = bytearray(SOURCES["png"])
    data[60] ^= 1
    with pytest.raises(UndecodableImage, match=r"damaged PNG.*checksum"):
        Image.from_bytes(bytes(data))


def test_broken_extra_chunks_of_a_png_do_not_matter() -> None:
    data = bytearray(png_with(SOURCES["png"], b"tEXt", b"Comment\0hello"))
    data[45] ^= 0xFF
    assert_array_equal(Image.from_bytes(bytes(data)).pixels, PIXELS)


# --- no pictures ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "empty"),
        (b"<!DOCTYPE html><html><body>404</body></html>", "web page"),
        (b"\xef\xbb\xbf\n <html>", "web page"),
        (b"<?xml version='1.0'?><svg></svg>", "SVG"),
        (b"<?xml version='1.0'?><rss></rss>", "XML"),
        (b'{"error": "not found"}', "JSON"),
        (b"Not found\n", "text, not a picture .*Not found"),
        ("Bild nicht gefunden: größer".encode(), "text, not a picture"),
        (b"%PDF-1.7", "PDF"),
        (b"PK\x03\x04abcd", "ZIP"),
        (b"\x1f\x8b\x08\0", "gzip"),
        (b"\0\0\0\x18ftypheic\0\0", "HEIC"),
        (b"\0\0\0\x1cftypavif\0\0", "AVIF"),
        (b"\0\0\0\x20ftypisom\0\0", "video"),
        (b"\0\0\0\x0cjP  \r\n", "JPEG 2000"),
        (bytes(5000), "zero bytes"),
        (b"\xff\xd8", "beginning of a JPEG"),
        (b"\x89PNG\n\x1a\n", "beginning of a PNG"),
        (bytes(range(130, 180)), "begins with the bytes 82 83 84"),
        ("text".encode("utf-16"), "no known kind"),
    ],
)
def test_what_is_no_picture_is_named_and_what_is_accepted_is_said(data: bytes, says: str) -> None:
    with pytest.raises(UndecodableImage, match=says) as caught:
        Image.from_bytes(data)
    assert "JPEG, PNG, WebP, BMP, GIF, TIFF and PBM/PGM/PPM" in str(caught.value)


@pytest.mark.parametrize(
    "data",
    [
        PNG_START,
        PNG_START + png_chunk(b"IDAT", b"abc"),
        b"P6",
        b"P6 ",
        b"P6\n#" + b"x" * 1000,
        b"P6 0 5 255 ",
        b"P6 5 5 0 " + bytes(75),
        b"P6 5 5 70000 " + bytes(150),
        b"P6 99999999999 1 255 ",
        b"P5 -3 3 255 " + bytes(9),
        b"P3 2 2 255 1 2 x",
        b"GIF89a",
        b"GIF89a\0\0\0\0\0\0\0;",
        b"BM" + bytes(12) + b"\x28" + bytes(40),
        b"RIFF\x04\0\0\0WEBP",
        b"RIFF\x1e\0\0\0WEBPVP8 \0\0\0\0",
        b"RIFF\x1e\0\0\0WEBPALPH\0\0\0\0",
        b"II*\0\xff\xff\xff\xff",
        b"MM\0*\0\0\0\x08\0\0",
        b"II+\0\x08\0\0\0" + b"\xff" * 8,
        make_tiff(PIXELS.astype(np.float32)),
        make_tiff(PIXELS.astype(np.int16)),
        make_tiff(PIXELS)[:8] + b"\0\0" + bytes(100),
        b"\xff\xd8\xff\xd9",
        b"\xff\xd8" + b"\xff" * 5000,
        b"\xff\xd8\xff\xda\0\x02",
    ],
    ids=lambda data: repr(data[:24]),
)
def test_shells_of_pictures_are_refused(data: bytes) -> None:
    with pytest.raises(UndecodableImage):
        Image.from_bytes(data)


def test_a_file_with_a_wrong_extension_is_named_by_its_contents(tmp_path: Path) -> None:
    path = tmp_path / "plate.jpg"
    path.write_bytes(b"<html>login</html>")
    with pytest.raises(UndecodableImage, match=r"plate\.jpg: this is a web page"):
        Image.from_path(path)


# --- too large -----------------------------------------------------------------------------------------


def jpeg_of_size(width: int, height: int) -> bytes:
    at = JPEG.index(b"\xff\xc0") + 5
    return JPEG[:at] + struct.pack(">HH", height, width) + JPEG[at + 4 :]


def tiff_of_size(width: int, height: int) -> bytes:
    tags = {256: width, 257: height, 258: 8, 259: 1, 262: 1, 273: 8, 277: 1, 278: height, 279: 1000}
    entries = b"".join(struct.pack("<HHLL", tag, 4, 1, value) for tag, value in tags.items())
    return struct.pack("<2sHLH", b"II", 42, 8, len(tags)) + entries + bytes(4)


HUGE = 30_000
BOMBS = {
    "png": png_bomb(HUGE, HUGE),
    "png wide": png_bomb(2**31 - 1, 2**31 - 1),
    "jpeg": jpeg_of_size(HUGE, HUGE),
    "jpeg widest": jpeg_of_size(65500, 65500),
    "bmp": struct.pack("<2sLLLLllHHLL", b"BM", 100, 0, 54, 40, HUGE, -HUGE, 1, 24, 0, 0) + bytes(60),
    "bmp old": struct.pack("<2sLLLLHHHH", b"BM", 100, 0, 26, 12, HUGE, HUGE, 1, 24) + bytes(60),
    "gif": b"GIF89a" + struct.pack("<HHBBB", 65535, 65535, 0, 0, 0) + make_gif([INDICES], PALETTE)[13:],
    "tiff": tiff_of_size(HUGE, HUGE),
    "tiff wide": tiff_of_size(2**32 - 1, 2**32 - 1),
    "webp": b"RIFF\x1e\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0" + b"\xff\xff\0" * 2 + bytes(40),
    "webp lossless": b"RIFF\x1e\0\0\0WEBPVP8L\x10\0\0\0\x2f" + b"\xff" * 4 + bytes(20),
    "ppm": b"P6 30000 30000 255\n" + bytes(100),
    "pbm": b"P1 999999999 999999999\n1 0 1",
}


@pytest.mark.parametrize("name", BOMBS)
def test_bombs_are_refused_from_their_header(name: str) -> None:
    began = time.process_time()
    with pytest.raises(ImageTooLarge, match="more than the limit of 100,000,000"):
        Image.from_bytes(BOMBS[name])
    assert time.process_time() - began < 0.2


def test_refusing_bombs_takes_no_memory() -> None:
    """In a process of its own: what it ever held is what is asked."""
    code = (
        "import resource, sys\n"
        "from openplate.errors import ImageTooLarge\n"
        "from openplate.imaging import Image\n"
        "data = sys.stdin.buffer.read()\n"
        "peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "before = peak()\n"
        "try:\n"
        "    Image.from_bytes(data)\n"
        "except ImageTooLarge:\n"
        "    print(peak() - before)\n"
    )
    ran = subprocess.run([sys.executable, "-c", code], input=BOMBS["png"], capture_output=True, timeout=60)
    assert ran.stderr == b""
    assert int(ran.stdout) < 5_000  # kilobytes


@pytest.mark.parametrize("size", [(9000, 9000), (100_000, 900)])
def test_a_png_too_small_for_its_pixels_is_not_unpacked(size: tuple[int, int]) -> None:
    """Its checksums agree and its size is within the limit, but it holds nothing."""
    head = struct.pack(">LLBBBBB", *size, 8, 2, 0, 0, 0)
    body = SOURCES["png"][SOURCES["png"].index(b"IDAT") + 4 :][:50]
    data = PNG_START + png_chunk(b"IHDR", head) + png_chunk(b"IDAT", body) + png_chunk(b"IEND", b"")
    began = time.process_time()
    with pytest.raises(UndecodableImage, match="too small"):
        Image.from_bytes(data)
    assert time.process_time() - began < 0.2


def test_a_jpeg_of_endless_passes_is_refused() -> None:
    """A pass costs time even where it changes nothing: thousands fit into a few kilobytes."""
    data = encode(".jpg", np.full((3000, 3000), 128, np.uint8), cv2.IMWRITE_JPEG_PROGRESSIVE, 1)
    last = data[data.rindex(b"\xff\xda") : -2]
    bomb = data[:-2] + last * 1000 + b"\xff\xd9"
    began = time.process_time()
    with pytest.raises(ImageTooLarge, match="passes"):
        Image.from_bytes(bomb)
    assert time.process_time() - began < 1.0
    assert Image.from_bytes(data).width == 3000


@pytest.mark.parametrize(
    "data",
    [
        b"\xff\xd8" + b"\xff\xe0\0\x02" * 1_000_000,
        b"\xff\xd8" + b"\xff" * 4_000_000,
        b"\xff\xd8\xff\xe0" + b"\0" * 4_000_000,
        PNG_START + SOURCES["png"][8:33] + png_chunk(b"tEXt", b"") * 300_000,
        b"RIFF\0\0\0\0WEBPVP8X\x0a\0\0\0" + bytes(10) + b"ABCD\0\0\0\0" * 500_000,
        b"P6" + b"\n# x" * 1_000_000,
        b"P6" + b" " * 4_000_000 + b"3 3 255 ",
        b"P6 #" + b"x" * 4_000_000,
        b"<" + b" " * 4_000_000,
        b"<?xml" + b"?" * 4_000_000,
        b" " * 4_000_000,
        b"{" * 4_000_000,
    ],
    ids=lambda data: repr(data[:20]),
)
def test_headers_without_end_take_no_time(data: bytes) -> None:
    began = time.process_time()
    with pytest.raises(UndecodableImage):
        Image.from_bytes(data)
    assert time.process_time() - began < 1.0


def test_limits_are_the_callers() -> None:
    small = ImageLimits(max_bytes=len(JPEG), max_pixels=40 * 24)
    assert Image.from_bytes(JPEG, small).width == 40
    with pytest.raises(ImageTooLarge, match=r"40x24 pixels, more than the limit of 959"):
        Image.from_bytes(JPEG, ImageLimits(max_pixels=40 * 24 - 1))
    for data in (JPEG, bytearray(JPEG), memoryview(JPEG)):
        with pytest.raises(ImageTooLarge, match=r"bytes, more than the limit of 100"):
            Image.from_bytes(data, ImageLimits(max_bytes=100))


@pytest.mark.parametrize("limits", [{"max_bytes": 0}, {"max_pixels": -1}])
def test_limits_that_allow_nothing_are_errors(limits: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="limits must be at least 1"):
        ImageLimits(**limits)


def test_a_file_that_is_too_long_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "long.jpg"
    with path.open("wb") as file:
        file.truncate(200 * 2**30)  # a hole: takes no room on the disk
    with pytest.raises(ImageTooLarge, match=r"long\.jpg: the file has 214,748,364,800 bytes"):
        Image.from_path(path)


# --- paths ---------------------------------------------------------------------------------------------


def make_path(kind: str, folder: Path) -> Path:
    path = folder / "plate.jpg"
    match kind:
        case "folder":
            path.mkdir()
        case "link to a folder":
            path.symlink_to(folder)
        case "pipe":
            os.mkfifo(path)
        case "broken link":
            path.symlink_to(folder / "nothing")
        case "circle of links":
            path.symlink_to(path)
        case "inside a file":
            path.write_bytes(JPEG)
            return path / "more.jpg"
        case "name without end":
            return folder / ("x" * 5000)
    return path


@pytest.mark.timeout(20)  # reading a pipe would wait for ever
@pytest.mark.parametrize(
    ("kind", "says"),
    [
        ("missing", "there is no such file"),
        ("folder", "this is a folder, not a file"),
        ("link to a folder", "this is a folder, not a file"),
        ("pipe", "this is a pipe, not a file"),
        ("broken link", "there is no such file"),
        ("circle of links", "cannot be read"),
        ("inside a file", "cannot be read"),
        ("name without end", "cannot be read"),
    ],
)
def test_what_is_not_a_readable_file_is_named(kind: str, says: str, tmp_path: Path) -> None:
    path = make_path(kind, tmp_path)
    with pytest.raises(ImageError, match=says) as caught:
        Image.from_path(path)
    assert str(caught.value).startswith(f"{path}: ")


def test_a_socket_is_not_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # the path of a socket must be short
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("plate.jpg")
        with pytest.raises(ImageError, match=r"plate\.jpg: this is a socket, not a file"):
            Image.from_path("plate.jpg")


@pytest.mark.timeout(20)
@pytest.mark.parametrize("path", ["/dev/zero", "/dev/null", "/dev/full", "/dev/tty"])
def test_devices_are_not_opened(path: str) -> None:
    if not Path(path).exists():
        pytest.skip(f"no {path} here")
    with pytest.raises(ImageError, match=f"{path}: this is a device, not a file"):
        Image.from_path(path)


@pytest.mark.parametrize("path", ["", "a\0b.jpg", "\udcff.jpg"])
def test_paths_that_cannot_be(path: str) -> None:
    with pytest.raises(ImageError):
        Image.from_path(path)


def test_a_file_without_permission_says_so(tmp_path: Path) -> None:
    path = tmp_path / "secret.jpg"
    path.write_bytes(JPEG)
    path.chmod(0)
    is_root = os.geteuid() == 0
    if is_root:
        os.seteuid(65534)  # nobody, for whom permissions count
    try:
        with pytest.raises(ImageError, match=r"secret\.jpg: no permission to read it"):
            Image.from_path(path)
    finally:
        if is_root:
            os.seteuid(0)


def test_reading_a_file_leaves_none_open(tmp_path: Path) -> None:
    path = tmp_path / "broken.jpg"
    path.write_bytes(b"\xff\xd8\xff")
    for _ in range(3):
        with pytest.raises(UndecodableImage):
            Image.from_path(path)
    handles = Path("/proc/self/fd")
    if handles.is_dir():
        assert str(path) not in {str(handle.readlink()) for handle in handles.iterdir() if handle.is_symlink()}


# --- EXIF ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "exif",
    [
        b"",
        b"II",
        b"XX*\0\x08\0\0\0",
        exif_block(0),
        exif_block(9),
        exif_block(65535),
        exif_block(6)[:18],
        exif_block(6)[:9],
        b"II*\0\xff\xff\xff\xff",
        b"II*\0\x08\0\0\0\xff\xff",
        b"II*\0\x08\0\0\0\x01\0\x12\x01\x02\0\x01\0\0\0\x06\0\0\0",  # as text
        b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x00\0\0\0\x06\0\0\0",  # none of them
        b"II+\0\x08\0\0\0" + b"\xff" * 30,
        bytes(60_000),
    ],
    ids=lambda exif: exif[:24].hex(),
)
def test_broken_exif_is_passed_over(exif: bytes) -> None:
    for plain, broken in (
        (JPEG, jpeg_with(JPEG, exif)),
        (SOURCES["png"], png_with(SOURCES["png"], b"eXIf", exif)),
        (SOURCES["webp"], webp_with(SOURCES["webp"], exif, 40, 24)),
    ):
        assert_array_equal(Image.from_bytes(broken).pixels, Image.from_bytes(plain).pixels)


def test_an_orientation_that_is_none_leaves_a_tiff_as_it_is() -> None:
    for orientation in (0, 9, 65535):
        assert_array_equal(Image.from_bytes(make_tiff(PIXELS, orientation=orientation)).pixels, PIXELS)


# --- silence -------------------------------------------------------------------------------------------


def test_the_decoders_keep_silent_on_standard_error(tmp_path: Path) -> None:
    """Users see our message, not those of four C libraries. In a process of its own: none is captured."""
    for number, data in enumerate(SOURCES.values()):
        half = data[: len(data) // 2]
        changed = bytearray(data)
        changed[len(data) * 2 // 3] ^= 0x5A
        (tmp_path / f"{number}.half").write_bytes(half)
        (tmp_path / f"{number}.changed").write_bytes(changed)
    (tmp_path / "profile").write_bytes(png_with(SOURCES["png"], b"iCCP", b"x\0\0y"))
    (tmp_path / "float").write_bytes(make_tiff(PIXELS.astype(np.float32)))
    code = (
        "import pathlib, sys\n"
        "from openplate.errors import ImageError\n"
        "from openplate.imaging import Image\n"
        "for path in pathlib.Path(sys.argv[1]).iterdir():\n"
        "    try:\n"
        "        Image.from_path(path)\n"
        "    except ImageError:\n"
        "        pass\n"
    )
    ran = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, timeout=60, text=True)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")


# --- fuzzing -------------------------------------------------------------------------------------------


def change(data: bytes, other: bytes, chance: random.Random) -> bytes:
    """A mutation of ``data``; ``other`` lends bytes."""
    changed = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 4, 8))):
        at = chance.randrange(min(64, len(changed)) if chance.random() < 0.5 else len(changed))
        span = chance.randrange(1, 40)
        match chance.randrange(9):
            case 0:
                changed[at] ^= 1 << chance.randrange(8)
            case 1:
                changed[at] = chance.randrange(256)
            case 2:
                changed[at : at + 4] = chance.choice(
                    (b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\0\0\0\x01")
                )
            case 3:
                del changed[at : at + span]
            case 4:
                changed[at:at] = chance.randbytes(span)
            case 5:
                changed[at:at] = changed[at : at + span]
            case 6:
                start = chance.randrange(len(other))
                changed[at : at + span] = other[start : start + span]
            case 7:
                changed[at : at + span] = bytes(len(changed[at : at + span]))
            case 8 if len(changed) > 60:
                del changed[chance.randrange(40, len(changed)) :]
        if len(changed) < 2:
            return bytes(changed)
    return bytes(changed)


def with_checksums(data: bytes) -> bytes:
    """A PNG whose chunks have right checksums again, so that what they hold reaches the decoder."""
    parts, position = [PNG_START], 8
    while position + 12 <= len(data):
        length = int.from_bytes(data[position : position + 4], "big")
        parts.append(png_chunk(data[position + 4 : position + 8], data[position + 8 : position + 8 + length]))
        position += 12 + length
    return b"".join(parts)


@pytest.mark.timeout(300)
def test_thousands_of_mutated_files_decode_or_raise_an_image_error() -> None:
    chance = random.Random(20261121)
    names = sorted(SOURCES)
    outcomes: Counter[Any] = Counter()
    slowest = 0.0
    for number in range(20_000):
        name = names[number % len(names)]
        data = change(SOURCES[name], SOURCES[chance.choice(names)], chance)
        if name.startswith("png") and number % 2:
            data = with_checksums(data)
        began = time.process_time()
        try:
            image = Image.from_bytes(data)
        except ImageError as error:
            outcomes[type(error)] += 1
        else:
            assert image.width * image.height <= 100_000_000
            outcomes[Image] += 1
        slowest = max(slowest, time.process_time() - began)
    assert outcomes[Image] > 2000
    assert outcomes[UndecodableImage] > 5000
    assert outcomes[ImageTooLarge] > 100
    assert slowest < 5.0
