"""What Rekor Scout's messages are made of: the agent's particulars, plates, boxes, paths.

Habits followed: plates in upper case, confidences 0 to 100, whole pixels with the origin at the top left, times in
milliseconds since 1970, an empty region with confidence 0 for none. ``matches_template`` is 0 or 1 in a plate and its
candidates, true or false in a group.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from openplate.datatypes import Box, Corners, PathPoint, Plate, PlateCandidate, PlateReading
from openplate.formats.openalpr import epoch_ms

Version = Literal[2, 3]
"""2: the keys of the founding documents. 3: also those of agents from 4.1 on."""

NOT_SET: Final = -1.0
"""A coordinate on earth that nobody gave."""

_UID = re.compile(r"[A-Za-z0-9_-]{1,100}")
_PLATE_WIDTHS: Final = 4.0
"""Side of the square around a plate on no vehicle, in widths of the plate."""


@dataclass(frozen=True, slots=True)
class Agent:
    """The program that reports.

    Attributes:
        uid: 1 to 100 of letters, digits, ``_`` and ``-``; Scout's own have 40 characters.
        company_id: whose agent it is.
        version: what it calls itself.
        kind: ``alprd`` for Scout's agent.
        hostname: of its machine.
        user_data: sent with every result where it is not empty.
        site_id: sent with results of frames where it is not empty.
        custom_data: sent with groups where it is not empty; receivers look for their key there.
    """

    uid: str
    company_id: str
    version: str
    kind: str = "alprd"
    hostname: str = ""
    user_data: str = ""
    custom_data: str = ""
    site_id: str = ""

    def __post_init__(self) -> None:
        if not _UID.fullmatch(self.uid):
            raise ValueError(f"an agent's uid is 1 to 100 letters, digits, _ and -, not {self.uid!r}")


@dataclass(frozen=True, slots=True)
class CameraContext:
    """One camera of an agent.

    Attributes:
        camera_id: unique for the agent.
        country: the set of plates that are expected, "us", "eu".
        name: what people call it.
        latitude, longitude: degrees; None where nobody gave them.
        top_n: candidates asked for, and the most that are listed.
        prefers_matching: whether the best text is the first that has a form of the region's plates, as OpenALPR does
            where a region is set; else it is the first.
    """

    agent: Agent
    camera_id: int
    country: str = "us"
    name: str = ""
    latitude: float | None = None
    longitude: float | None = None
    top_n: int = 10
    prefers_matching: bool = False


def picture_uuid(camera: CameraContext, at: datetime) -> str:
    """The key of a frame and of its picture: ``<agent_uid>-<camera_id>-<epoch_ms>``."""
    return f"{camera.agent.uid}-{camera.camera_id}-{epoch_ms(at)}"


def percent(confidence: float) -> float:
    return round(float(confidence) * 100, 4)


def milliseconds(value: float) -> float:
    return round(float(value), 3)


def degrees(value: float | None) -> float:
    """A latitude or longitude."""
    return NOT_SET if value is None else float(value)


def rectangle(box: Box) -> dict[str, int]:
    """Whole pixels; never without a width and a height."""
    x, y = round(box.x1), round(box.y1)
    return {"x": x, "y": y, "width": max(1, round(box.x2) - x), "height": max(1, round(box.y2) - y)}


def candidates_of(reading: PlateReading) -> tuple[PlateCandidate, ...]:
    """By falling confidence; at least one."""
    listed = reading.candidates or (PlateCandidate(reading.text, reading.confidence),)
    return tuple(sorted(listed, key=lambda candidate: -candidate.confidence))


def best_candidate(reading: PlateReading, prefers_matching: bool) -> PlateCandidate:
    """The first of the candidates, or where matching ones are preferred the first of these, if there is one."""
    listed = candidates_of(reading)
    matching = (candidate for candidate in listed if candidate.matches_pattern)
    return next(matching, listed[0]) if prefers_matching else listed[0]


def candidate_list(reading: PlateReading, camera: CameraContext) -> list[dict[str, object]]:
    """At most as many as were asked for; the best text is always among them."""
    listed = candidates_of(reading)
    best = best_candidate(reading, camera.prefers_matching)
    shown = listed[: camera.top_n]
    if best not in shown:
        shown = (*shown[: camera.top_n - 1], best)
    return [
        {
            "plate": candidate.text,
            "confidence": percent(candidate.confidence),
            "matches_template": int(candidate.matches_pattern),
        }
        for candidate in shown
    ]


def plate_object(
    plate: Plate,
    reading: PlateReading,
    camera: CameraContext,
    *,
    index: int,
    size: tuple[int, int],
    vehicle: Box | None,
    crop_jpeg: str,
    processing_time_ms: float,
    version: Version,
) -> dict[str, object]:
    """One plate that was read: an element of ``results``, and ``best_plate``.

    ``size`` is width and height of the frame, ``vehicle`` the box of the plate's vehicle, ``crop_jpeg`` base64.
    """
    best = best_candidate(reading, camera.prefers_matching)
    region = reading.regions[0] if reading.regions else None
    corners = plate.detection.corners or Corners.from_box(plate.detection.box)
    made: dict[str, object] = {
        "plate": best.text,
        "confidence": percent(best.confidence),
        "matches_template": int(best.matches_pattern),
        "plate_index": index,
        "region": region.value if region else "",
        "region_confidence": round(region.confidence * 100) if region else 0,
        "processing_time_ms": milliseconds(processing_time_ms),
        "requested_topn": camera.top_n,
        "coordinates": [{"x": round(x), "y": round(y)} for x, y in corners.as_tuple()],
        "candidates": candidate_list(reading, camera),
        "plate_crop_jpeg": crop_jpeg,
        "vehicle_region": rectangle(vehicle_region(plate.detection.box, vehicle, size)),
    }
    if version >= 3:
        made["vehicle_detected"] = vehicle is not None
    return made


def vehicle_region(plate: Box, vehicle: Box | None, size: tuple[int, int]) -> Box:
    """The vehicle's box inside the frame, or where there is none a square around the plate."""
    if vehicle is None:
        (x, y), half = plate.center, max(plate.width, plate.height) * _PLATE_WIDTHS / 2
        vehicle = Box(x - half, y - half, x + half, y + half)
    return vehicle.clamp(*size)


def path(points: Sequence[PathPoint], start: datetime, first_frame: int) -> list[dict[str, int]]:
    """Boxes over time; ``t`` counts milliseconds and ``f`` frames from the start of the group."""
    return [
        {
            "x": round(point.box.x1),
            "y": round(point.box.y1),
            "w": round(point.box.width),
            "h": round(point.box.height),
            "t": epoch_ms(point.at) - epoch_ms(start),
            "f": point.frame_index - first_frame,
        }
        for point in points
    ]
