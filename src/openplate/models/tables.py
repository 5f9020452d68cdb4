"""Strict reading and plain writing of TOML tables, for model cards."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from difflib import get_close_matches
from typing import Any, Final, TypeVar

from openplate.errors import ModelLoadFailed

_BARE_KEY: Final = re.compile(r"[A-Za-z0-9_-]+")
_LINE_LENGTH: Final = 100

_Choice = TypeVar("_Choice")


class Table:
    """One table of a card, taken apart key by key; ``close`` refuses whatever nobody asked for."""

    def __init__(self, source: str, prefix: str, values: Mapping[str, object]) -> None:
        self._source = source
        self._prefix = prefix
        self._values = dict(values)
        self._known: list[str] = []

    def __contains__(self, key: str) -> bool:
        return key in self._values

    def close(self) -> None:
        for key in self._values:
            meant = get_close_matches(key, self._known, n=1)
            hint = f"; did you mean {self._prefix + meant[0]!r}?" if meant else ""
            raise ModelLoadFailed(f"{self._source}: unknown key {self._prefix + key!r}{hint}")

    def text(self, key: str) -> str:
        value = self._take(key)
        if not isinstance(value, str) or not value.strip():
            raise self._wrong(key, "a text that is not empty", value)
        return value

    def matching(self, key: str, pattern: re.Pattern[str], what: str) -> str:
        value = self.text(key)
        if not pattern.fullmatch(value):
            raise self._wrong(key, what, value)
        return value

    def texts(self, key: str, at_least: int = 0) -> tuple[str, ...]:
        value = self._take(key)
        if not isinstance(value, list) or not all(isinstance(item, str) and item.strip() for item in value):
            raise self._wrong(key, "a list of texts that are not empty", value)
        if len(value) < at_least:
            raise self._wrong(key, f"a list of at least {at_least}", value)
        return self.distinct(key, value)

    def distinct(self, key: str, items: Iterable[str]) -> tuple[str, ...]:
        kept = tuple(items)
        if len(set(kept)) < len(kept):
            raise self._wrong(key, "without repetitions", kept)
        return kept

    def choice(self, key: str, allowed: tuple[_Choice, ...]) -> _Choice:
        value = self._take(key)
        for candidate in allowed:
            if type(value) is type(candidate) and value == candidate:
                return candidate
        raise self._wrong(key, f"one of {', '.join(map(repr, allowed))}", value)

    def whole(self, key: str) -> int:
        value = self._take(key)
        if type(value) is not int or value < 1:
            raise self._wrong(key, "a whole number from 1", value)
        return value

    def all_numbers(self) -> dict[str, float]:
        return {key: self._number(key, value) for key, value in self._values.items()}

    def day(self, key: str) -> date:
        value = self._take(key)
        if not isinstance(value, date) or isinstance(value, datetime):
            raise self._wrong(key, "a date such as 2026-01-31, without quotes", value)
        return value

    def table(self, key: str) -> Table:
        value = self._take(key)
        if not isinstance(value, dict):
            raise self._wrong(key, "a table", value)
        return Table(self._source, f"{self._prefix}{key}.", value)

    def tables(self, key: str) -> list[Table]:
        value = self._take(key)
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise self._wrong(key, "a list of tables", value)
        return [Table(self._source, f"{self._prefix}{key}.", item) for item in value]

    def _take(self, key: str) -> object:
        self._known.append(key)
        if key not in self._values:
            near = get_close_matches(key, self._values, n=1)
            hint = f"; there is {self._prefix + near[0]!r}" if near else ""
            raise ModelLoadFailed(f"{self._source}: the key {self._prefix + key!r} is missing{hint}")
        return self._values.pop(key)

    def _number(self, key: str, value: object) -> float:
        # Not a number fails every comparison, and infinity this one.
        if isinstance(value, int | float) and type(value) is not bool and abs(value) <= sys.float_info.max:
            return float(value)
        raise self._wrong(key, "a finite number", value)

    def _wrong(self, key: str, what: str, value: object) -> ModelLoadFailed:
        return ModelLoadFailed(f"{self._source}: {self._prefix + key!r} must be {what}, not {value!r}")


def toml_lines(values: Mapping[str, Any], prefix: str = "") -> list[str]:
    """TOML of a tree of mappings, sequences and plain values; plain values come first, as TOML demands."""
    tables = {key: value for key, value in values.items() if isinstance(value, Mapping)}
    arrays = {key: value for key, value in values.items() if _is_array_of_tables(value)}
    lines = [
        f"{_toml_key(key)} = {_toml_value(value)}"
        for key, value in values.items()
        if key not in tables and key not in arrays
    ]
    for key, value in tables.items():
        name = prefix + _toml_key(key)
        lines += ["", f"[{name}]", *toml_lines(value, name + ".")]
    for key, items in arrays.items():
        name = prefix + _toml_key(key)
        for item in items:
            lines += ["", f"[[{name}]]", *toml_lines(item, name + ".")]
    return lines


def _is_array_of_tables(value: object) -> bool:
    return isinstance(value, list | tuple) and bool(value) and isinstance(value[0], Mapping)


def _toml_key(key: str) -> str:
    return key if _BARE_KEY.fullmatch(key) else _toml_text(key)


def _toml_text(text: str) -> str:
    # JSON's escapes are TOML's, but for the one control character that JSON leaves as it is.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _toml_value(value: object) -> str:
    match value:
        case str():
            return _toml_text(value)
        case date():
            return value.isoformat()
        case list() | tuple():
            return _toml_list([_toml_value(item) for item in value])
        case int():
            return str(int(value))
        case float():
            return repr(float(value))  # without numpy's name for its own kind
        case _:
            raise TypeError(f"a card cannot hold {value!r}")


def _toml_list(items: list[str]) -> str:
    line = f"[{', '.join(items)}]"
    if len(line) <= _LINE_LENGTH:
        return line
    return "".join(["[\n", *(f"  {item},\n" for item in items), "]"])
