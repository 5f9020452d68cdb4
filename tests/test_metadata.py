"""Metadata: kept without the small copies of the picture that it may hold; broken blocks harm nothing."""

from __future__ import annotations

import struct

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from openplate.imaging import Image, encode_jpeg, encode_png
from openplate.imaging.metadata import Metadata, read_metadata, safe_metadata, with_metadata

PICTURE = Image(np.full((40, 60, 3), 90, np.uint8))
SECRET = b"THUMBNAIL-WITH-PLATE"
NOTE = b"MAKERS-PREVIEW"


def make_exif(order: str = "<", orientation: int = 6) -> bytes:
    """A TIFF block with orientation, an EXIF directory with a maker's note, and a thumbnail directory."""
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", 8)
    exif_at, thumbnail_at = 8 + 2 + 24 + 4, 8 + 2 + 24 + 4 + 2 + 12 + 4
    data_at = thumbnail_at + 2 + 24 + 4
    first = struct.pack(order + "H", 2)
    first += struct.pack(order + "HHIHH", 0x0112, 3, 1, orientation, 0)
    first += struct.pack(order + "HHII", 0x8769, 4, 1, exif_at)
    first += struct.pack(order + "I", thumbnail_at)
    exif = struct.pack(order + "H", 1) + struct.pack(order + "HHII", 0x927C, 7, len(NOTE), data_at + len(SECRET))
    exif += struct.pack(order + "I", 0)
    thumbnail = struct.pack(order + "H", 2)
    thumbnail += struct.pack(order + "HHII", 0x0201, 4, 1, data_at)
    thumbnail += struct.pack(order + "HHII", 0x0202, 4, 1, len(SECRET))
    thumbnail += struct.pack(order + "I", 0)
    return head + first + exif + thumbnail + SECRET + NOTE


@pytest.mark.parametrize("encode", [encode_jpeg, encode_png])
@pytest.mark.parametrize(
    "metadata",
    [
        Metadata(),
        Metadata(exif=make_exif()),
        Metadata(xmp=b"<x:xmpmeta>here</x:xmpmeta>"),
        Metadata(icc=bytes(range(256)) * 600),  # several segments of a JPEG
        Metadata(make_exif(">"), b"<x/>", b"profile"),
    ],
)
def test_what_is_put_in_comes_out(encode: object, metadata: Metadata) -> None:
    encoded = with_metadata(encode(PICTURE), metadata)  # type: ignore[operator]
    assert read_metadata(encoded) == metadata
    decoded = cv2.imdecode(np.frombuffer(encoded, np.uint8), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    assert decoded.shape == (40, 60, 3)


def test_a_webp_file_is_read() -> None:
    exif = make_exif()
    chunks = b"".join(
        kind + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)
        for kind, body in (
            (b"VP8X", bytes(10)),
            (b"ICCP", b"profile"),
            (b"EXIF", b"Exif\0\0" + exif),
            (b"XMP ", b"<x/>"),
        )
    )
    data = b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WEBP" + chunks
    assert read_metadata(data) == Metadata(exif, b"<x/>", b"profile")


@pytest.mark.parametrize("order", ["<", ">"])
def test_kept_exif_is_upright_and_shows_no_plate(order: str) -> None:
    exif = safe_metadata(Metadata(exif=make_exif(order))).exif
    assert exif is not None
    assert len(exif) == len(make_exif(order))
    assert SECRET not in exif
    assert NOTE not in exif
    upright = Image.from_bytes(with_metadata(encode_jpeg(PICTURE), Metadata(exif=exif)))
    turned = Image.from_bytes(with_metadata(encode_jpeg(PICTURE), Metadata(exif=make_exif(order))))
    assert (upright.width, upright.height) == (60, 40)
    assert (turned.width, turned.height) == (40, 60)


@pytest.mark.parametrize("packet", [b"<xmp:Thumbnails>..", b"<a tiff:Orientation='6'/>"])
def test_xmp_that_would_show_or_turn_the_picture_is_left_out(packet: bytes) -> None:
    assert safe_metadata(Metadata(xmp=packet, icc=b"p")) == Metadata(icc=b"p")


@pytest.mark.parametrize("data", [b"", b"\xff\xd8\xff\xe1", b"\x89PNG\r\n\x1a\nxx", b"RIFF....WEBP", b"BM no metadata"])
def test_broken_files_have_none(data: bytes) -> None:
    assert read_metadata(data) == Metadata()


@given(st.binary(max_size=200), st.integers(0, 80), st.binary(max_size=6))
def test_no_block_does_harm(tail: bytes, at: int, spoilt: bytes) -> None:
    exif = bytearray(make_exif())
    exif[at : at + len(spoilt)] = spoilt
    for block in (bytes(exif), tail, b"II*\0" + tail):
        safe = safe_metadata(Metadata(exif=block)).exif
        assert safe is None or len(safe) == len(block)
    read_metadata(b"\xff\xd8" + tail)
    read_metadata(b"\x89PNG\r\n\x1a\n" + tail)
    read_metadata(b"RIFF\0\0\0\0WEBP" + tail)


def test_other_files_take_none() -> None:
    with pytest.raises(ValueError, match="JPEG and PNG"):
        with_metadata(b"BM", Metadata())
