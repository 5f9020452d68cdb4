"""Standard Webhooks signatures: three headers by which a receiver knows who sent a message, and when."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Iterable
from datetime import datetime
from typing import Final

from openplate.errors import RequestError

PREFIX: Final = "whsec_"
SHORTEST_KEY: Final = 24
LONGEST_KEY: Final = 64


def new_secret() -> str:
    """A secret for a target: "whsec_" and 32 random bytes in base64."""
    return PREFIX + base64.b64encode(secrets.token_bytes(32)).decode("ascii")


def key_of(secret: str) -> bytes:
    """The key in a secret, 24 to 64 bytes.

    Raises:
        RequestError: it is not base64 of that length; "whsec_" before it may be left out.
    """
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError) as error:
        raise RequestError("the secret must be base64, as in whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw") from error
    if not SHORTEST_KEY <= len(key) <= LONGEST_KEY:
        raise RequestError(f"the secret must have {SHORTEST_KEY} to {LONGEST_KEY} bytes before base64")
    return key


def signature_headers(secret: str, message_id: str, sent_at: datetime, body: Iterable[bytes]) -> dict[str, str]:
    """The headers for one attempt: the id stays, the time and so the signature are of this attempt.

    Args:
        secret: as ``key_of`` takes it.
        message_id: stable over all attempts.
        sent_at: when this attempt is made.
        body: the very bytes that are sent, in pieces.
    """
    timestamp = str(int(sent_at.timestamp()))
    signed = hmac.new(key_of(secret), f"{message_id}.{timestamp}.".encode(), hashlib.sha256)
    for piece in body:
        signed.update(piece)
    signature = base64.b64encode(signed.digest()).decode("ascii")
    return {"webhook-id": message_id, "webhook-timestamp": timestamp, "webhook-signature": f"v1,{signature}"}
