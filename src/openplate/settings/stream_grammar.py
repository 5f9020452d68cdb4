"""The grammar of Stream's ``config.ini``: sections in sections, and values that a rule accepts or an error names."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import fields
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Final, Protocol, get_args, get_origin, get_type_hints

from openplate.errors import SettingsError
from openplate.settings.rules import HIDDEN, Text
from openplate.settings.stream import GroundPointWords, HeaderLine, ListOf, Receiver

WRONG_TARGET: Final = "STR0019"
WRONG_HEADER: Final = "STR0020"
NOT_WELL_FORMED: Final = "STR0021"

_LINE_END: Final = re.compile(r"\r\n|\n|\r")

Value = str | list[str]


class Rule(Protocol):
    @property
    def accepts(self) -> str: ...


def read_tree(file: Path) -> dict[str, Any]:
    """The tree of the file: texts, lists of texts and sections.

    Raises:
        SettingsError: it cannot be read, or is not of the form.
    """
    try:
        from configobj import ConfigObj, ConfigObjError
    except ImportError as error:
        raise SettingsError(
            f"{file}: reading it needs configobj, which is not installed: pip install 'openplate[stream]'"
        ) from error
    try:
        lines = _LINE_END.split(file.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise SettingsError(f"{file} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"{file}: {NOT_WELL_FORMED}: it is no text in UTF-8") from error
    try:
        tree: dict[str, Any] = ConfigObj(lines, interpolation=False).dict()
    except ConfigObjError as error:
        first = (getattr(error, "errors", None) or [error])[0]
        raise SettingsError(f"{file}: {NOT_WELL_FORMED}: {str(first).rstrip('.')}") from None
    return tree


def split(tree: Mapping[str, Any]) -> tuple[dict[str, Value], dict[str, dict[str, Any]]]:
    """The values of a section, and the sections in it."""
    values = {key: value for key, value in tree.items() if not isinstance(value, dict)}
    return values, {key: value for key, value in tree.items() if isinstance(value, dict)}


class Place:
    """A place in the file, as messages name it."""

    def __init__(self, file: Path, sections: Sequence[str]) -> None:
        self.file = file
        self._names = " ".join("[" * depth + name + "]" * depth for depth, name in enumerate(sections, 1))

    def __str__(self) -> str:
        return f"{self.file}: {self._names}" if self._names else f"{self.file}:"

    def wrong(self, key: str, rule: Rule, value: object) -> SettingsError:
        code = WRONG_TARGET if isinstance(rule, Receiver) else WRONG_HEADER if isinstance(rule, HeaderLine) else ""
        told = HIDDEN if isinstance(rule, HeaderLine) else repr(value)[:200]
        return self.error(f"{key} must be {rule.accepts}, not {told}", code)

    def error(self, sentence: str, code: str = "") -> SettingsError:
        place = f"{self.file}: {code}:" if code else f"{self.file}:"
        return SettingsError(f"{place} {self._names} {sentence}" if self._names else f"{place} {sentence}")


def accepted(
    keys: Mapping[str, tuple[Rule, str]], values: Mapping[str, Value], at: Place, warnings: list[str]
) -> dict[str, Any]:
    """The values by key, each of its type; unknown keys become warnings."""
    found = {}
    for key, value in values.items():
        if key in keys:
            found[key] = accept(keys[key][0], key, value, at)
        else:
            warnings.append(unknown(at, key, tuple(keys), " and has no effect"))
    return found


def accept(rule: Rule, key: str, value: Value, at: Place) -> object:
    """The value that a rule makes of it. Raises SettingsError, with the place, where it makes none."""
    try:
        if isinstance(rule, ListOf | GroundPointWords):
            return rule.from_values([value] if isinstance(value, str) else value)
        text = value if isinstance(value, str) else _joined(value) if isinstance(rule, Text) else None
        if text == "" and isinstance(rule, Text):
            return ""
        if text is None:
            raise ValueError
        found: object = rule.from_text(text)  # type: ignore[attr-defined]
    except ValueError:
        raise at.wrong(key, rule, value) from None
    return found


def _joined(parts: Sequence[str]) -> str:
    """A text that has commas and is not quoted comes as a list; in addresses no space follows a comma."""
    return ("," if parts and "://" in parts[0] else ", ").join(parts)


def unknown(at: Place | Path, key: str, known: Sequence[str], consequence: str) -> str:
    """A warning of a name that nobody knows, with the one that may be meant."""
    near = get_close_matches(key, known, n=1)
    hint = f"; did you mean {near[0]}?" if near else ""
    place = f"{at}:" if isinstance(at, Path) else str(at)
    return f"{place} {key} is not known here{consequence}{hint}"


def keys_of(kind: Any) -> dict[str, tuple[Rule, str]]:
    """Rule and meaning of each field of a class of settings that has them, by its name."""
    hints = get_type_hints(kind, include_extras=True)
    keys = {}
    for each in fields(kind):
        if get_origin(hints[each.name]) is Annotated:
            _, rule, meaning = get_args(hints[each.name])
            keys[each.name] = (rule, meaning)
    return keys
