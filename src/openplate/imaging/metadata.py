"""What a picture file says beside its pixels: taken out of one file, made safe, put into another.

EXIF often holds a small copy of the picture, with the plates in it, so keeping metadata means emptying that first.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

_JPEG, _PNG = b"\xff\xd8", b"\x89PNG\r\n\x1a\n"
_EXIF_HEAD, _XMP_HEAD, _ICC_HEAD = b"Exif\0\0", b"http://ns.adobe.com/xap/1.0/\0", b"ICC_PROFILE\0"
_XMP_KEYWORD = b"XML:com.adobe.xmp\0"
_ORIENTATION, _THUMBNAIL_AT, _THUMBNAIL_LENGTH, _EXIF_IFD, _MAKER_NOTE = 0x0112, 0x0201, 0x0202, 0x8769, 0x927C
_MOST_ENTRIES = 1000
_MOST_INFLATED = 16 * 2**20
_LONGEST_SEGMENT = 65_533


@dataclass(frozen=True, slots=True)
class Metadata:
    """The blocks as the standards have them: EXIF from its TIFF header on, an XMP packet, an ICC profile."""

    exif: bytes | None = None
    xmp: bytes | None = None
    icc: bytes | None = None


def read_metadata(data: bytes) -> Metadata:
    """The metadata of a JPEG, PNG or WebP file; empty for others and for what is broken."""
    try:
        if data.startswith(_JPEG):
            return _from_jpeg(data)
        if data.startswith(_PNG):
            return _from_png(data)
        if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
            return _from_webp(data)
    except (struct.error, zlib.error, IndexError, ValueError):
        pass
    return Metadata()


def safe_metadata(metadata: Metadata) -> Metadata:
    """The same for a picture that is turned upright, without small copies of the picture.

    EXIF: orientation 1, thumbnail and the maker's own notes (which may hold a preview) emptied; a block that cannot
    be understood is left out. XMP with a thumbnail or an orientation is left out.
    """
    xmp = metadata.xmp
    if xmp is not None and (b"Thumbnails" in xmp or b"tiff:Orientation" in xmp):
        xmp = None
    return Metadata(None if metadata.exif is None else _safe_exif(metadata.exif), xmp, metadata.icc)


def with_metadata(encoded: bytes, metadata: Metadata) -> bytes:
    """A JPEG or PNG file, as encoders write it, with that metadata in it.

    Raises:
        ValueError: it is a file of another kind.
    """
    if encoded.startswith(_JPEG):
        return _JPEG + b"".join(_jpeg_segments(metadata)) + encoded[2:]
    if encoded.startswith(_PNG):
        head = len(_PNG) + 25  # the header chunk always comes first and has 13 bytes
        return encoded[:head] + b"".join(_png_chunks(metadata)) + encoded[head:]
    raise ValueError("metadata can be put into JPEG and PNG files only")


# --- reading ------------------------------------------------------------------------------------------


def _from_jpeg(data: bytes) -> Metadata:
    exif = xmp = None
    profile: dict[int, bytes] = {}
    position = 2
    while position + 4 <= len(data) and data[position] == 0xFF:
        marker = data[position + 1]
        (length,) = struct.unpack_from(">H", data, position + 2)
        if marker == 0xDA or length < 2:
            break
        body = data[position + 4 : position + 2 + length]
        if marker == 0xE1 and body.startswith(_EXIF_HEAD) and exif is None:
            exif = body[len(_EXIF_HEAD) :]
        elif marker == 0xE1 and body.startswith(_XMP_HEAD) and xmp is None:
            xmp = body[len(_XMP_HEAD) :]
        elif marker == 0xE2 and body.startswith(_ICC_HEAD):
            profile[body[len(_ICC_HEAD)]] = body[len(_ICC_HEAD) + 2 :]
        position += 2 + length
    return Metadata(exif, xmp, b"".join(profile[number] for number in sorted(profile)) or None)


def _from_png(data: bytes) -> Metadata:
    exif = xmp = icc = None
    position = len(_PNG)
    while position + 12 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, position)
        body = data[position + 8 : position + 8 + length]
        if kind == b"eXIf":
            exif = body
        elif (
            kind == b"iTXt"
            and body.startswith(_XMP_KEYWORD)
            and body[len(_XMP_KEYWORD) : len(_XMP_KEYWORD) + 1] == b"\0"
        ):
            xmp = body[len(_XMP_KEYWORD) + 2 :].split(b"\0", 2)[2]
        elif kind == b"iCCP":
            icc = zlib.decompressobj().decompress(body.split(b"\0", 1)[1][1:], _MOST_INFLATED)
        position += 12 + length
    return Metadata(exif, xmp, icc)


def _from_webp(data: bytes) -> Metadata:
    found: dict[bytes, bytes] = {}
    position = 12
    while position + 8 <= len(data):
        kind, length = struct.unpack_from("<4sI", data, position)
        found.setdefault(kind, data[position + 8 : position + 8 + length])
        position += 8 + length + length % 2
    exif = found.get(b"EXIF")
    return Metadata(
        exif.removeprefix(_EXIF_HEAD) if exif else None, found.get(b"XMP ") or None, found.get(b"ICCP") or None
    )


# --- making it safe -----------------------------------------------------------------------------------


def _safe_exif(exif: bytes) -> bytes | None:
    block = bytearray(exif)
    if bytes(block[:4]) not in (b"II*\0", b"MM\0*"):
        return None
    order: Literal["<", ">"] = "<" if block[:2] == b"II" else ">"
    try:
        (first,) = struct.unpack_from(order + "I", block, 4)
        following = _clean_directory(block, order, first)
        if following:
            _clean_directory(block, order, following)
    except struct.error:
        return None
    return bytes(block)


def _clean_directory(block: bytearray, order: Literal["<", ">"], at: int) -> int:
    """Sets the orientation, empties thumbnails and maker's notes, looks into the EXIF directory below it; where the
    next directory begins (0: nowhere). struct.error where it leaves the block.
    """
    (count,) = struct.unpack_from(order + "H", block, at)
    if count > _MOST_ENTRIES:
        raise struct.error("too many entries")
    values: dict[int, tuple[int, int]] = {}
    for entry in range(at + 2, at + 2 + 12 * count, 12):
        tag, kind, length, value = struct.unpack_from(order + "HHII", block, entry)
        values[tag] = (length, value)
        if tag == _ORIENTATION:
            struct.pack_into(order + "HIHH", block, entry + 2, 3, 1, 1, 0)
        elif tag == _MAKER_NOTE:
            _empty(block, value if length > 4 else entry + 8, length)
        elif tag == _EXIF_IFD and kind == 4 and value != at:
            _clean_directory_once(block, order, value)
    if _THUMBNAIL_AT in values and _THUMBNAIL_LENGTH in values:
        _empty(block, values[_THUMBNAIL_AT][1], values[_THUMBNAIL_LENGTH][1])
    (following,) = struct.unpack_from(order + "I", block, at + 2 + 12 * count)
    return int(following)


def _clean_directory_once(block: bytearray, order: Literal["<", ">"], at: int) -> None:
    """The maker's notes of the EXIF directory; it has no directories below it that matter."""
    (count,) = struct.unpack_from(order + "H", block, at)
    for entry in range(at + 2, at + 2 + 12 * min(count, _MOST_ENTRIES), 12):
        tag, _, length, value = struct.unpack_from(order + "HHII", block, entry)
        if tag == _MAKER_NOTE:
            _empty(block, value if length > 4 else entry + 8, length)


def _empty(block: bytearray, start: int, length: int) -> None:
    end = min(start + length, len(block))
    if start < end:
        block[start:end] = bytes(end - start)


# --- writing ------------------------------------------------------------------------------------------


def _jpeg_segments(metadata: Metadata) -> Iterator[bytes]:
    """A block that does not fit into one segment is left out, but for the profile, which may have several."""
    for head, block in ((_EXIF_HEAD, metadata.exif), (_XMP_HEAD, metadata.xmp)):
        if block is not None and len(head) + len(block) <= _LONGEST_SEGMENT:
            yield _segment(0xE1, head + block)
    room = _LONGEST_SEGMENT - len(_ICC_HEAD) - 2
    pieces = [metadata.icc[i : i + room] for i in range(0, len(metadata.icc), room)] if metadata.icc else []
    if len(pieces) < 256:
        for number, piece in enumerate(pieces, 1):
            yield _segment(0xE2, _ICC_HEAD + bytes((number, len(pieces))) + piece)


def _segment(marker: int, body: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body


def _png_chunks(metadata: Metadata) -> Iterator[bytes]:
    if metadata.icc:
        yield _chunk(b"iCCP", b"profile\0\0" + zlib.compress(metadata.icc))
    if metadata.exif:
        yield _chunk(b"eXIf", metadata.exif)
    if metadata.xmp:
        yield _chunk(b"iTXt", _XMP_KEYWORD + b"\0\0\0\0" + metadata.xmp)


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
