"""Pictures: decoding, turning, letterboxing, rectifying. What is broken is in test_imaging_hostile."""

from __future__ import annotations

import io
import math
import pickle
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import simplejpeg
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose, assert_array_equal
from numpy.typing import NDArray

from openplate.datatypes import Box, Corners
from openplate.errors import ImageError
from openplate.imaging import (
    Image,
    Letterbox,
    batch,
    crop,
    encode_jpeg,
    encode_png,
    least_turn,
    letterbox,
    limit_threads,
    project,
    source_name,
    to_bgr,
    warp_plate,
)
from pictures import (
    HAS_GIF,
    encode,
    encode_animation,
    exif_block,
    jpeg_with,
    make_gif,
    make_palette_bmp,
    make_pixels,
    make_png,
    make_tiff,
    png_with,
    swap,
    webp_with,
)

PIXELS = make_pixels()
GREY = PIXELS[:, :, 0]
INDICES = (np.arange(48 * 32, dtype=np.uint32).reshape(32, 48) * 7 % 5).astype(np.uint8)
PALETTE = np.array([(0, 0, 0), (255, 0, 10), (20, 255, 0), (0, 30, 255), (250, 250, 250)], np.uint8)
ALPHA = np.tile(np.linspace(0, 255, 48).round().astype(np.uint8), (32, 1))


def to_16_bits(pixels: NDArray[np.uint8]) -> NDArray[np.uint16]:
    return pixels.astype(np.uint16) * 257


def repeat(grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.repeat(grey[:, :, None], 3, axis=2)


def lay_on_white(pixels: NDArray[np.uint8], alpha: NDArray[np.uint8]) -> NDArray[np.float64]:
    share = alpha[:, :, None] / 255
    return pixels * share + 255 * (1 - share)


# --- arrays, bytes and paths ---------------------------------------------------------------------------


def test_pixels_are_rgb_contiguous_and_read_only() -> None:
    image = Image.from_array(PIXELS)
    assert_array_equal(image.pixels, PIXELS)
    assert (image.width, image.height) == (48, 32)
    assert image.pixels.flags.c_contiguous
    with pytest.raises(ValueError, match="read-only"):
        image.pixels[0, 0, 0] = 1


def test_an_image_does_not_change_with_the_array_it_came_from() -> None:
    array = PIXELS.copy()
    image = Image.from_array(array)
    array[:] = 0
    assert_array_equal(image.pixels, PIXELS)


def test_the_constructor_leaves_the_callers_array_writeable() -> None:
    array = PIXELS.copy()
    Image(array)
    array[0, 0, 0] = 1


@pytest.mark.parametrize("array", [PIXELS[::2, ::-1], np.asfortranarray(PIXELS)], ids=["strided", "fortran"])
def test_arrays_of_any_layout(array: NDArray[np.uint8]) -> None:
    for image in (Image.from_array(array), Image(array), Image.from_bgr(swap(array))):
        assert_array_equal(image.pixels, array)
        assert image.pixels.flags.c_contiguous


def test_arrays_of_other_channels() -> None:
    for grey in (GREY, GREY[:, :, None]):
        assert_array_equal(Image.from_array(grey).pixels, repeat(GREY))
    image = Image.from_array(np.dstack([PIXELS, ALPHA]))
    assert_allclose(image.pixels, lay_on_white(PIXELS, ALPHA), atol=0.51)


@pytest.mark.parametrize(
    "array",
    [
        PIXELS.astype(np.float32),
        PIXELS.astype(np.uint16),
        PIXELS[:, :, :2],
        np.zeros((2, 3, 5), np.uint8),
        np.zeros((2, 2, 3, 1), np.uint8),
        np.zeros((0, 5, 3), np.uint8),
        np.zeros(7, np.uint8),
        [[1, 2], [3, 4]],
        None,
    ],
    ids=str,
)
def test_other_arrays_are_errors_that_say_what_is_wanted(array: Any) -> None:
    for make in (Image.from_array, Image.from_bgr, Image):
        with pytest.raises(ImageError, match="a picture must"):
            make(array)


def test_bgr_goes_out_as_it_came_in() -> None:
    assert_array_equal(Image.from_bgr(swap(PIXELS)).pixels, PIXELS)
    assert_array_equal(to_bgr(Image.from_array(PIXELS)), swap(PIXELS))


def test_the_same_picture_however_it_came_in(tmp_path: Path) -> None:
    for name, data in (("a.jpg", encode_jpeg(Image.from_array(PIXELS))), ("a.png", encode(".png", PIXELS))):
        path = tmp_path / name
        path.write_bytes(data)
        images = [
            Image.from_path(path),
            Image.from_path(str(path)),
            Image.from_bytes(data),
            Image.from_bytes(bytearray(data)),
            Image.from_bytes(memoryview(data)),
        ]
        for image in images:
            assert_array_equal(image.pixels, images[0].pixels)
        assert_array_equal(Image.from_array(images[0].pixels).pixels, images[0].pixels)


def test_images_survive_the_way_to_another_process() -> None:
    image = pickle.loads(pickle.dumps(Image.from_array(PIXELS)))
    assert_array_equal(image.pixels, PIXELS)
    assert not image.pixels.flags.writeable


# --- formats -------------------------------------------------------------------------------------------


def make_pnm(kind: int, maximum: int, samples: NDArray[Any], comment: bytes = b"") -> bytes:
    head = b"P%d\n%b%d %d\n%d\n" % (kind, comment, samples.shape[1], samples.shape[0], maximum)
    if kind in (2, 3):
        return head + b" ".join(b"%d" % value for value in samples.ravel()) + b"\n"
    return head + samples.astype(">u2" if maximum > 255 else "u1").tobytes()


BITS = (GREY > 100).astype(np.uint8)
PLTE = ((b"PLTE", PALETTE.tobytes()),)
LOSSLESS: dict[str, tuple[bytes, NDArray[Any]]] = {
    "png": (encode(".png", PIXELS), PIXELS),
    "png grey": (encode(".png", GREY), repeat(GREY)),
    "png 16 bits": (encode(".png", to_16_bits(PIXELS)), PIXELS),
    "png grey 16 bits": (encode(".png", to_16_bits(GREY)), repeat(GREY)),
    "png palette": (make_png(INDICES, 3, before=PLTE), PALETTE[INDICES]),
    "png palette 4 bits": (
        make_png(INDICES[:, ::2] << 4 | INDICES[:, 1::2], 3, depth=4, width=48, before=PLTE),
        PALETTE[INDICES],
    ),
    "png 1 bit": (make_png(np.packbits(BITS, axis=1), 0, depth=1, width=48), repeat(BITS * 255)),
    "png alpha": (encode(".png", np.dstack([PIXELS, ALPHA])), lay_on_white(PIXELS, ALPHA)),
    "png alpha 16 bits": (
        encode(".png", to_16_bits(np.dstack([PIXELS, ALPHA]))),
        lay_on_white(PIXELS, ALPHA),
    ),
    "png grey alpha": (
        make_png(np.dstack([GREY, ALPHA]).reshape(32, -1), 4, width=48),
        lay_on_white(repeat(GREY), ALPHA),
    ),
    "png colour profile that is none": (png_with(encode(".png", PIXELS), b"iCCP", b"x\0\0y"), PIXELS),
    "bmp": (encode(".bmp", PIXELS), PIXELS),
    "bmp grey": (encode(".bmp", GREY), repeat(GREY)),
    "bmp palette": (make_palette_bmp(INDICES, PALETTE), PALETTE[INDICES]),
    "webp": (encode(".webp", PIXELS, cv2.IMWRITE_WEBP_QUALITY, 101), PIXELS),
    "webp alpha": (
        encode(".webp", np.dstack([PIXELS, ALPHA.clip(1)]), cv2.IMWRITE_WEBP_QUALITY, 101),
        lay_on_white(PIXELS, ALPHA.clip(1)),
    ),
    "tiff": (make_tiff(PIXELS), PIXELS),
    "tiff big-endian": (make_tiff(PIXELS, order=">"), PIXELS),
    "bigtiff": (make_tiff(PIXELS, is_big=True), PIXELS),
    "tiff lzw": (encode(".tiff", PIXELS, cv2.IMWRITE_TIFF_COMPRESSION, 5), PIXELS),
    "tiff deflate": (encode(".tiff", PIXELS, cv2.IMWRITE_TIFF_COMPRESSION, 8), PIXELS),
    "tiff 16 bits": (make_tiff(to_16_bits(PIXELS)), PIXELS),
    "tiff 16 bits big-endian": (make_tiff(to_16_bits(PIXELS), order=">"), PIXELS),
    "tiff grey": (make_tiff(GREY, photometric=1), repeat(GREY)),
    "tiff grey inverted": (make_tiff(255 - GREY, photometric=0), repeat(GREY)),
    "tiff grey 16 bits": (make_tiff(to_16_bits(GREY), photometric=1), repeat(GREY)),
    "tiff grey 16 bits inverted": (make_tiff(to_16_bits(255 - GREY), photometric=0), repeat(GREY)),
    "tiff alpha": (make_tiff(np.dstack([PIXELS, ALPHA]), alpha=2), lay_on_white(PIXELS, ALPHA)),
    "tiff alpha 16 bits": (
        make_tiff(to_16_bits(np.dstack([PIXELS, ALPHA])), alpha=2),
        lay_on_white(PIXELS, ALPHA),
    ),
    "tiff multiplied alpha": (
        make_tiff(np.dstack([PIXELS // 2, np.full_like(GREY, 127)]), alpha=1),
        PIXELS // 2 + np.float64(128),
    ),
    "tiff fourth sample": (make_tiff(np.dstack([PIXELS, ALPHA]), alpha=0), PIXELS),
    "tiff cmyk": (
        make_tiff(np.dstack([255 - PIXELS, np.zeros_like(GREY)]), photometric=5),
        PIXELS,
    ),
    "ppm": (make_pnm(6, 255, PIXELS), PIXELS),
    "ppm with a comment": (make_pnm(6, 255, PIXELS, b"# made 1 2 3\n"), PIXELS),
    "ppm 16 bits": (make_pnm(6, 65535, to_16_bits(PIXELS)), PIXELS),
    "ppm to 1000": (make_pnm(6, 1000, PIXELS.astype(int) * 1000 // 255), PIXELS),
    "ppm to 15": (make_pnm(6, 15, PIXELS // 17), PIXELS // 17 * 17),
    "pgm": (make_pnm(5, 255, GREY), repeat(GREY)),
    "pgm to 100": (make_pnm(5, 100, GREY // 3), repeat(GREY // 3) * (255 / 100)),
    "ppm in letters": (make_pnm(3, 255, PIXELS), PIXELS),
    "pgm in letters": (make_pnm(2, 255, GREY), repeat(GREY)),
    "pbm": (b"P4\n48 32\n" + np.packbits(1 - BITS, axis=1).tobytes(), repeat(BITS * 255)),
    "pbm in letters": (
        b"P1\n48 32\n" + b" ".join(b"%d" % (1 - bit) for bit in BITS.ravel()) + b"\n",
        repeat(BITS * 255),
    ),
}


if HAS_GIF:
    LOSSLESS |= {
        "gif": (make_gif([INDICES], PALETTE), PALETTE[INDICES]),
        "gif transparent": (
            make_gif([INDICES], PALETTE, transparent=2),
            np.where(INDICES[:, :, None] == 2, np.uint8(255), PALETTE[INDICES]),
        ),
        "gif animated": (make_gif([INDICES, INDICES[::-1], INDICES // 2], PALETTE), PALETTE[INDICES]),
    }


@pytest.mark.parametrize("name", LOSSLESS)
def test_formats_that_keep_every_pixel(name: str) -> None:
    data, expected = LOSSLESS[name]
    image = Image.from_bytes(data)
    assert_allclose(image.pixels.astype(float), expected, atol=1.01)
    if expected.dtype == np.uint8 and "1000" not in name:
        assert_array_equal(image.pixels, expected)


@pytest.mark.parametrize("subsampling", ["444", "422", "420", "440", "411"])
@pytest.mark.parametrize("size", [(48, 32), (1, 1), (17, 9), (7, 100)])
def test_jpeg_is_what_its_decoder_gives(subsampling: str, size: tuple[int, int]) -> None:
    data = simplejpeg.encode_jpeg(make_pixels(*size), quality=95, colorsubsampling=subsampling)
    assert_array_equal(Image.from_bytes(data).pixels, simplejpeg.decode_jpeg(data))


@pytest.mark.parametrize(
    "parameters",
    [
        (cv2.IMWRITE_JPEG_PROGRESSIVE, 1),
        (cv2.IMWRITE_JPEG_RST_INTERVAL, 2),
        (cv2.IMWRITE_JPEG_OPTIMIZE, 1),
        (cv2.IMWRITE_JPEG_SAMPLING_FACTOR, 0x412111),
        (cv2.IMWRITE_JPEG_SAMPLING_FACTOR, 0x421111),
    ],
)
def test_kinds_of_jpeg(parameters: tuple[int, int]) -> None:
    """The last one's chroma is sampled in a way that only OpenCV decodes."""
    data = encode(".jpg", PIXELS, cv2.IMWRITE_JPEG_QUALITY, 98, *parameters)
    assert np.abs(Image.from_bytes(data).pixels.astype(int) - PIXELS).mean() < 3


def test_grey_jpeg() -> None:
    data = simplejpeg.encode_jpeg(GREY[:, :, None].copy(), 98, "GRAY", "Gray")
    assert_allclose(Image.from_bytes(data).pixels.astype(int), repeat(GREY), atol=4)


def test_cmyk_jpeg() -> None:
    """As printers' software writes it: inverted, marked by Adobe's segment."""
    inverted = np.ascontiguousarray(np.dstack([PIXELS, np.full_like(GREY, 255)]))
    data = simplejpeg.encode_jpeg(inverted, 98, "CMYK", "444")
    assert np.abs(Image.from_bytes(data).pixels.astype(int) - PIXELS).mean() < 4


@pytest.mark.parametrize("extension", [".webp", ".png"])
def test_the_first_picture_of_an_animation_counts(extension: str) -> None:
    frames = [PIXELS, PIXELS[::-1], PIXELS[:, ::-1]]
    image = Image.from_bytes(encode_animation(extension, frames))
    assert np.abs(image.pixels.astype(int) - PIXELS).mean() < 5


def test_the_format_is_told_by_the_contents(tmp_path: Path) -> None:
    for name in ("a.jpg", "a.bmp", "a.txt", "a"):
        (tmp_path / name).write_bytes(encode(".png", PIXELS))
        assert_array_equal(Image.from_path(tmp_path / name).pixels, PIXELS)


@pytest.mark.parametrize("extension", [".png", ".jpg", ".webp", ".bmp", ".tiff", ".ppm"])
@pytest.mark.parametrize("size", [(1, 1), (1, 7), (9, 1)])
def test_tiny_pictures(extension: str, size: tuple[int, int]) -> None:
    pixels = np.full((size[1], size[0], 3), 255, np.uint8)
    assert_array_equal(Image.from_bytes(encode(extension, pixels)).pixels, pixels)


# --- EXIF orientation ----------------------------------------------------------------------------------

# Where the stored picture's first row and first column are, in the words of the EXIF standard.
TURNS = {
    1: lambda p: p,
    2: lambda p: p[:, ::-1],
    3: lambda p: p[::-1, ::-1],
    4: lambda p: p[::-1],
    5: lambda p: p.transpose(1, 0, 2),
    6: lambda p: np.rot90(p, -1),
    7: lambda p: p[::-1, ::-1].transpose(1, 0, 2),
    8: lambda p: np.rot90(p),
}


def with_orientation(kind: str, orientation: int) -> tuple[bytes, bytes]:
    """The file with that orientation and the file without any."""
    jpeg = encode_jpeg(Image.from_array(PIXELS))
    plain = {
        "jpeg": jpeg,
        "jpeg big-endian": jpeg,
        "png": encode(".png", PIXELS),
        "webp": encode(".webp", PIXELS, cv2.IMWRITE_WEBP_QUALITY, 80),
        "tiff": make_tiff(PIXELS),
        "tiff 16 bits": make_tiff(to_16_bits(PIXELS)),
        "tiff grey big-endian": make_tiff(GREY, photometric=1, order=">"),
        "bigtiff": make_tiff(PIXELS, is_big=True),
    }[kind]
    turned = {
        "jpeg": lambda: jpeg_with(plain, exif_block(orientation)),
        "jpeg big-endian": lambda: jpeg_with(plain, exif_block(orientation, ">")),
        "png": lambda: png_with(plain, b"eXIf", exif_block(orientation)),
        "webp": lambda: webp_with(plain, exif_block(orientation), 48, 32),
        "tiff": lambda: make_tiff(PIXELS, orientation=orientation),
        "tiff 16 bits": lambda: make_tiff(to_16_bits(PIXELS), orientation=orientation),
        "tiff grey big-endian": lambda: make_tiff(GREY, photometric=1, order=">", orientation=orientation),
        "bigtiff": lambda: make_tiff(PIXELS, is_big=True, orientation=orientation),
    }[kind]()
    return turned, plain


@pytest.mark.parametrize("orientation", TURNS)
@pytest.mark.parametrize(
    "kind",
    ["jpeg", "jpeg big-endian", "png", "webp", "tiff", "tiff 16 bits", "tiff grey big-endian", "bigtiff"],
)
def test_exif_orientation_is_applied(kind: str, orientation: int) -> None:
    turned, plain = with_orientation(kind, orientation)
    expected = TURNS[orientation](Image.from_bytes(plain).pixels)
    assert_array_equal(Image.from_bytes(turned).pixels, expected)


# --- crop and encode -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("box", "expected"),
    [
        ((4, 5, 10, 9), (4, 5, 10, 9)),
        ((4.2, 5.9, 9.1, 8.5), (4, 5, 10, 9)),
        ((3.99999, 5.00001, 10.00001, 8.99999), (4, 5, 10, 9)),
        ((-5, -5, 3, 2), (0, 0, 3, 2)),
        ((40, 30, 100, 100), (40, 30, 48, 32)),
        ((7, 7, 7, 7), (7, 7, 8, 8)),
        ((100, 100, 120, 120), (47, 31, 48, 32)),
        ((-9, -9, -5, -5), (0, 0, 1, 1)),
    ],
)
def test_crop(box: tuple[float, ...], expected: tuple[int, ...]) -> None:
    x1, y1, x2, y2 = expected
    assert_array_equal(crop(Image.from_array(PIXELS), Box(*box)).pixels, PIXELS[y1:y2, x1:x2])


def test_encoding_and_decoding_agree() -> None:
    image = Image.from_array(PIXELS)
    assert_array_equal(Image.from_bytes(encode_png(image)).pixels, PIXELS)
    fine, coarse = encode_jpeg(image, quality=98), encode_jpeg(image, quality=20)
    assert len(coarse) < len(fine)
    assert_allclose(Image.from_bytes(fine).pixels.astype(int), PIXELS, atol=12)


def test_threads_are_limited_only_when_asked() -> None:
    before = cv2.getNumThreads()
    try:
        limit_threads()
        assert cv2.getNumThreads() == 1
    finally:
        cv2.setNumThreads(before)


# --- letterbox -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("size", "scale", "content", "dx", "dy"),
    [
        ((1280, 720), 0.5, (640, 360), 0, 12),
        ((640, 384), 1.0, (640, 384), 0, 0),
        ((320, 192), 2.0, (640, 384), 0, 0),
        ((300, 768), 0.5, (150, 384), 245, 0),
        ((1920, 1080), 1 / 3, (640, 360), 0, 12),
        ((1001, 700), 384 / 700, (549, 384), 45, 0),
        ((1283, 721), 640 / 1283, (640, 359), 0, 12),  # an odd last row is left out in halving
        ((1, 1), 384, (384, 384), 128, 0),
    ],
)
def test_letterbox_places_the_picture_in_the_middle(
    size: tuple[int, int], scale: float, content: tuple[int, int], dx: int, dy: int
) -> None:
    source = np.full((size[1], size[0], 3), 200, np.uint8)
    canvas, where = letterbox(source, 640, 384)
    assert canvas.shape == (384, 640, 3)
    assert (where.scale, where.dx, where.dy) == (pytest.approx(scale), dx, dy)
    is_padding = (canvas == 114).all(axis=2)
    expected = np.ones((384, 640), bool)
    expected[dy : dy + content[1], dx : dx + content[0]] = False
    assert_array_equal(is_padding, expected)
    assert (canvas[~is_padding] == 200).all()


def gradient(width: int, height: int) -> NDArray[np.uint8]:
    """Red tells x, green tells y, as far as 256 steps can."""
    x, y = (np.arange(width) + 0.5) / width * 255, (np.arange(height) + 0.5) / height * 255
    picture = np.zeros((height, width, 3))
    picture[:, :, 0], picture[:, :, 1] = x[None, :], y[:, None]
    return picture.round().astype(np.uint8)


@settings(max_examples=40)
@given(st.integers(300, 2600), st.integers(200, 1500))
def test_letterbox_says_where_everything_lies(width: int, height: int) -> None:
    """Compared over tenths of the canvas, so that the steps of the gradient average out."""
    canvas, where = letterbox(gradient(width, height), 640, 384)
    left, top = int(where.dx), int(where.dy)
    columns, rows = round(width * where.scale), round(height * where.scale)
    for share in (0.1, 0.8):
        x, span = left + int(share * columns), columns // 10
        y, rise = top + int(share * rows), rows // 10
        part = canvas[y : y + rise, x : x + span].astype(np.float64)
        source_x, source_y = where.to_source_point(x + span / 2, y + rise / 2)
        # In 256ths of the side: each halving rounds the gradient up by as much as half a step.
        assert part[:, :, 0].mean() == pytest.approx(source_x / width * 255, abs=1.2)
        assert part[:, :, 1].mean() == pytest.approx(source_y / height * 255, abs=1.2)


@pytest.mark.parametrize("size", [(1283, 721), (997, 1003), (2311, 777)])
def test_letterbox_does_not_drift_toward_the_far_edge(size: tuple[int, int]) -> None:
    """A bright dot near the bottom right comes back to within a third of a source pixel."""
    source = np.zeros((size[1], size[0], 3), np.uint8)
    x, y = size[0] - 60, size[1] - 50
    source[y : y + 20, x : x + 20] = 255
    canvas, where = letterbox(source, 640, 384)
    light = canvas[:, :, 0].astype(np.float64)
    light[light == 114] = 0
    rows, columns = np.mgrid[0:384, 0:640] + 0.5
    found = (light * columns).sum() / light.sum(), (light * rows).sum() / light.sum()
    assert_allclose(where.to_source_point(*found), (x + 10, y + 10), atol=0.34)


def test_letterbox_averages_what_it_reduces() -> None:
    """Stripes one pixel wide become grey, not a pattern of their own."""
    source = np.zeros((1500, 2500, 3), np.uint8)
    source[:, ::2] = 255
    canvas, where = letterbox(source, 640, 384)
    inside = canvas[:, int(where.dx) + 2 : -int(where.dx) - 2] if where.dx else canvas[int(where.dy) : -8]
    assert inside.std() < 6
    assert inside.mean() == pytest.approx(127.5, abs=2)


@pytest.mark.parametrize("size", [(1, 1), (1, 5000), (5000, 1), (2, 3), (3, 40000), (641, 385)])
def test_letterbox_of_odd_sizes(size: tuple[int, int]) -> None:
    canvas, where = letterbox(np.full((size[1], size[0], 3), 7, np.uint8), 640, 384)
    assert canvas.shape == (384, 640, 3)
    assert (canvas == 7).any()
    assert where.scale == pytest.approx(min(640 / size[0], 384 / size[1]))


def test_letterbox_leaves_its_input_alone_and_repeats_itself() -> None:
    image = Image.from_array(make_pixels(500, 400))
    first, _ = letterbox(image.pixels, 160, 160)
    first[:] = 0
    second, _ = letterbox(image.pixels, 160, 160)
    assert_array_equal(image.pixels, make_pixels(500, 400))
    assert second.any()
    same, _ = letterbox(make_pixels(160, 160), 160, 160)
    same[:] = 1  # a canvas is the caller's own


@given(
    st.builds(Letterbox, st.floats(0.01, 10), st.integers(0, 300), st.integers(0, 300)),
    st.lists(st.tuples(st.floats(-2000, 2000), st.floats(-2000, 2000)), min_size=2, max_size=2),
)
def test_boxes_and_points_return_to_the_source(where: Letterbox, points: list[tuple[float, float]]) -> None:
    box = Box(*np.min(points, axis=0).tolist(), *np.max(points, axis=0).tolist())
    on_canvas = Box(*(v * where.scale + d for v, d in zip(box.as_tuple(), (where.dx, where.dy) * 2, strict=True)))
    assert_allclose(where.to_source_box(on_canvas).as_tuple(), box.as_tuple(), atol=1e-6)
    corners = np.array(points) * where.scale + (where.dx, where.dy)
    assert_allclose([where.to_source_point(x, y) for x, y in corners.tolist()], points, atol=1e-6)


# --- rectifying plates ---------------------------------------------------------------------------------


@given(arrays(np.float64, (4, 2), elements=st.floats(0, 100)))
def test_points_are_projected_as_opencv_does_it(points: NDArray[np.float64]) -> None:
    matrix = np.array([(1.2, 0.1, 5.0), (-0.2, 0.9, 3.0), (1e-3, -2e-3, 1.0)])
    expected = cv2.perspectiveTransform(points[None], matrix)[0]
    assert_allclose(project(matrix, [(x, y) for x, y in points.tolist()]), expected, rtol=1e-9, atol=1e-9)


def test_a_point_on_the_horizon_is_led_to_nought() -> None:
    matrix = np.array([(1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (1.0, 0.0, -4.0)])
    assert project(matrix, [(4.0, 7.0), (5.0, 7.0)]) == [(0.0, 0.0), (5.0, 7.0)]


@pytest.mark.parametrize(
    ("points", "is_convex"),
    [
        ([(0, 0), (4, 0), (4, 2), (0, 2)], True),
        ([(4, 2), (0, 2), (0, 0), (4, 0)], True),  # from another corner on
        ([(0, 2), (4, 2), (4, 0), (0, 0)], False),  # the other way round
        ([(0, 0), (4, 2), (4, 0), (0, 2)], False),  # twisted
        ([(0, 0), (4, 0), (1, 1), (0, 2)], False),  # dented
        ([(0, 0), (2, 0), (4, 0), (0, 2)], False),  # a triangle
    ],
)
def test_what_goes_clockwise_around_something(points: list[tuple[float, float]], is_convex: bool) -> None:
    assert (least_turn(points) > 0) == is_convex


@pytest.mark.parametrize("count", [1, 3])
def test_crops_become_a_batch(count: int) -> None:
    crops = [np.full((4, 6, 3), number, np.uint8) for number in range(count)]
    assert_array_equal(batch(crops), np.stack(crops))


def draw_plate() -> NDArray[np.uint8]:
    """128 x 32, with a different colour in each quarter and a dark frame."""
    plate = np.full((32, 128, 3), 240, np.uint8)
    for (left, top), color in zip(((8, 6), (70, 6), (70, 18), (8, 18)), PALETTE[1:], strict=True):
        plate[top : top + 8, left : left + 50] = color
    plate[[0, 1, -2, -1]] = plate[:, [0, 1, -2, -1]] = 30
    return cv2.GaussianBlur(plate, (0, 0), 1.0)  # type: ignore[return-value]


def place(plate: NDArray[np.uint8], corners: Corners, width: int = 400, height: int = 300) -> NDArray[np.uint8]:
    """A scene with the plate at those corners (continuous coordinates)."""
    rows, columns = plate.shape[:2]
    source = np.array([(0, 0), (columns, 0), (columns, rows), (0, rows)], np.float32) - 0.5
    target = np.array(corners.as_tuple(), np.float32) - 0.5
    matrix = cv2.getPerspectiveTransform(source.astype(np.float32), target.astype(np.float32))
    return cv2.warpPerspective(  # type: ignore[return-value]
        plate, matrix, (width, height), flags=cv2.INTER_LINEAR, borderValue=(90, 90, 90)
    )


def difference(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> float:
    return float(np.abs(a.astype(int) - b.astype(int)).mean())


def test_a_plate_that_is_straight_already_is_cut_out() -> None:
    picture = make_pixels(200, 100)
    corners = Corners.from_box(Box(20, 30, 148, 62))
    assert_array_equal(warp_plate(picture, corners, 128, 32, 0, 0), picture[30:62, 20:148])


def test_margins_show_what_is_around() -> None:
    picture = make_pixels(200, 100)
    corners = Corners.from_box(Box(40, 40, 140, 60))
    crop_with_margins = warp_plate(picture, corners, 120, 30, 0.1, 0.25)
    assert_array_equal(crop_with_margins, picture[35:65, 30:150])


@pytest.mark.parametrize(
    "corners",
    [
        ((100, 100), (228, 100), (228, 132), (100, 132)),
        ((90, 120), (270, 80), (275, 130), (92, 172)),
        ((120, 60), (300, 110), (290, 170), (110, 100)),
        ((60.5, 200.25), (60.5, 20.75), (110.5, 20.75), (110.5, 200.25)),  # turned a quarter
        ((300, 200), (120, 190), (125, 140), (302, 148)),  # upside down
    ],
    ids=["straight", "falling", "steep", "quarter", "upside down"],
)
def test_plates_are_rectified_from_any_side(corners: Any) -> None:
    plate = draw_plate()
    where = Corners.from_points(corners)
    assert difference(warp_plate(place(plate, where), where, 128, 32, 0, 0), plate) < 6


def test_large_plates_are_averaged() -> None:
    """Stripes that the target cannot show become grey instead of a false pattern."""
    picture = np.zeros((600, 1400, 3), np.uint8)
    picture[:, ::2] = 255
    for factor in (3, 5, 7.5, 10):
        corners = Corners.from_box(Box(20, 20, 20 + 128 * factor, 20 + 32 * factor))
        assert warp_plate(picture, corners, 128, 32, 0, 0)[:, 1:-1].std() < 25


def test_what_lies_outside_repeats_the_edge() -> None:
    picture = make_pixels(100, 50)
    result = warp_plate(picture, Corners.from_box(Box(-64, 10, 64, 42)), 128, 32, 0, 0)
    assert_array_equal(result[:, 64:], picture[10:42, :64])
    assert_array_equal(result[:, :64], np.repeat(picture[10:42, :1], 64, axis=1))
    far = warp_plate(picture, Corners.from_box(Box(5000, 5000, 5100, 5020)), 128, 32, 0, 0)
    assert (far == picture[-1, -1]).all()


DEGENERATE = {
    "one point": [(30, 20)] * 4,
    "collinear": [(10, 10), (20, 10), (30, 10), (40, 10)],
    "tiny": [(30, 20), (30.1, 20), (30.1, 20.1), (30, 20.1)],
    "crossed": [(10, 10), (60, 40), (60, 10), (10, 40)],
    "mirrored": [(60, 10), (10, 10), (10, 40), (60, 40)],
    "not convex": [(10, 10), (60, 10), (20, 14), (10, 40)],
    "a triangle": [(10, 10), (60, 10), (60, 10), (10, 40)],
    "not numbers": [(math.nan, 10), (60, math.inf), (60, 40), (-math.inf, 40)],
    "huge": [(-1e300, -1e300), (1e300, -1e300), (1e300, 1e300), (-1e300, 1e300)],
    "horizon": [(10, 10), (60, 29.9), (60, 30.1), (10, 50)],
}


@pytest.mark.parametrize("name", DEGENERATE)
@pytest.mark.parametrize("margin", [0, 0.1, 0.5])
def test_degenerate_corners_give_some_picture(name: str, margin: float) -> None:
    result = warp_plate(make_pixels(100, 60), Corners.from_points(DEGENERATE[name]), 128, 64, margin, margin)
    assert result.shape == (64, 128, 3)
    assert result.dtype == np.uint8


def test_crossed_corners_show_the_box_around_them() -> None:
    picture = make_pixels(100, 60)
    crossed = warp_plate(picture, Corners.from_points(DEGENERATE["crossed"]), 50, 30, 0, 0)
    assert_array_equal(crossed, picture[10:40, 10:60])


@settings(max_examples=200)
@given(
    st.lists(st.tuples(st.floats(-500, 500), st.floats(-500, 500)), min_size=4, max_size=4),
    st.tuples(st.integers(1, 300), st.integers(1, 300)),
    st.floats(0, 1),
)
def test_any_corners_on_any_picture(points: list[tuple[float, float]], size: tuple[int, int], margin: float) -> None:
    picture = np.full((size[1], size[0], 3), 77, np.uint8)
    result = warp_plate(picture, Corners.from_points(points), 96, 32, margin, margin)
    assert (result == 77).all()


@pytest.mark.parametrize("size", [(40000, 40), (40, 40000)])
def test_plates_on_pictures_wider_than_opencv_warps(size: tuple[int, int]) -> None:
    picture = np.full((size[1], size[0], 3), 9, np.uint8)
    for box in (Box(0, 0, *size), Box(size[0] - 30, size[1] - 20, *size)):
        assert (warp_plate(picture, Corners.from_box(box), 128, 32, 0.05, 0.05) == 9).all()


def test_a_file_object_is_not_a_picture() -> None:
    with pytest.raises(TypeError):
        Image.from_bytes(io.BytesIO(b""))  # type: ignore[arg-type]


def test_a_picture_comes_from_whatever_is_at_hand_and_is_named_after_it(tmp_path: Path) -> None:
    pixels = np.arange(6 * 8 * 3, dtype=np.uint8).reshape(6, 8, 3)
    data = encode_png(Image.from_array(pixels))
    path = tmp_path / "a.png"
    path.write_bytes(data)
    for source, name in ((pixels, "array"), (data, "bytes"), (memoryview(data), "bytes"), (path, str(path))):
        assert np.array_equal(Image.from_source(source).pixels, pixels)
        assert source_name(source) == name
