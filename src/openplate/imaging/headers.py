"""What a file says about itself before anything of it is decoded: format, size, EXIF orientation.

Standard library only, a few microseconds, and never more than the header is read: this is what keeps a
picture of 30,000 x 30,000 pixels in a file of a few hundred bytes from being unpacked.
"""

from __future__ import annotations

import codecs
import contextlib
import re
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from openplate.errors import UndecodableImage

ACCEPTED = "JPEG, PNG, WebP, BMP, GIF, TIFF and PBM/PGM/PPM pictures are accepted"

_ORIENTATION_TAG = 274
_MOST_TAGS = 1000  # of a TIFF or EXIF directory: real ones have a few dozen
_MOST_PARTS = 100_000  # of a JPEG, PNG or WebP: the largest real ones have a few thousand


@dataclass(frozen=True, slots=True)
class Header:
    """``width`` and ``height`` are those of the stored pixels, before the ``orientation`` (EXIF, 1 to 8)."""

    format: str
    width: int
    height: int
    orientation: int = 1


@dataclass(frozen=True, slots=True)
class JpegHeader(Header):
    """``scan``: where the first scan begins. ``has_many_scans``: decoding takes several passes."""

    scan: int = 0
    has_many_scans: bool = False


@dataclass(frozen=True, slots=True)
class PnmHeader(Header):
    """``kind``: 1 to 6 as in P1 to P6; ``maximum``: the sample of white; ``raster``: where samples begin."""

    kind: int = 6
    maximum: int = 255
    raster: int = 0


@dataclass(frozen=True, slots=True)
class TiffHeader(Header):
    """``is_inverted``: its 0 is white; ``alpha``: TIFF's code for the fourth sample, 0 where it is something
    else; ``orientation_at``: offset and struct code of that tag.
    """

    is_inverted: bool = False
    alpha: int = 0
    orientation_at: tuple[int, str] | None = None


def read_header(data: bytes) -> Header:
    """The header of an encoded picture. Raises UndecodableImage where there is none."""
    for name, pattern, read in _READERS:
        if pattern.match(data):
            try:
                header = read(data)
            except (struct.error, IndexError, ValueError, OverflowError) as error:
                raise UndecodableImage(f"truncated or damaged {name}: its header is not complete") from error
            if header.width < 1 or header.height < 1:
                raise UndecodableImage(f"damaged {name}: it has {header.width}x{header.height} pixels")
            return header
    raise UndecodableImage(f"{_describe(data)}; {ACCEPTED}")


def _describe(data: bytes) -> str:
    """What bytes that are no accepted picture look like, as a sentence's beginning."""
    if not data:
        return "the file is empty"
    start = data[:2000].removeprefix(codecs.BOM_UTF8).lstrip()
    for pattern, what in _STRANGERS:
        if pattern.match(start):
            return f"this is {what}, which cannot be used"
    with contextlib.suppress(UnicodeDecodeError):
        text = codecs.getincrementaldecoder("utf-8")().decode(start[:200])
        if all(character.isprintable() or character.isspace() for character in text):
            return f"this is text, not a picture (it begins {text[:24]!r})"
    return f"this is no known kind of picture (it begins with the bytes {data[:8].hex(' ')})"


# --- JPEG ---------------------------------------------------------------------------------------------


def _read_jpeg(data: bytes) -> JpegHeader:
    orientation, frame, frame_marker = 1, b"", 0
    for marker, start, stop in _jpeg_segments(data, 2):
        if marker == 0xE1 and data.startswith(b"Exif\0\0", start):
            orientation = exif_orientation(data[start + 6 : stop])
        elif 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            frame, frame_marker = data[start:stop], marker
        elif marker == 0xDA:
            if not frame:
                break
            height, width, components = struct.unpack_from(">HHB", frame, 1)
            # SOF2, 6, 10 and 14 are progressive; in the others a scan of few components needs more after it.
            is_progressive = frame_marker % 4 == 2
            has_many_scans = is_progressive or data[start] < components
            return JpegHeader("JPEG", width, height, orientation, start, has_many_scans)
    raise UndecodableImage("truncated or damaged JPEG: it ends before its picture data")


def _jpeg_segments(data: bytes, position: int) -> Iterator[tuple[int, int, int]]:
    """Markers with the bounds of their contents, passing over what lies between them, up to the end."""
    for _ in range(_MOST_PARTS):
        match = _JPEG_MARKER.search(data, position)
        if match is None:
            return
        marker, position = data[match.end() - 1], match.end()
        if marker == 0xD9:
            return
        if position + 2 > len(data):
            return
        stop = position + int.from_bytes(data[position : position + 2], "big")
        yield marker, position + 2, stop
        position = stop


def count_scans(data: bytes, first: int, most: int) -> int:
    """How many scans follow in a JPEG from the contents of its ``first`` on; no further than ``most``."""
    count = 1
    for marker, _, _ in _jpeg_segments(data, first):
        count += marker == 0xDA
        if count >= most:
            break
    return count


def without_stray_bytes(data: bytes, header: JpegHeader) -> bytes:
    """The same JPEG without what lies between its segments in front of the first scan."""
    parts = [data[:2]]
    for marker, start, stop in _jpeg_segments(data, 2):
        if marker == 0xDA:
            break
        parts.append(data[start - 4 : stop])
    return b"".join(parts) + data[header.scan - 4 :]


def exif_orientation(data: bytes) -> int:
    """The orientation (1 to 8) in an EXIF block, 1 where the block is broken or says nothing sensible."""
    try:
        tags, _ = _read_directory(data)
    except (struct.error, OverflowError, UndecodableImage):
        return 1
    value = tags.get(_ORIENTATION_TAG, 1)
    return value if 1 <= value <= 8 else 1


# --- TIFF (and EXIF, which is one) --------------------------------------------------------------------


def _read_directory(data: bytes) -> tuple[dict[int, int], dict[int, tuple[int, str]]]:
    """First values of the first directory's integer tags, and where they are stored (offset, struct code)."""
    order = {b"II": "<", b"MM": ">"}.get(data[:2])
    if order is None:
        raise UndecodableImage("damaged TIFF: no byte order")
    (version,) = struct.unpack_from(order + "H", data, 2)
    is_big = version == 43
    (start,) = struct.unpack_from(order + ("Q" if is_big else "L"), data, 8 if is_big else 4)
    (count,) = struct.unpack_from(order + ("Q" if is_big else "H"), data, start)
    entry_size, inline, start = (20, 12, start + 8) if is_big else (12, 8, start + 2)
    codes = {1: "B", 3: "H", 4: "L", 16: "Q"}
    values: dict[int, int] = {}
    places: dict[int, tuple[int, str]] = {}
    for entry in range(start, start + entry_size * min(count, _MOST_TAGS), entry_size):
        tag, kind = struct.unpack_from(order + "HH", data, entry)
        (length,) = struct.unpack_from(order + ("Q" if is_big else "L"), data, entry + 4)
        if kind in codes and length * struct.calcsize("=" + codes[kind]) <= entry_size - inline and length:
            place = entry + inline, order + codes[kind]
            values[tag], places[tag] = struct.unpack_from(place[1], data, place[0])[0], place
    return values, places


def _read_tiff(data: bytes) -> TiffHeader:
    tags, places = _read_directory(data)
    if 256 not in tags or 257 not in tags:
        raise UndecodableImage("damaged TIFF: it does not state its size")
    orientation = tags.get(_ORIENTATION_TAG, 1)
    return TiffHeader(
        "TIFF",
        tags[256],
        tags[257],
        orientation if 1 <= orientation <= 8 else 1,
        tags.get(262) == 0,
        tags.get(338, 0),
        places.get(_ORIENTATION_TAG),
    )


# --- the others ---------------------------------------------------------------------------------------


def png_chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Names and bounds (of contents) of a PNG's chunks; the last may reach beyond the data."""
    position = 8
    for _ in range(_MOST_PARTS):
        if position + 8 > len(data):
            return
        start = position + 8
        stop = start + int.from_bytes(data[position : position + 4], "big")
        yield data[position + 4 : start], start, stop
        position = stop + 4


def _read_png(data: bytes) -> Header:
    if data[12:16] != b"IHDR":
        raise UndecodableImage("damaged PNG: it does not begin with a header")
    width, height = struct.unpack_from(">LL", data, 16)
    orientation = 1
    for name, start, stop in png_chunks(data):
        if name == b"eXIf":
            orientation = exif_orientation(data[start:stop])
        if name == b"IEND":
            break
    return Header("PNG", width, height, orientation)


def _read_webp(data: bytes) -> Header:
    kind = data[12:16]
    if kind == b"VP8 ":
        width, height = (side & 0x3FFF for side in struct.unpack_from("<HH", data, 26))
        return Header("WebP", width, height)
    if kind == b"VP8L":
        (bits,) = struct.unpack_from("<L", data, 21)
        return Header("WebP", (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1)
    if kind != b"VP8X":
        raise UndecodableImage("damaged WebP: it does not begin with a picture")
    width, height = (int.from_bytes(data[at : at + 3], "little") + 1 for at in (24, 27))
    orientation = 1
    for name, start, stop in _webp_chunks(data):
        if name == b"EXIF":
            orientation = exif_orientation(data[start:stop].removeprefix(b"Exif\0\0"))
    return Header("WebP", width, height, orientation)


def _webp_chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Names and bounds (of contents) of a WebP's chunks."""
    position = 12
    for _ in range(_MOST_PARTS):
        if position + 8 > len(data):
            return
        start = position + 8
        stop = start + int.from_bytes(data[position + 4 : start], "little")
        yield data[position : position + 4], start, stop
        position = stop + stop % 2


def _read_bmp(data: bytes) -> Header:
    (size,) = struct.unpack_from("<L", data, 14)
    width, height = struct.unpack_from("<HH" if size == 12 else "<ll", data, 18)
    return Header("BMP", width, abs(height))


def _read_gif(data: bytes) -> Header:
    width, height = struct.unpack_from("<HH", data, 6)
    return Header("GIF", width, height)


def _read_pnm(data: bytes) -> PnmHeader:
    kind, position, numbers = int(data[1:2]), 2, []
    for _ in range(2 if kind in (1, 4) else 3):
        match = _PNM_NUMBER.match(data, position)
        if match is None:
            raise UndecodableImage("truncated or damaged PNM: its header is not complete")
        numbers.append(int(match[1]))
        position = match.end()
    maximum = numbers[2] if len(numbers) == 3 else 1
    if not 1 <= maximum <= 65535:
        raise UndecodableImage(f"damaged PNM: its largest sample is said to be {maximum}")
    return PnmHeader("PNM", numbers[0], numbers[1], 1, kind, maximum, position + 1)


_JPEG_MARKER = re.compile(rb"\xff[^\x00\x01\xd0-\xd8\xff]", re.DOTALL)
_PNM_NUMBER = re.compile(rb"(?:\s|#[^\r\n]*[\r\n]){1,10000}([0-9]{1,9})(?=\s|#)")

_READERS: tuple[tuple[str, re.Pattern[bytes], Callable[[bytes], Header]], ...] = tuple(
    (name, re.compile(pattern, re.DOTALL), read)
    for name, pattern, read in (
        ("JPEG", rb"\xff\xd8\xff", _read_jpeg),
        ("PNG", rb"\x89PNG\r\n\x1a\n", _read_png),
        ("WebP", rb"RIFF....WEBP", _read_webp),
        ("TIFF", rb"II[*+]\0|MM\0[*+]", _read_tiff),
        ("GIF", rb"GIF8[79]a", _read_gif),
        ("PNM", rb"P[1-6][\s#]", _read_pnm),
        ("BMP", rb"BM.{12}[\x0c-\xff]\0\0\0", _read_bmp),
    )
)

_STRANGERS = tuple(
    (re.compile(pattern, re.DOTALL | re.IGNORECASE), what)
    for pattern, what in (
        (rb"<(?:!doctype\s+html|html|head|body)", "a web page (HTML)"),
        (rb"<svg|<\?xml.*<svg", "a drawing (SVG)"),
        (rb"<\?xml", "XML"),
        (rb"[{\[]\s*[\"{\[\]}0-9]", "JSON text"),
        (rb"%PDF", "a PDF document"),
        (rb"PK\x03\x04|PK\x05\x06", "a ZIP archive"),
        (rb"\x1f\x8b", "a gzip archive"),
        (rb"7z\xbc\xaf|Rar!|\xfd7zXZ|BZh", "an archive"),
        (rb"....ftyp(?:heic|heix|heif|hevc|mif1|msf1)", "an HEIC picture"),
        (rb"....ftyp(?:avif|avis)", "an AVIF picture"),
        (rb"....ftyp|\x1aE\xdf\xa3|RIFF....AVI |\0\0\x01[\xb3\xba]|FLV", "a video"),
        (rb"\0\0\0\x0cjP  |\xff\x4f\xff\x51", "a JPEG 2000 picture"),
        (rb"\xff\x0a|\0\0\0\x0cJXL ", "a JPEG XL picture"),
        (rb"8BPS", "a Photoshop file"),
        (rb"#\?RADIANCE|#\?RGBE|v/1\x01|P[Ff]\s", "a high-dynamic-range picture"),
        (rb"\0\0\x01\0", "an icon"),
        (rb"\x7fELF|MZ", "a program"),
        (rb"SQLite format 3", "a database"),
        (rb"\xff\xd8", "the beginning of a JPEG that is cut off"),
        (rb"\x89PNG", "the beginning of a PNG that is cut off or was changed by a text transfer"),
        (rb"\0{8}", "a block of zero bytes"),
    )
)
