"""The table of regions: codes, names, parents and the notation of their plate patterns.

The data is ``regions.csv`` beside this file; it is read once, on first use.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from openplate.errors import RegionError
from openplate.text import edit_distance

_TABLE = Path(__file__).with_name("regions.csv")

_MISPRINTS = {"cb": "kh"}
"""Codes that a published list prints wrongly and that mean nothing else."""

_TERRITORIES = {f"us-{code}": code for code in ("as", "gu", "mp", "pr", "vi")}
"""The territories of the United States, written as if they were states, to their codes as countries."""

_MEANT = {**_MISPRINTS, **_TERRITORIES}

_PARENTS_WITH_BARE_CODES = ("eg", "jp")
"""Countries whose subdivisions a published list prints in upper case and without the country."""

_SUGGESTIONS = 3


@dataclass(frozen=True, slots=True)
class Region:
    """An issuing authority: a country (``parent`` is None) or a part of the country ``parent``.

    ``patterns`` are in the table's notation, most usual first, and empty where no public format is known;
    ``comment`` says where the row comes from and how far to trust it.
    """

    code: str
    name: str
    parent: str | None
    patterns: tuple[str, ...]
    comment: str = ""

    @property
    def country(self) -> str:
        """The code of the country: its own, or its parent's."""
        return self.parent or self.code


@cache
def _table() -> dict[str, Region]:
    with _TABLE.open(encoding="utf-8", newline="") as lines:
        rows = csv.reader(lines)
        next(rows)
        return {
            code: Region(code, name, parent or None, tuple(patterns.split("|")) if patterns else (), comment)
            for code, name, parent, patterns, comment in rows
        }


@cache
def _children() -> dict[str, tuple[Region, ...]]:
    children: dict[str, list[Region]] = {}
    for region in _table().values():
        if region.parent:
            children.setdefault(region.parent, []).append(region)
    return {code: tuple(regions) for code, regions in children.items()}


@cache
def codes() -> tuple[str, ...]:
    """Every region code, in the table's order (countries before their subdivisions)."""
    return tuple(_table())


def is_code(value: str) -> bool:
    """Whether the table has exactly this code."""
    return value in _table()


def all_regions() -> tuple[Region, ...]:
    """Every region, in the table's order."""
    return tuple(_table().values())


def countries() -> tuple[Region, ...]:
    """Every region that is not part of another."""
    return tuple(region for region in _table().values() if region.parent is None)


def subdivisions(code: str) -> tuple[Region, ...]:
    """The parts of a country; empty for a country without parts in the table, and for a part."""
    return _children().get(get(code).code, ())


def get(code: str) -> Region:
    """The region of that code, in any case; RegionError names the nearest codes where there is none.

    Accepted too, because a published list prints them so: ``cb`` (Cambodia), an underscore for the hyphen
    (``br_sc``), and Egypt's and Japan's subdivisions in upper case without their country (``ALX``), unless
    that means another region.
    """
    plain = code.strip().lower().replace("_", "-")
    region = _table().get(_MEANT.get(plain, plain))
    if region is None and code.strip().isupper():
        region = _from_bare_code(plain)
    if region is None:
        raise RegionError(_unknown(code, plain))
    return region


def _from_bare_code(bare: str) -> Region | None:
    found = [_table().get(f"{parent}-{bare}") for parent in _PARENTS_WITH_BARE_CODES]
    known = [region for region in found if region is not None]
    return known[0] if len(known) == 1 else None


def _unknown(code: str, plain: str) -> str:
    near = ", ".join(f"{region.code} ({region.name})" for region in _nearest(plain))
    return f"there is no region {code!r}" + (f"; did you mean {near}?" if near else "")


def _nearest(plain: str) -> list[Region]:
    """The regions whose code, name or initials (``uk``, ``usa``) come near, best first."""

    def distance(region: Region) -> float:
        name = region.name.lower()
        initials = "".join(word[0] for word in name.split() if word != "of")
        if plain in (initials, name) or (len(plain) > 3 and plain in name):
            return 0.0
        return min(edit_distance(plain, region.code), edit_distance(plain, name) + 0.5)

    near = [(distance(region), len(region.code), region.code) for region in _table().values()]
    return [get(code) for far, _, code in sorted(near)[:_SUGGESTIONS] if far <= len(plain) / 2]
