"""What settings of cameras accept beyond what others do: addresses, files, lists, polygons."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar
from urllib.parse import urlsplit, urlunsplit

from openplate.datatypes import GroundPoint
from openplate.settings.rules import Text

Polygon = tuple[tuple[float, float], ...]
_Value = TypeVar("_Value")

_MOST: Final = 1000
_FARTHEST_M: Final = 10_000.0
_PLACES: Final = "rtsp://, rtsps://, http://, https://, usb:0, a video file or a folder of pictures"


@dataclass(frozen=True, slots=True)
class CameraAddress(Text):
    """Shown without user name, password and what follows the ``?``."""

    what: str = _PLACES

    def shown(self, value: object) -> object:
        if not isinstance(value, str):
            return None
        parts = urlsplit(value)
        if not parts.netloc:
            return value
        return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment=""))


@dataclass(frozen=True, slots=True)
class WebAddress(Text):
    """An address of HTTP; shown without what may be secret in it."""

    what: str = "an address that starts with http:// or https://"

    def from_value(self, value: object) -> str:
        text = Text.from_value(self, value)
        parts = urlsplit(text)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError
        return text

    def shown(self, value: object) -> object:
        return CameraAddress().shown(value)


@dataclass(frozen=True, slots=True)
class PictureFile:
    """A file that is there."""

    @property
    def accepts(self) -> str:
        return "a picture file that exists"

    def from_value(self, value: object) -> Path:
        if not isinstance(value, str | Path) or not str(value) or "\0" in str(value):
            raise ValueError
        try:
            is_there = Path(value).is_file()
        except OSError as error:
            raise ValueError from error
        if not is_there:
            raise ValueError
        return Path(value)

    def from_text(self, text: str) -> Path:
        return self.from_value(text)

    def shown(self, value: object) -> object:
        return None if value is None else str(value)


@dataclass(frozen=True, slots=True)
class Texts:
    """A list of texts; in the environment with commas between them. ``what`` says which texts."""

    what: str

    @property
    def accepts(self) -> str:
        return f"a list of {self.what}"

    def from_value(self, value: object) -> tuple[str, ...]:
        return _each(value, Text(self.what).from_value)

    def from_text(self, text: str) -> tuple[str, ...]:
        return self.from_value([part.strip() for part in text.split(",")])

    def shown(self, value: object) -> object:
        return ", ".join(value) if isinstance(value, tuple) else None


@dataclass(frozen=True, slots=True)
class Polygons:
    """A list of polygons, each a list of corners [x, y]; in the environment as JSON."""

    @property
    def accepts(self) -> str:
        return "a list of polygons, each of three or more corners [x, y] from 0 to 1"

    def from_value(self, value: object) -> tuple[Polygon, ...]:
        return _each(value, _polygon)

    def from_text(self, text: str) -> tuple[Polygon, ...]:
        return self.from_value(json.loads(text))  # its errors are ValueErrors

    def shown(self, value: object) -> object:
        return json.dumps(value)


@dataclass(frozen=True, slots=True)
class GroundPoints:
    """A list of points of the road; in the environment as JSON."""

    @property
    def accepts(self) -> str:
        return "a list of four or more points [x, y, metres, metres], x and y from 0 to 1"

    def from_value(self, value: object) -> tuple[GroundPoint, ...]:
        points = _each(value, _ground_point)
        if points and len(points) < 4:
            raise ValueError
        return points

    def from_text(self, text: str) -> tuple[GroundPoint, ...]:
        return self.from_value(json.loads(text))

    def shown(self, value: object) -> object:
        return json.dumps(value)


def _ground_point(value: object) -> GroundPoint:
    x, y, *metres = _each(value, _number)
    across, along = metres
    if not (0.0 <= x <= 1.0 and 0.0 <= y <= 1.0 and max(abs(across), abs(along)) <= _FARTHEST_M):
        raise ValueError
    return x, y, across, along


def _each(value: object, accept: Callable[[object], _Value]) -> tuple[_Value, ...]:
    if not isinstance(value, list | tuple) or len(value) > _MOST:
        raise ValueError
    return tuple(accept(each) for each in value)


def _polygon(value: object) -> Polygon:
    corners = _each(value, _corner)
    if len(corners) < 3:
        raise ValueError
    return corners


def _corner(value: object) -> tuple[float, float]:
    x, y = _each(value, _share)  # another number of them is a ValueError too
    return x, y


def _share(value: object) -> float:
    number = _number(value)
    if not 0.0 <= number <= 1.0:
        raise ValueError
    return number


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError
    return float(value)
