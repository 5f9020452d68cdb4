"""Groups on standard output: a line for people, or a JSON object on a line."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable

from openplate.cli.readable import percent, printable
from openplate.datatypes import Group, Recognition
from openplate.formats.native_group import direction_of, group_dict
from openplate.imaging.frame import Frame
from openplate.service.outputs import Camera
from openplate.video_pipeline import GroupPicture

_NOTHING = "-"


class GroupPrinter:
    """An output; cameras share it. When nobody reads any more it says so once and prints no more."""

    def __init__(
        self, write: Callable[[str], None], reader_gone: Callable[[], None], *, as_json: bool, names_cameras: bool
    ) -> None:
        self._write, self._reader_gone = write, reader_gone
        self._as_json, self._names_cameras = as_json, names_cameras
        self._lock = threading.Lock()
        self._is_over = False

    def frame(self, camera: Camera, recognition: Recognition | None, frame: Frame) -> None:
        """Single frames are not printed."""

    def group(self, camera: Camera, picture: GroupPicture) -> None:
        if self._as_json:
            self._print(json.dumps(group_dict(picture.group, picture.position_s)))
        elif picture.group.state != "left":
            name = f"{printable(camera.name)}  " if self._names_cameras else ""
            self._print(name + group_line(picture))

    def close(self) -> None:
        """Each line is written at once."""

    def _print(self, line: str) -> None:
        with self._lock:
            if self._is_over:
                return
            try:
                self._write(line + "\n")
            except BrokenPipeError:
                self._is_over = True
                self._reader_gone()


def group_line(picture: GroupPicture) -> str:
    """Time, text, confidence, region, direction, kind of vehicle, speed where it is known, whether it is early: as in
    ``0:05.2  ABC1234  97 %  br 90 %  right  car``.
    """
    group = picture.group
    reading, vehicle = group.consensus, group.best.vehicle
    region = reading.regions[0] if reading and reading.regions else None
    words = (
        _moment(group, picture.position_s),
        f"{reading.text:<9}" if reading else "no plate ",
        f"{percent(reading.confidence):>5}" if reading else f"{_NOTHING:>5}",
        f"{region.value} {percent(region.confidence)}" if region else _NOTHING,
        "parked" if group.is_parked else direction_of(group) or _NOTHING,
        vehicle.detection.label if vehicle else _NOTHING,
        *((f"{group.speed.kmh:.0f} km/h",) if group.speed else ()),
        *(("preview",) if group.state == "preview" else ()),
    )
    return "  ".join(words)


def _moment(group: Group, position_s: float | None) -> str:
    """When its best picture was taken: the place in a file, else the local time."""
    if position_s is None:
        return group.best.at.astimezone().isoformat(sep=" ", timespec="seconds")
    minutes, seconds = divmod(round(position_s, 1), 60)
    return f"{int(minutes)}:{seconds:04.1f}"
