"""The fields of a JSON Lines list, checked one by one; every complaint names file, line and field."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal

from openplate.datatypes import Box, Corners, Guess
from openplate.errors import DatasetError

LabelSource = Literal["human", "teacher"]
LABEL_SOURCES = ("human", "teacher")

_REGION = re.compile(r"[a-z]{2}(-[a-z0-9]{2,3})?")
_EDGE_TOLERANCE_PX = 1.0


def json_lines(path: Path) -> Iterator[tuple[int, Fields]]:
    """The objects of a list with their line numbers (from 1); blank lines are passed over.

    Raises:
        DatasetError: the file cannot be read, or a line is not a JSON object.
    """
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                if line.strip():
                    yield number, _parse_line(line, f"{path}:{number}")
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read ({error.strerror})") from error


def _parse_line(line: bytes, where: str) -> Fields:
    try:
        values = json.loads(line.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise DatasetError(f"{where}: not UTF-8 text") from error
    except (ValueError, RecursionError) as error:
        raise DatasetError(f"{where}: not a JSON object ({error})") from error
    return _fields(values, where)


def _fields(value: object, where: str) -> Fields:
    if not isinstance(value, dict):
        raise DatasetError(f"{where}: must be a JSON object, not {_shown(value)}")
    return Fields(value, where)


def _shown(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else text[:57] + "..."


class Fields:
    """The checked fields of one JSON object; every complaint names the file, the line and the field."""

    def __init__(self, values: Mapping[str, object], where: str) -> None:
        self._values = values
        self._where = where

    def error(self, message: str) -> DatasetError:
        return DatasetError(f"{self._where}: {message}")

    def has(self, name: str) -> bool:
        return name in self._values

    def given(self, name: str) -> bool:
        """Whether it is there and not null."""
        return self._values.get(name) is not None

    def allow(self, *names: str) -> None:
        unknown = sorted(set(self._values) - set(names))
        if unknown:
            raise self.error(f"unknown field {', '.join(map(repr, unknown))}; known are {', '.join(names)}")

    def required(self, name: str) -> object:
        value = self._values.get(name)
        if value is None:
            raise self.error(f"{name!r} is missing")
        return value

    def wrong(self, name: str, wanted: str) -> DatasetError:
        return self.error(f"{name!r} must be {wanted}, not {_shown(self._values.get(name))}")

    def string(self, name: str) -> str:
        value = self.required(name)
        if not isinstance(value, str) or not value.strip():
            raise self.wrong(name, "a non-empty string")
        return value

    def optional_string(self, name: str) -> str | None:
        return None if self._values.get(name) is None else self.string(name)

    def one_of(self, name: str, choices: tuple[str, ...]) -> str:
        value = self.required(name)
        if not isinstance(value, str) or value not in choices:
            raise self.wrong(name, "one of " + ", ".join(choices))
        return value

    def source(self, name: str) -> LabelSource:
        return "human" if self.one_of(name, LABEL_SOURCES) == "human" else "teacher"

    def source_of(self, name: str) -> LabelSource | None:
        """Where the label ``name`` comes from; needed with the label, and only with it."""
        field = f"{name}_label"
        if self._values.get(name) is not None:
            return self.source(field)
        if self._values.get(field) is not None:
            raise self.error(f"{field!r} is given without {name!r}")
        return None

    def flag(self, name: str, default: bool | None = None) -> bool:
        value = self._values.get(name, default)
        if not isinstance(value, bool):
            raise self.wrong(name, "true or false")
        return value

    def positive_integer(self, name: str) -> int:
        value = self.required(name)
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise self.wrong(name, "a whole number above 0")
        return value

    def probability(self, name: str) -> float | None:
        value = self._values.get(name)
        if value is None:
            return None
        number = _finite(value)
        if number is None or not 0.0 <= number <= 1.0:
            raise self.wrong(name, "a number between 0 and 1")
        return number

    def region(self) -> str | None:
        value = self.optional_string("region")
        if value is not None and not _REGION.fullmatch(value):
            raise self.wrong("region", 'a code such as "vn" or "us-ny"')
        return value

    def line_count(self) -> int | None:
        value = self._values.get("lines")
        if value is None:
            return None
        if value not in (1, 2) or not isinstance(value, int) or isinstance(value, bool):
            raise self.wrong("lines", "1, 2 or null")
        return value

    def box(self, name: str, width: int, height: int) -> Box:
        box = _box(self.required(name), width, height)
        if box is None:
            raise self.wrong(name, _box_wanted(width, height))
        return box

    def boxes(self, name: str, width: int, height: int) -> tuple[Box, ...]:
        result = []
        for index, value in enumerate(self._list(name, default=True)):
            box = _box(value, width, height)
            if box is None:
                wanted = _box_wanted(width, height)
                raise self.error(f"{name}[{index}] must be {wanted}, not {_shown(value)}")
            result.append(box)
        return tuple(result)

    def corners(self, name: str) -> Corners | None:
        value = self._values.get(name)
        if value is None:
            return None
        points = _numbers_of(value, 4, 2)
        if points is None:
            raise self.wrong(name, "four [x, y] pairs")
        return Corners.from_points(points)

    def guess(self, name: str) -> Guess | None:
        value = self._values.get(name)
        if value is None:
            return None
        if isinstance(value, list) and len(value) == 2 and isinstance(value[0], str):
            number = _finite(value[1])
            if number is not None and 0.0 <= number <= 1.0:
                return Guess(value[0], number)
        raise self.wrong(name, "[code, probability]")

    def objects(self, name: str) -> Iterator[Fields]:
        for index, value in enumerate(self._list(name)):
            yield _fields(value, f"{self._where}: {name}[{index}]")

    def _list(self, name: str, *, default: bool = False) -> list[object]:
        value = self._values.get(name, [] if default else None)
        if not isinstance(value, list):
            raise self.wrong(name, "a list")
        return value


def _finite(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def _numbers_of(value: object, rows: int, columns: int) -> list[list[float]] | None:
    """A list of ``rows`` lists of ``columns`` finite numbers, or None when it is anything else."""
    if not isinstance(value, list) or len(value) != rows:
        return None
    table = []
    for row in value:
        if not isinstance(row, list) or len(row) != columns:
            return None
        numbers = [number for number in map(_finite, row) if number is not None]
        if len(numbers) != columns:
            return None
        table.append(numbers)
    return table


def _box(value: object, width: int, height: int) -> Box | None:
    table = _numbers_of([value], 1, 4)
    if table is None:
        return None
    x1, y1, x2, y2 = table[0]
    slack = _EDGE_TOLERANCE_PX
    inside = min(x1, y1) >= -slack and x2 <= width + slack and y2 <= height + slack
    return Box(x1, y1, x2, y2) if x1 < x2 and y1 < y2 and inside else None


def _box_wanted(width: int, height: int) -> str:
    return f"[x1, y1, x2, y2] with x1 < x2, y1 < y2, inside {width} x {height}"
