"""Plate Recognizer's Blur: what its form asks for, and its answer."""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from openplate.datatypes import Box, Recognition
from openplate.errors import RequestError
from openplate.formats.platerecognizer_vehicle import snapshot_v2
from openplate.formats.snapshot_request import SnapshotRequest, parse_snapshot_request
from openplate.regions.text_formats import TextFormat, parse_text_format

SKIP, UNTOUCHED, STRONGEST = -1, 0, 10
MOST_PIECES = 8
MOST_SKIPPED = 20
_MARGINS = ("el", "et", "er", "eb")
_CORNERS = ("xmin", "ymin", "xmax", "ymax")


@dataclass(frozen=True, slots=True)
class BlurRequest:
    """One call of the blur address, without its pictures.

    Attributes:
        plates: strength, 1 to 10; 0: found but not covered, -1: not looked for.
        snapshot: what recognition is asked for; its mode is redaction unless ``config`` names another.
        filename: the name that the answer gives the picture; None: its own.
        skipped: plates whose whole text has one of these forms stay readable.
        margins: shares of width and height at the left, top, right and bottom where nothing is covered.
        excluded: areas where nothing is covered, in pixels.
        pieces, overlap: how many pieces side by side the picture is searched in, and the share that they overlap.
        keeps_metadata: EXIF, XMP and colour profile go into the answer's picture.
    """

    plates: int
    snapshot: SnapshotRequest
    filename: str | None = None
    skipped: tuple[TextFormat, ...] = ()
    margins: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)
    excluded: tuple[Box, ...] = ()
    pieces: int = 1
    overlap: float = 0.2
    keeps_metadata: bool = False

    def kept_areas(self, width: int, height: int) -> tuple[Box, ...]:
        """Where a picture of that size stays as it is."""
        left, top, right, bottom = self.margins
        rims = (
            Box(0, 0, left * width, height),
            Box(0, 0, width, top * height),
            Box(width * (1 - right), 0, width, height),
            Box(0, height * (1 - bottom), width, height),
        )
        return tuple(box for box in (*rims, *self.excluded) if box.width > 0 and box.height > 0)

    def is_skipped(self, text: str) -> bool:
        """Whether a plate of that text stays readable."""
        return any(form.matches(text) for form in self.skipped)


def parse_blur_request(fields: Mapping[str, Sequence[str]]) -> BlurRequest:
    """The request that the fields of a form describe.

    Raises:
        RequestError: a value that a field cannot have, nothing to blur, or faces.
    """
    plates, faces = _strength(fields, "plates"), _strength(fields, "faces")
    if plates is None and faces is None:
        raise RequestError("Give plates or faces: a strength from 1 to 10, 0 to find without blurring, -1 to skip.")
    if faces is not None and faces != SKIP:
        raise RequestError("faces: not supported, this server has no network for faces; send faces=-1 or leave it out")
    snapshot = parse_snapshot_request(fields)
    if '"mode"' not in _last(fields, "config"):
        config = replace(snapshot.config, mode="redaction", plates_per_vehicle=None, zoom_in_vehicles=None)
        snapshot = replace(snapshot, config=config)
    return BlurRequest(
        plates=SKIP if plates is None else plates,
        snapshot=snapshot,
        filename=_last(fields, "snapshot_filename") or None,
        skipped=_skipped(fields),
        margins=_margins(fields),
        excluded=_excluded(fields),
        pieces=_whole(fields, "split", 1, MOST_PIECES) or 1,
        overlap=_number(fields, "overlap", 0, 90, 20) / 100,
        keeps_metadata=_last(fields, "copy_metadata").strip().lower() in ("true", "1", "yes", "on"),
    )


def blur_answer(
    recognition: Recognition, request: BlurRequest, *, filename: str, timestamp: datetime, blurred: bytes | None
) -> dict[str, object]:
    """The answer: the plates as version 2 objects with their outlines, and the picture in base64."""
    body = snapshot_v2(
        recognition,
        filename=filename,
        timestamp=timestamp,
        camera_id=request.snapshot.camera_id,
        include_unread=True,
    )
    results = body["results"]
    assert isinstance(results, list)
    outlines = [_outline(recognition, number) for number in range(len(recognition.plates))]
    plates = [{**result, "polygon": outline} for result, outline in zip(results, outlines, strict=False)]
    picture = None if blurred is None else {"filename": filename, "base64": base64.b64encode(blurred).decode()}
    rest = {name: value for name, value in body.items() if name != "results"}
    return {**rest, "plates": plates, "faces": [], "blur": picture}


def failure(message: str) -> dict[str, object]:
    """The body of an error: unlike Snapshot's it is called ``error``."""
    return {"error": message}


def _outline(recognition: Recognition, number: int) -> list[dict[str, int]]:
    detection = recognition.plates[number].detection
    box = detection.box
    corners = ((box.x1, box.y1), (box.x2, box.y1), (box.x2, box.y2), (box.x1, box.y2))
    points = corners if detection.corners is None else detection.corners.as_tuple()
    return [{"x": round(x), "y": round(y)} for x, y in points]


def _last(fields: Mapping[str, Sequence[str]], name: str) -> str:
    values = fields.get(name, ())
    return values[-1] if values else ""


def _strength(fields: Mapping[str, Sequence[str]], name: str) -> int | None:
    return _whole(fields, name, SKIP, STRONGEST)


def _whole(fields: Mapping[str, Sequence[str]], name: str, least: int, most: int) -> int | None:
    text = _last(fields, name).strip()
    return None if not text else _whole_of(text, name, least, most)


def _whole_of(text: str, name: str, least: int, most: int) -> int:
    try:
        value = int(text) if len(text) < 12 else most + 1
    except ValueError:
        value = most + 1
    if not least <= value <= most:
        raise RequestError(f"{name}: must be a whole number from {least} to {most}, not {text[:40]!r}")
    return value


def _number(fields: Mapping[str, Sequence[str]], name: str, least: float, most: float, default: float) -> float:
    text = _last(fields, name).strip()
    if not text:
        return default
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not least <= value <= most:
        raise RequestError(f"{name}: must be a number from {least} to {most}, not {text[:40]!r}")
    return value


def _margins(fields: Mapping[str, Sequence[str]]) -> tuple[float, float, float, float]:
    left, top, right, bottom = (_number(fields, name, 0.0, 1.0, 0.0) for name in _MARGINS)
    return left, top, right, bottom


def _excluded(fields: Mapping[str, Sequence[str]]) -> tuple[Box, ...]:
    columns = [[_whole_of(v.strip(), name, 0, 10**6) for v in fields.get(name, ())] for name in _CORNERS]
    if len({len(column) for column in columns}) > 1:
        raise RequestError("xmin, ymin, xmax and ymax: give the same number of each, one of each for every rectangle")
    boxes = []
    for x1, y1, x2, y2 in zip(*columns, strict=True):
        if x2 <= x1 or y2 <= y1:
            raise RequestError("xmin, ymin, xmax and ymax: a rectangle needs xmax above xmin and ymax above ymin")
        boxes.append(Box(x1, y1, x2, y2))
    return tuple(boxes)


def _skipped(fields: Mapping[str, Sequence[str]]) -> tuple[TextFormat, ...]:
    patterns = [pattern for pattern in fields.get("skip_regexp", ()) if pattern]
    if len(patterns) > MOST_SKIPPED:
        raise RequestError(f"skip_regexp: {len(patterns)} are too many, {MOST_SKIPPED} are the most")
    try:
        return tuple(parse_text_format(pattern) for pattern in patterns)
    except ValueError as error:
        raise RequestError(f"skip_regexp: {error}") from error
