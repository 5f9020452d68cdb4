"""The body of a request as fields and pictures, whatever form it comes in, bounded in bytes, parts and time."""

from __future__ import annotations

import binascii
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote_plus, unquote_to_bytes

from openplate.api.errors import HttpProblem
from openplate.api.exchange import Exchange
from openplate.api.multipart import Part, parse_multipart, parse_parameters
from openplate.api.ports import Picture, RequestLimits
from openplate.errors import Overloaded, RequestError, UploadTooLarge

FORM: Final = "application/x-www-form-urlencoded"
MULTIPART: Final = "multipart/form-data"

_NAME_OF_BASE64: Final = "upload.jpg"
_LONGEST_NAME: Final = 120
_ESCAPES: Final = 10_000
_WAIT_S: Final = 1.0
_BLANKS: Final = b" \t\r\n"
_COMMON: Final = (
    *((b"%2B", b"+"), (b"%2F", b"/"), (b"%3D", b"="), (b"%0A", b""), (b"%0D", b"")),
    *((b"%2b", b"+"), (b"%2f", b"/"), (b"%3d", b"="), (b"%0a", b""), (b"%0d", b"")),
)
"""What base64 has of percent signs when it is urlencoded, the most frequent first."""
_MAGIC: Final = (b"\xff\xd8\xff", b"\x89PNG", b"BM", b"RIFF", b"GIF8", b"II*\x00", b"MM\x00*")


@dataclass(frozen=True, slots=True)
class Form:
    """What a request says: text fields in their order, and files by the name of their field.

    ``unexpected`` names the fields with files that nobody asked for.
    """

    fields: Mapping[str, tuple[str, ...]]
    files: Mapping[str, Picture]
    unexpected: tuple[str, ...] = ()


class Room:
    """How many bytes of request bodies a process holds at one time; belongs to one event loop."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes, self.held = max_bytes, 0

    @contextmanager
    def share(self) -> Iterator[Share]:
        """The part of one request, given back at the end."""
        share = Share(self)
        try:
            yield share
        finally:
            self.held -= share.held

    def take(self, count: int) -> None:
        if self.held + count > self._max_bytes:
            raise Overloaded("The server holds as many uploads as it may. Try again in a moment.", _WAIT_S)
        self.held += count


class Share:
    """What one request holds of a room."""

    def __init__(self, room: Room) -> None:
        self._room, self.held = room, 0

    def take(self, count: int) -> None:
        """Raises Overloaded when there is no room for that many bytes more."""
        self._room.take(count)
        self.held += count


async def read_form(
    exchange: Exchange, limits: RequestLimits, share: Share, files: tuple[str, ...] = ("upload",)
) -> Form:
    """Reads the body and takes it apart.

    Args:
        exchange: the request.
        limits: on the body.
        share: where its bytes are counted.
        files: fields that hold files; as text they are base64, or a whole ``data:`` URI.

    Raises:
        UploadTooLarge: the body is larger than ``limits.max_body_bytes``; found out while it comes in.
        RequestError: it cannot be understood.
        HttpProblem: 408, it came too slowly; 415, it is of another type.
        Overloaded: no room for it.
    """
    media, parameters = parse_parameters(exchange.header("content-type") or "")
    if media not in (MULTIPART, FORM) and not _is_json(media) and (media or exchange.content_length):
        raise HttpProblem.of(
            415, f'Unsupported media type "{media[:100]}" in request. Send {MULTIPART}, {FORM} or application/json.'
        )
    body = await _read_body(exchange, limits, share)
    if not body:
        return Form({}, {})
    if media == MULTIPART:
        parts = parse_multipart(body, parameters.get("boundary", ""), limits.max_parts)
        return _form_of_parts(parts, limits, files)
    if media == FORM:
        return _form_of_pairs(body, limits, files)
    return _form_of_json(body, limits, files)


async def _read_body(exchange: Exchange, limits: RequestLimits, share: Share) -> bytearray:
    too_large = UploadTooLarge(f"The request is larger than the limit of {_mebibytes(limits.max_body_bytes)}.")
    if (exchange.content_length or 0) > limits.max_body_bytes:
        raise too_large
    body = bytearray()
    async for chunk in exchange.chunks(limits.body_deadline_s):
        if len(body) + len(chunk) > limits.max_body_bytes:
            raise too_large
        share.take(len(chunk))
        body += chunk
    return body


def _is_json(media: str) -> bool:
    return media == "application/json" or media.endswith("+json")


def _mebibytes(count: int) -> str:
    return f"{count / 2**20:.3g} MiB" if count >= 2**17 else f"{count} bytes"


def _form_of_parts(parts: list[Part], limits: RequestLimits, files: tuple[str, ...]) -> Form:
    fields: dict[str, tuple[str, ...]] = {}
    pictures: dict[str, Picture] = {}
    unexpected = tuple(dict.fromkeys(p.name[:60] for p in parts if p.filename is not None and p.name not in files))
    for part in parts:
        if part.name in files:
            picture = _picture_of_part(part)
            if picture.data:
                pictures[part.name] = picture
        elif part.filename is None:
            _check_length(part.name, len(part.data), limits)
            _add(fields, part.name, part.data.decode("utf-8", "replace"))
    return Form(fields, pictures, unexpected)


def _picture_of_part(part: Part) -> Picture:
    if part.filename is None and not part.data.startswith(_MAGIC):
        return Picture(decode_base64(part.data, part.name), _NAME_OF_BASE64)
    data = decode_base64(part.data, part.name) if part.encoding == "base64" else part.data
    return Picture(data, file_name(part.filename or "upload"))


def _form_of_pairs(body: bytearray, limits: RequestLimits, files: tuple[str, ...]) -> Form:
    """name=value&name=value, percent-encoded."""
    fields: dict[str, tuple[str, ...]] = {}
    pictures: dict[str, Picture] = {}
    pairs = body.split(b"&", limits.max_parts)
    if len(pairs) > limits.max_parts:
        raise RequestError(f"The form has more than {limits.max_parts} fields.")
    for pair in pairs:
        key, _, value = pair.partition(b"=")
        _check_length("", len(key), limits)
        name = unquote_plus(key.decode("latin-1"), errors="replace")
        if name in files:
            if value:
                pictures[name] = Picture(decode_base64(_unescape(bytes(value), name), name), _NAME_OF_BASE64)
        elif name:
            _check_length(name, len(value), limits)
            _add(fields, name, unquote_plus(value.decode("latin-1"), errors="replace"))
    return Form(fields, pictures)


def _unescape(value: bytes, name: str) -> bytes:
    """Percent-encoded base64 as base64. A plus stays one: many clients forget to encode it."""
    for code, character in _COMMON:
        if b"%" not in value:
            return value
        value = value.replace(code, character)
    if value.count(b"%") > _ESCAPES:  # unquoting is slow for many, and base64 has no need of others
        raise _no_base64(name)
    return unquote_to_bytes(value)


def _form_of_json(body: bytearray, limits: RequestLimits, files: tuple[str, ...]) -> Form:
    """An object: texts as they are, lists as repeated fields, other values as their JSON text."""
    try:
        tree = json.loads(body)
    except (ValueError, RecursionError) as error:
        reason = str(error) if isinstance(error, json.JSONDecodeError) else "it cannot be read"
        raise RequestError(f"The body is not JSON: {reason}.") from None
    if not isinstance(tree, dict):
        raise RequestError("The body must be a JSON object with fields such as upload_url and regions.")
    if len(tree) > limits.max_parts:
        raise RequestError(f"The object has more than {limits.max_parts} fields.")
    fields: dict[str, tuple[str, ...]] = {}
    pictures: dict[str, Picture] = {}
    for name, value in tree.items():
        if name in files and isinstance(value, str):
            if value:
                pictures[name] = Picture(decode_base64(value.encode("ascii", "replace"), name), _NAME_OF_BASE64)
        elif value is not None:
            _add_json(fields, name, value, limits)
    return Form(fields, pictures)


def _add_json(fields: dict[str, tuple[str, ...]], name: str, value: object, limits: RequestLimits) -> None:
    items = value if isinstance(value, list) else [value]
    if len(items) > limits.max_parts:
        raise RequestError(f"The field {name[:60]!r} has more than {limits.max_parts} values.")
    for item in items:
        try:
            text = item if isinstance(item, str) else json.dumps(item)
        except (ValueError, RecursionError):
            raise RequestError(f"The field {name[:60]!r} holds a value that cannot be used.") from None
        _check_length(name, len(text), limits)
        _add(fields, name, text.encode("utf-8", "replace").decode())  # a lone surrogate fits no database


def _check_length(name: str, length: int, limits: RequestLimits) -> None:
    if length > limits.max_field_bytes:
        raise RequestError(f"The field {name[:60]!r} is longer than {limits.max_field_bytes} bytes.")


def _add(fields: dict[str, tuple[str, ...]], name: str, value: str) -> None:
    if "\x00" in value or "\x00" in name:  # PostgreSQL cannot store it, and no honest client sends it
        raise RequestError(f"The field {name[:60]!r} contains a NUL character.")
    fields[name] = (*fields.get(name, ()), value)


def decode_base64(text: bytes, name: str = "upload") -> bytes:
    """Base64 of either alphabet, with or without line breaks, padding and a ``data:...;base64,`` before it.

    Raises:
        RequestError: it is none.
    """
    if text[:5].lower() == b"data:":
        head, comma, text = text.partition(b",")
        if not comma or not head.lower().rstrip().endswith(b";base64"):
            raise RequestError(f"The field {name!r} holds a data: URI that is not base64.")
    text = text.translate(bytes.maketrans(b"-_", b"+/"), _BLANKS).rstrip(b"=")
    try:
        return binascii.a2b_base64(text + b"=" * (-len(text) % 4), strict_mode=True)
    except binascii.Error:
        raise _no_base64(name) from None


def _no_base64(name: str) -> RequestError:
    return RequestError(f"The field {name!r} is neither a file nor the base64 text of one.")


def file_name(sent: str) -> str:
    """The last part of a path as some client sent it: no folders, no control characters, at most 120 characters."""
    name = sent.replace("\\", "/").rpartition("/")[2]
    name = "".join(c for c in name if c.isprintable()).strip()
    if len(name) > _LONGEST_NAME:
        stem, dot, suffix = name.rpartition(".")
        suffix = dot + suffix if stem and len(suffix) <= 10 else ""
        name = name[: _LONGEST_NAME - len(suffix)] + suffix
    return name if name.strip(". ") else "upload"
