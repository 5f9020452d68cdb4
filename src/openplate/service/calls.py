"""One recognition call without its surroundings: what is looked for, found, kept and passed on. No clock, no I/O."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from pathlib import PurePath
from typing import Final

from openplate.datatypes import Box, Recognition
from openplate.formats import native
from openplate.formats.platerecognizer import sent_part, webhook_body
from openplate.formats.snapshot_request import SnapshotRequest
from openplate.imaging import Image, ImageLimits, crop, encode_jpeg
from openplate.imaging.headers import read_header
from openplate.options import RecognitionOptions
from openplate.pipeline import Recognizer
from openplate.service.values import Picture
from openplate.settings import Keep
from openplate.storage.records import Entry, File, ImageKind, Message, Target

_AROUND_PLATE: Final = 0.1  # of its width and height, in a kept picture of a plate
_FIRST_PART: Final = "upload"


@dataclass(frozen=True, slots=True)
class Call:
    """Who asked when for what.

    Attributes:
        id: 32 hex digits, its own.
        picture: as sent.
        filename: under which the answer knows it.
        request: what is asked for.
        token_id: of the caller, None without one.
        received_at: aware, UTC.
    """

    id: str
    picture: Picture
    filename: str
    request: SnapshotRequest
    token_id: int | None
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Done:
    """What was found, and what of it goes into the database."""

    recognition: Recognition
    entry: Entry


def options_of(request: SnapshotRequest) -> RecognitionOptions:
    """What a request asks of the recognizer."""
    config = request.config
    return RecognitionOptions(
        mode=config.mode,
        regions=request.regions,
        strict=config.region_strict,
        threshold_detection=config.threshold_d,
        threshold_reading=config.threshold_o,
        vehicle_required=config.vehicle_required,
        text_formats=config.text_formats,
        plates_per_vehicle=config.plates_per_vehicle,
        zoom_in_vehicles=config.zoom_in_vehicles,
        attributes=request.mmc,
    )


def work_on(call: Call, recognizer: Recognizer, targets: Sequence[Target], keep: Keep) -> Done:
    """Recognizes the picture and prepares what is to be recorded. Takes a while: for a thread of the pool.

    Args:
        call: who asks for what.
        recognizer: with ``options_of`` the request.
        targets: who is told.
        keep: what of it.

    Raises:
        ImageError: the picture cannot be used.
        ModelError: a network failed.
    """
    (found,) = recognizer.recognize([call.picture.data], [call.filename])
    recognition = replace(found, captured_at=call.request.timestamp or call.received_at)
    pictures = _Pictures(call, recognition, recognizer.limits)
    is_kept = keep != "nothing"
    entry = Entry(
        id=call.id,
        token_id=call.token_id,
        camera_id=call.request.camera_id,
        at=call.received_at,
        recognition_json=_compact(native.to_dict(recognition)) if is_kept else "",
        keep=is_kept,
        crops=pictures.of_plates() if keep == "crops" else (),
        messages=tuple(_message(call, recognition, pictures, target) for target in targets),
        texts=tuple(plate.reading.text for plate in recognition.plates if plate.reading is not None) if is_kept else (),
    )
    return Done(recognition, entry)


def _message(call: Call, recognition: Recognition, pictures: _Pictures, target: Target) -> Message:
    """The coordinates are those of the first picture that goes with it."""
    body = webhook_body(
        recognition,
        call.request,
        target_url=target.url,
        target_id=target.id,
        filename=call.filename,
        received_at=call.received_at,
        sent=pictures.part(target.images[0]) if target.images else None,
    )
    names = (_FIRST_PART, *target.images[1:])
    files = tuple(pictures.file(name, kind) for name, kind in zip(names, target.images, strict=False))
    return Message(target.id, _compact(body), files)


def _compact(value: object) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def _as_jpeg(filename: str) -> str:
    path = PurePath(filename)
    return filename if path.suffix.lower() in (".jpg", ".jpeg") else str(path.with_suffix(".jpg"))


class _Pictures:
    """Parts of the picture as JPEG; it is decoded a second time only where a part of it is wanted."""

    def __init__(self, call: Call, recognition: Recognition, limits: ImageLimits) -> None:
        self._call, self._recognition, self._limits = call, recognition, limits
        self._encoded: dict[Box, bytes] = {}
        self._whole = Box(0, 0, recognition.width, recognition.height)

    def part(self, kind: ImageKind) -> Box:
        return sent_part(self._recognition, self._call.request, kind)

    def file(self, name: str, kind: ImageKind) -> File:
        """A picture that goes with a message under the name of a form's field."""
        return File(name, _as_jpeg(self._call.filename), self._jpeg(self.part(kind)))

    def of_plates(self) -> tuple[File, ...]:
        """A picture of each plate with a little around it."""
        boxes = [plate.detection.box.expand(_AROUND_PLATE) for plate in self._recognition.plates]
        parts = [box.clamp(self._whole.width, self._whole.height) for box in boxes]
        return tuple(
            File("plate", f"{number}.jpg", self._jpeg(part)) for number, part in enumerate(parts, 1) if part.area
        )

    def _jpeg(self, part: Box) -> bytes:
        if part not in self._encoded:
            self._encoded[part] = self._encode(part)
        return self._encoded[part]

    def _encode(self, part: Box) -> bytes:
        if part != self._whole:
            return encode_jpeg(crop(self._image, part))
        header = read_header(self._call.picture.data)
        # Coordinates are those of the upright picture, and not every receiver turns a picture by itself.
        is_fit = header.format == "JPEG" and header.orientation == 1
        return self._call.picture.data if is_fit else encode_jpeg(self._image)

    @cached_property
    def _image(self) -> Image:
        return Image.from_bytes(self._call.picture.data, self._limits)
