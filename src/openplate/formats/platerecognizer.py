"""Plate Recognizer's Snapshot, as its clients see it: the whole answer to a request, and the parts it is made of."""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime

from openplate.datatypes import Recognition
from openplate.formats.platerecognizer_accounts import (
    UNLIMITED_CALLS,
    calls_used,
    encode,
    failure,
    info,
    method_not_allowed,
    not_found,
    statistics,
    throttled,
)
from openplate.formats.platerecognizer_parts import VEHICLE_TYPES, Flavour, cloud_time, sdk_time, webhook_time
from openplate.formats.platerecognizer_plates import snapshot_v1
from openplate.formats.platerecognizer_vehicle import snapshot_v2
from openplate.formats.snapshot_request import SnapshotRequest
from openplate.formats.webhook import ImageKind, sent_part, webhook_body

__all__ = [
    "UNLIMITED_CALLS",
    "VEHICLE_TYPES",
    "Flavour",
    "ImageKind",
    "answer",
    "cloud_time",
    "encode",
    "error",
    "failure",
    "info",
    "method_not_allowed",
    "not_found",
    "saved_filename",
    "sdk_time",
    "sent_part",
    "snapshot_v1",
    "snapshot_v2",
    "statistics",
    "throttled",
    "webhook_body",
    "webhook_time",
]

LONGEST_FILENAME = 150

_NO_NAME = "upload.jpg"
_NO_CAMERA = "null"  # the SDK's documentation shows the word, not JSON's null


def answer(
    recognition: Recognition,
    request: SnapshotRequest,
    *,
    flavour: Flavour,
    filename: str,
    received_at: datetime,
    usage: tuple[int, int | None] | None = None,
) -> dict[str, object]:
    """The body that answers a request: version 2 where vehicles without plates are asked for, else version 1.

    Args:
        recognition: what was found with the request's options.
        request: what was asked for.
        flavour: which product is spoken.
        filename: as ``saved_filename`` gives it.
        received_at: when the request came in, with its time zone; written where the client sent no time.
        usage: calls of the period and how many are allowed (None: no limit); written by the flavour "sdk" only.
    """
    snapshot = snapshot_v2 if request.config.vehicles_too else snapshot_v1
    own_time = sdk_time if flavour == "sdk" else cloud_time
    no_camera = _NO_CAMERA if flavour == "sdk" else None
    body = snapshot(
        recognition,
        filename=filename,
        timestamp=own_time(received_at) if request.timestamp_text is None else request.timestamp_text,
        camera_id=no_camera if request.camera_id is None else request.camera_id,
        include_unread=request.config.mode == "redaction",
        mmc=request.mmc,
        direction=request.direction,
    )
    return {**body, "usage": calls_used(*usage)} if flavour == "sdk" and usage is not None else body


def saved_filename(flavour: Flavour, original: str | None, at: datetime, token: str) -> str:
    """The name under which an upload is known: the last part of the client's, made harmless.

    The cloud service puts the hour and minute (UTC) and a random word before it: ``1617_7M83K_car.jpg``.

    Args:
        flavour: the SDK keeps the name.
        original: None or empty for a picture that came without a name, as base64.
        at: when it came, with its time zone.
        token: five random letters and digits.
    """
    name = _harmless(original or "")
    if flavour == "sdk":
        return name
    if at.tzinfo is None:
        raise ValueError("a time needs its time zone")
    return f"{at.astimezone(UTC):%H%M}_{token}_{name}"


def _harmless(original: str) -> str:
    last = original.replace("\\", "/").rsplit("/", 1)[-1]
    kept = "".join(c for c in last if unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Zl", "Zp"))
    name = "".join("_" if c in '<>:"|?*' else c for c in kept).strip(" .") if kept.strip(" .") else _NO_NAME
    if len(name) <= LONGEST_FILENAME:
        return name
    stem, dot, extension = name.rpartition(".")
    if not dot or len(extension) > 10:
        return name[:LONGEST_FILENAME]
    return stem[: LONGEST_FILENAME - len(extension) - 1] + dot + extension


def error(filename: str, message: str) -> dict[str, object]:
    """The vendor's error object, for a picture that could not be read; it never has ``results``."""
    return {**failure(400, message), "filename": filename}
