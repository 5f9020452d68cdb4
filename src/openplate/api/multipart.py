"""multipart/form-data as it comes from real clients, from a body that is there as a whole.

The body is bounded before it gets here and has to be held anyway, for the picture is most of it. Every step
searches in native code and moves forward, so that a hostile body costs time in proportion to its length.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote_to_bytes

from openplate.errors import RequestError

_HEADER_BYTES: Final = 8192
_MOST_PARAMETERS: Final = 16
_LONGEST_BOUNDARY: Final = 200  # RFC 2046 says 70; some clients do not care


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a form: ``filename`` is None for a plain field."""

    name: str
    filename: str | None
    encoding: str
    data: bytes


def parse_multipart(body: bytes | bytearray, boundary: str, max_parts: int) -> list[Part]:
    """The parts in their order; what stands before the first and after the last boundary is ignored.

    Args:
        body: the whole body.
        boundary: as in the Content-Type header.
        max_parts: more are refused.

    Raises:
        RequestError: it is not such a form, or has too many parts.
    """
    if not 1 <= len(boundary) <= _LONGEST_BOUNDARY or not boundary.isascii():
        raise RequestError("The Content-Type header has no usable boundary for the parts of the form.")
    opening = b"--" + boundary.encode("ascii")
    position = _first_boundary(body, opening)
    view = memoryview(body)
    parts: list[Part] = []
    while True:
        ending = bytes(view[position : position + 2])
        if ending == b"--":
            return parts
        start = _after_line(body, position)
        if len(parts) == max_parts:
            raise RequestError(f"The form has more than {max_parts} parts.")
        data_start, headers = _headers(body, start)
        data_end = body.find(b"\r\n" + opening, data_start - 2)  # an empty part shares its line break
        if data_end < 0:
            raise RequestError("The form ends within a part: its last boundary is missing. Was the upload cut off?")
        parts.append(_part(headers, bytes(view[data_start : max(data_start, data_end)])))
        position = data_end + 2 + len(opening)


def _first_boundary(body: bytes | bytearray, opening: bytes) -> int:
    if body.startswith(opening):
        return len(opening)
    found = body.find(b"\r\n" + opening)
    if found < 0:
        raise RequestError("The body has no part: the boundary that the Content-Type header names is not in it.")
    return found + 2 + len(opening)


def _after_line(body: bytes | bytearray, position: int) -> int:
    """Where the line of a boundary ends; RFC 2046 allows spaces there."""
    end = body.find(b"\r\n", position, position + 64)
    if end < 0 or body[position:end].strip(b" \t"):
        raise RequestError("The form has a line that begins with its boundary but is none.")
    return end + 2


def _headers(body: bytes | bytearray, start: int) -> tuple[int, dict[str, str]]:
    """Where the data of a part begin, and its headers by lower-case name."""
    if body.startswith(b"\r\n", start):
        return start + 2, {}
    end = body.find(b"\r\n\r\n", start, start + _HEADER_BYTES)
    if end < 0:
        raise RequestError("A part of the form has headers that do not end or are too long.")
    headers = {}
    for line in body[start:end].decode("utf-8", "replace").split("\r\n"):
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    return end + 4, headers


def _part(headers: dict[str, str], data: bytes) -> Part:
    _, parameters = parse_parameters(headers.get("content-disposition", ""))
    filename = parameters.get("filename")
    if "filename*" in parameters:
        filename = _extended(parameters["filename*"])
    name = parameters.get("name", "")
    if not name:
        raise RequestError("A part of the form has no name.")
    return Part(name, filename, headers.get("content-transfer-encoding", "").lower(), data)


def parse_parameters(value: str) -> tuple[str, dict[str, str]]:
    """``form-data; name="upload"`` as ("form-data", {"name": "upload"}); names come in lower case.

    A backslash escapes only a quote or a backslash that precedes one: some clients send Windows paths as they are.

    Raises:
        RequestError: a quoted value does not end.
    """
    kind, _, rest = value.partition(";")
    parameters: dict[str, str] = {}
    while rest and len(parameters) < _MOST_PARAMETERS:
        name, equals, rest = rest.partition("=")
        name = name.rpartition(";")[2].strip().lower()
        if not equals:
            break
        rest = rest.lstrip(" \t")
        if rest.startswith('"'):
            text, rest = _quoted(rest)
        else:
            text, _, rest = rest.partition(";")
            text = text.strip()
        parameters.setdefault(name, text)
    return kind.strip().lower(), parameters


def _quoted(text: str) -> tuple[str, str]:
    """The content of the quoted string that ``text`` begins with, and what follows it."""
    pieces: list[str] = []
    start = 1
    while True:
        end = text.find('"', start)
        if end < 0:
            raise RequestError("A header has a quoted value that does not end.")
        pieces.append(text[start:end])
        if end == start or text[end - 1] != "\\" or text[end + 1 : end + 3].lstrip(" \t")[:1] in ("", ";"):
            break
        pieces[-1] = pieces[-1][:-1] + '"'
        start = end + 1
    return "".join(pieces), text[end + 1 :]


def _extended(value: str) -> str:
    """RFC 5987: ``UTF-8''caf%C3%A9.jpg``."""
    charset, _, rest = value.partition("'")
    data = unquote_to_bytes(rest.partition("'")[2])
    latin = charset.strip().lower() in ("iso-8859-1", "latin-1", "latin1")
    return data.decode("latin-1" if latin else "utf-8", "replace")
