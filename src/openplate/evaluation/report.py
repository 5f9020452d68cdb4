"""What every evaluation hands back: counted ratios, printable tables and plain values for JSON."""

from __future__ import annotations

import dataclasses
import math
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath

_Z_95 = 1.959964


@dataclass(frozen=True, slots=True)
class Share:
    """``count`` of ``of`` things; its value is None where there is nothing to count."""

    count: int
    of: int

    @property
    def value(self) -> float | None:
        return self.count / self.of if self.of else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """The 95 % confidence interval after Wilson: what a small set leaves open."""
        if not self.of:
            return None
        z2 = _Z_95**2
        center = (self.count + z2 / 2) / (self.of + z2)
        spread = self.count * (self.of - self.count) / self.of + z2 / 4
        half = _Z_95 * math.sqrt(spread) / (self.of + z2)
        return max(0.0, center - half), min(1.0, center + half)

    def __str__(self) -> str:
        return percent(self.value)


@dataclass(frozen=True, slots=True)
class Rate:
    """``count`` things on ``of`` pictures; may be above 1."""

    count: int
    of: int

    @property
    def value(self) -> float | None:
        return self.count / self.of if self.of else None

    def __str__(self) -> str:
        return decimal(self.value)


@dataclass(frozen=True, slots=True)
class Skipped:
    """What an evaluation left out, of how many, and why."""

    what: str
    count: int
    of: int
    reason: str

    def __str__(self) -> str:
        return f"skipped: {self.count} of {self.of} of {self.what}, {self.reason}"


def count_skipped(what: str, reasons: Iterable[str]) -> tuple[Skipped, ...]:
    """One entry per reason, from the reason of each thing; "" stands for a thing that counts."""
    counted = Counter(reasons)
    return tuple(Skipped(what, count, counted.total(), reason) for reason, count in sorted(counted.items()) if reason)


@dataclass(frozen=True, slots=True)
class Table:
    """Cells ready to print; every row is as long as the header."""

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.header):
                raise ValueError(f"a row of {len(row)} cells under {len(self.header)} headings: {row}")


def percent(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.1f} %"


def decimal(value: float | None, digits: int = 3) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def interval(share: Share) -> str:
    bounds = share.interval
    return "-" if bounds is None else f"{100 * bounds[0]:.1f}-{100 * bounds[1]:.1f}"


def share_cells(share: Share) -> tuple[str, str]:
    """Value and "count/of"."""
    return str(share), f"{share.count}/{share.of}"


def plain(value: object) -> object:
    """The same in dicts, lists, strings and numbers, for JSON; a counted ratio also gives its value."""
    if isinstance(value, Share):
        bounds = value.interval
        return {
            "value": value.value,
            "count": value.count,
            "of": value.of,
            "interval_95": None if bounds is None else list(bounds),
        }
    if isinstance(value, Rate):
        return {"value": value.value, "count": value.count, "of": value.of}
    if dataclasses.is_dataclass(value):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, PurePath):
        return str(value)
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [plain(item) for item in value]
    if value is None or isinstance(value, str | int | float):
        return value
    raise TypeError(f"{type(value).__name__} has no place in a report")


@dataclass(frozen=True, slots=True)
class Confusion:
    """``answer`` was given for ``truth``, ``count`` times."""

    truth: str
    answer: str
    count: int


def confusions_of(pairs: Mapping[tuple[str, str], int]) -> tuple[Confusion, ...]:
    """Counted (truth, answer) pairs, most frequent first."""
    ordered = sorted(pairs.items(), key=lambda item: (-item[1], item[0]))
    return tuple(Confusion(truth, answer, count) for (truth, answer), count in ordered)


def confusion_table(title: str, confusions: Sequence[Confusion], limit: int = 20) -> Table:
    rows = tuple((each.truth, each.answer, str(each.count)) for each in confusions[:limit])
    return Table(title, ("truth", "answer", "times"), rows)


class Report(ABC):
    """The common side of all results: ``tables`` to print, the headline first, and ``to_dict`` for JSON."""

    __slots__ = ()

    @abstractmethod
    def tables(self) -> tuple[Table, ...]:
        """Everything to print."""

    def rows(self) -> tuple[tuple[str, ...], ...]:
        """The headline: metric, value, what it was counted over."""
        return self.tables()[0].rows

    def to_dict(self) -> dict[str, object]:
        result = plain(self)
        assert isinstance(result, dict)
        return result
