"""Files of ``key = value`` lines, as OpenALPR's and Scout's programs read them.

Lines that begin with ``#`` or ``;`` are comments; ``[section]`` begins a section; a value goes to the end of its line,
so that addresses may hold ``#`` and ``;``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from openplate.errors import SettingsError

_SECTION = re.compile(r"\[(?P<name>[^\]]*)\]")
_MOST_BYTES: Final = 2**20


@dataclass(frozen=True, slots=True)
class Entry:
    """One line; names of sections and keys are in lower case, the section before any is ""."""

    path: Path
    line: int
    section: str
    key: str
    text: str


def read_entries(path: Path) -> tuple[Entry, ...]:
    """The lines with a key, in order.

    Raises:
        SettingsError: the file cannot be read, is no text, or has a line of another form.
    """
    entries = []
    section = ""
    for number, line in enumerate(_read(path).splitlines(), 1):
        text = line.strip()
        if not text or text[0] in "#;":
            continue
        found = _SECTION.fullmatch(text)
        if found:
            section = found["name"].strip().lower()
            continue
        key, equals, value = text.partition("=")
        if not equals or not key.strip():
            raise SettingsError(f"{path}, line {number}: {text[:80]!r} is no `key = value`")
        entries.append(Entry(path, number, section, key.strip().lower(), value.strip()))
    return tuple(entries)


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {error.strerror}") from error
    if len(data) > _MOST_BYTES:
        raise SettingsError(f"{path} is larger than {_MOST_BYTES} bytes")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SettingsError(f"{path} is not UTF-8: {error}") from error
