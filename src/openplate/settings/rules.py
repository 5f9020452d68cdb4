"""What a setting accepts: one small class for each kind of value."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol
from urllib.parse import urlsplit, urlunsplit

HIDDEN: Final = "******"
"""Shown in place of a secret."""

_LONGEST_TEXT: Final = 2000


class Rule(Protocol):
    """What a setting accepts. ``from_value`` (TOML, command line) and ``from_text`` (environment) raise
    ValueError for anything else; ``shown`` is what others may see of a value.
    """

    @property
    def accepts(self) -> str: ...

    def from_value(self, value: object) -> object: ...

    def from_text(self, text: str) -> object: ...

    def shown(self, value: object) -> object: ...


class _Plain:
    """A value that everybody may see."""

    __slots__ = ()

    def shown(self, value: object) -> object:
        return value if value is None or isinstance(value, int | float | str) else str(value)


@dataclass(frozen=True, slots=True)
class WholeNumber(_Plain):
    minimum: int
    maximum: int

    @property
    def accepts(self) -> str:
        return f"a whole number from {self.minimum} to {self.maximum}"

    def from_value(self, value: object) -> int:
        if type(value) is not int or not self.minimum <= value <= self.maximum:
            raise ValueError
        return value

    def from_text(self, text: str) -> int:
        return self.from_value(int(text))


@dataclass(frozen=True, slots=True)
class Number(_Plain):
    minimum: float
    maximum: float

    @property
    def accepts(self) -> str:
        return f"a number from {self.minimum:g} to {self.maximum:g}"

    def from_value(self, value: object) -> float:
        if type(value) is not int and type(value) is not float:
            raise ValueError
        if not math.isfinite(value) or not self.minimum <= value <= self.maximum:
            raise ValueError
        return float(value)

    def from_text(self, text: str) -> float:
        return self.from_value(float(text))


@dataclass(frozen=True, slots=True)
class Flag(_Plain):
    @property
    def accepts(self) -> str:
        return "true or false"

    def from_value(self, value: object) -> bool:
        if type(value) is not bool:
            raise ValueError
        return value

    def from_text(self, text: str) -> bool:
        if text not in ("true", "false"):
            raise ValueError
        return text == "true"


@dataclass(frozen=True, slots=True)
class OneOf(_Plain):
    values: tuple[str, ...]

    @property
    def accepts(self) -> str:
        return f"one of {', '.join(self.values)}"

    def from_value(self, value: object) -> str:
        if not isinstance(value, str) or value not in self.values:
            raise ValueError
        return value

    def from_text(self, text: str) -> str:
        return self.from_value(text)


@dataclass(frozen=True, slots=True)
class Text(_Plain):
    """``what`` says in words which text; control characters, line ends among them, are in none."""

    what: str

    @property
    def accepts(self) -> str:
        return self.what

    def from_value(self, value: object) -> str:
        if not isinstance(value, str) or not 0 < len(value) <= _LONGEST_TEXT or not value.isprintable():
            raise ValueError
        return value

    def from_text(self, text: str) -> str:
        return self.from_value(text)


@dataclass(frozen=True, slots=True)
class Secret(Text):
    """A text that is never shown."""

    def shown(self, value: object) -> object:
        return None if value is None else HIDDEN


@dataclass(frozen=True, slots=True)
class DatabaseUrl(Text):
    """Shown without the password that it may hold."""

    def from_value(self, value: object) -> str:
        text = Text.from_value(self, value)
        # urlsplit raises ValueError by itself for what is no URL at all
        if urlsplit(text).scheme.partition("+")[0] not in ("sqlite", "postgresql"):
            raise ValueError
        return text

    def shown(self, value: object) -> object:
        if not isinstance(value, str):
            return None
        parts = urlsplit(value)
        user, is_told, _ = parts.netloc.rpartition("@")[0].partition(":")
        if not is_told:
            return value
        return urlunsplit(parts._replace(netloc=f"{user}:{HIDDEN}@{parts.netloc.rpartition('@')[2]}"))


@dataclass(frozen=True, slots=True)
class Folder(_Plain):
    """``must_exist``: else it may be made later."""

    must_exist: bool = True

    @property
    def accepts(self) -> str:
        return "a folder that exists" if self.must_exist else "a folder; it is made where it is missing"

    def from_value(self, value: object) -> Path:
        if not isinstance(value, str | Path) or not str(value) or "\0" in str(value):
            raise ValueError
        path = Path(value)
        try:
            is_fit = path.is_dir() or (not self.must_exist and not path.exists())
        except OSError as error:  # a name that is too long, a folder above that may not be entered
            raise ValueError from error
        if not is_fit:
            raise ValueError
        return path

    def from_text(self, text: str) -> Path:
        return self.from_value(text)
