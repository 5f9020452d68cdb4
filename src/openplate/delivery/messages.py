"""What a receiver is sent: the body in its form, the target's own header, the signature; and what a target may be."""

from __future__ import annotations

import json
import logging
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final
from urllib.parse import quote_plus

from openplate.delivery.addresses import AddressPolicy, check_url
from openplate.delivery.connections import Body
from openplate.delivery.fetching import safe_filename
from openplate.delivery.signing import key_of, signature_headers
from openplate.errors import DeliveryError, RequestError
from openplate.storage.records import Attachment, Delivery, Target

DELIVERY_ID: Final = "openplate-delivery"
"""The header by which a receiver knows a message that it had before: the same over all attempts."""
LONGEST_HEADER: Final = 4096
LONGEST_EMAIL: Final = 254
CHECK_NAME_S: Final = 5.0

_log = logging.getLogger(__name__)

_HEADER_NAME: Final = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,200}")
_HEADER_VALUE: Final = re.compile(r"[\x21-\x7e]([\t\x20-\x7e]*[\x21-\x7e])?")
_FRAMING: Final = ("host", "content-length", "content-type", "content-encoding", "transfer-encoding", "connection")
_HOP: Final = ("keep-alive", "te", "trailer", "upgrade", "expect", "accept-encoding")
_SIGNATURE: Final = ("webhook-id", "webhook-timestamp", "webhook-signature")
_OWN_HEADERS: Final = frozenset((*_FRAMING, *_HOP, *_SIGNATURE, DELIVERY_ID))
_EMAIL: Final = re.compile(r"[^\s@<>,;:\"\x00-\x1f\x7f]+@[^\s@<>,;:\"\x00-\x1f\x7f]+")
_PLUS: Final = re.compile(r"(?<![0-9][eE])\+")  # not that of a number, as in 1e+20
_PICTURES: Final = ((b"\xff\xd8\xff", "image/jpeg"), (b"\x89PNG\r\n", "image/png"), (b"GIF8", "image/gif"))


def parse_header(text: str) -> tuple[str, str]:
    """``Name: value`` as a header's name and value.

    Raises:
        RequestError: it is none, or one that this program sets by itself.
    """
    name, colon, value = text.partition(":")
    value = value.strip(" \t")
    if (
        len(text) > LONGEST_HEADER
        or not colon
        or not _HEADER_NAME.fullmatch(name)
        or not _HEADER_VALUE.fullmatch(value)
    ):
        raise RequestError("the header must be one line of ASCII, as in Authorization: Token 0123abcd")
    if name.lower() in _OWN_HEADERS:
        raise RequestError(f"the header {name} is set by Openplate itself")
    return name, value


def check_target(
    url: str,
    addresses: AddressPolicy,
    *,
    header: str | None = None,
    secret: str | None = None,
    owner_email: str | None = None,
) -> None:
    """Checks what somebody wants to be told at. A name that has no address at present is let pass.

    Raises:
        AddressRefused: an address that may not be connected to.
        RequestError: another part is not acceptable.
    """
    parts = check_url(url)
    if header is not None:
        parse_header(header)
    if secret is not None:
        key_of(secret)
    if owner_email is not None and (len(owner_email) > LONGEST_EMAIL or not _EMAIL.fullmatch(owner_email)):
        raise RequestError("the owner's e-mail must be one address, as in gate@example.org")
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        addresses.allowed_addresses(parts.hostname or "", port, CHECK_NAME_S)
    except DeliveryError as error:
        _log.warning("webhook receiver %s: %s", parts.hostname, error)


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture of a form: its field, its file's name, and its bytes or where they are."""

    name: str
    filename: str
    content: bytes | Path


def body_of(target: Target, delivery: Delivery) -> Body:
    """The message in its form: JSON by itself, or for a target with pictures a form that begins with ``json``.

    A form without pictures, as Stream sends it where none are wanted, is URL-encoded.
    """
    if not delivery.attachments:
        if not target.images:
            return Body.of("application/json", [delivery.body.encode()])
        return Body.of("application/x-www-form-urlencoded", [_encoded(delivery.body)])
    there = [each for each in delivery.attachments if _is_there(each)]
    return form_of(delivery.body, [Picture(each.name, each.filename, each.path) for each in there])


def _encoded(text: str) -> bytes:
    """A JSON text as the only field of a form.

    Some receivers decode it twice, which would make spaces of the + of a time zone: JSON has another way to write it.
    """
    plain = _PLUS.sub(r"\\u002b", text).replace("%", r"\u0025")
    return f"json={quote_plus(plain)}".encode()


def form_of(text: str, pictures: Sequence[Picture]) -> Body:
    """A form with the field ``json`` and then the pictures; names are made harmless."""
    boundary = secrets.token_hex(16)
    pieces: list[bytes | Path] = [f'--{boundary}\r\nContent-Disposition: form-data; name="json"\r\n\r\n'.encode()]
    pieces += [text.encode(), b"\r\n"]
    for each in pictures:
        head = f'form-data; name="{safe_filename(each.name)}"; filename="{safe_filename(each.filename)}"'
        kind = _content_type(each.content)
        pieces.append(f"--{boundary}\r\nContent-Disposition: {head}\r\nContent-Type: {kind}\r\n\r\n".encode())
        pieces += [each.content, b"\r\n"]
    pieces.append(f"--{boundary}--\r\n".encode())
    return Body.of(f"multipart/form-data; boundary={boundary}", pieces)


def _is_there(attachment: Attachment) -> bool:
    if attachment.path.is_file():
        return True
    _log.error("the picture %s of a message is gone; the message is sent without it", attachment.path.name)
    return False


def _content_type(content: bytes | Path) -> str:
    beginning = content[:16] if isinstance(content, bytes) else _beginning(content)
    if beginning[:4] == b"RIFF" and beginning[8:12] == b"WEBP":
        return "image/webp"
    return next((kind for magic, kind in _PICTURES if beginning.startswith(magic)), "application/octet-stream")


def _beginning(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(16)


def headers_of(target: Target, delivery_id: str, sent_at: datetime, body: Body) -> dict[str, str]:
    """The delivery's id, the target's own header and, where it has a secret, the signature.

    Raises:
        RequestError: the header or the secret is not usable.
    """
    headers = {DELIVERY_ID: delivery_id}
    if target.header is not None:
        name, value = parse_header(target.header)
        headers[name.lower()] = value
    if target.secret is not None:
        headers |= signature_headers(target.secret, delivery_id, sent_at, body)
    return headers


def sample_body(target: Target, now: datetime) -> Body:
    """A message to try a target with, in the form of its real ones, of a call that found nothing."""
    data = {
        "processing_time": 0.0,
        "timestamp": now.strftime("%Y-%m-%dT%H:%M:%S.") + f"{now.microsecond // 1000:03d}Z",
        "results": [],
        "filename": "openplate_test.jpg",
        "version": 1,
        "camera_id": None,
    }
    text = json.dumps({"hook": {"target": target.url, "id": target.id, "event": target.event}, "data": data})
    if not target.images:
        return Body.of("application/json", [text.encode()])
    return form_of(text, [Picture("upload", "openplate_test.jpg", _grey_picture())])


def _grey_picture() -> bytes:
    import numpy as np

    from openplate.imaging import Image, encode_jpeg

    return encode_jpeg(Image.from_array(np.full((480, 640, 3), 128, np.uint8)))
