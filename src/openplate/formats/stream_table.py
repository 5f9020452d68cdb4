"""Stream's CSV: two headers, one row for each event, structured cells as Python literals."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Final

from openplate.formats.stream import Event, StreamCameraContext, local_time, result_v1, result_v2

V1: Final = (
    "timestamp",
    "plate",
    "score",
    "dscore",
    "file",
    "box",
    "model_make",
    "color",
    "vehicle",
    "region",
    "orientation",
    "candidates",
    "source_url",
    "position_sec",
    "direction",
)
V2: Final = ("timestamp", "file", "source_url", "position_sec", "direction", "plate", "vehicle")

_ATTRIBUTES: Final = ("model_make", "color", "orientation")


def header(vehicles_too: bool = False) -> str:
    """The first line, with its end; ``vehicles_too``: that of version 2."""
    return _line(V2 if vehicles_too else V1)


def row(event: Event, camera: StreamCameraContext) -> str:
    """The line of an event, with its end; boxes are those of the whole picture. Empty where there is nothing to tell.

    Version 1 tells vehicles with plates only. Lists are empty where nobody asked for attributes.
    """
    result = result_v2(event, camera) if camera.vehicles_too else result_v1(event, camera)
    if result is None:
        return ""
    cells: dict[str, object] = {
        **{name: [] for name in _ATTRIBUTES},
        **result,
        "timestamp": local_time(event.group.best.at, camera.zone),
        "file": f"/{event.filename}" if event.filename else "",
    }
    if not camera.vehicles_too:
        consensus = event.group.consensus
        if consensus is None or not consensus.regions:
            cells["region"] = {"code": "", "score": 0}
    return _line([_cell(name, cells[name]) for name in (V2 if camera.vehicles_too else V1)])


def _cell(name: str, value: object) -> str:
    """Numbers and texts as they are; objects, lists and no plate or no vehicle as Python has them."""
    if value is None and name in ("direction", "position_sec"):
        return ""
    return value if isinstance(value, str) else repr(value)


def _line(cells: Sequence[str]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="\r\n").writerow(cells)
    return line.getvalue()
