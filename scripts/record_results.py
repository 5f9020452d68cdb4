"""Adds what `openplate evaluate TASK DATA --json FILE` measured to results/TASK.csv.

    openplate evaluate reading DATA/plate_crops --split val --json reading.json
    python -m scripts.record_results reading reading.json --data "plate_crops val"

One row for each number: `metric` is its path in the report, `group` what part of the data it is over ("all",
or the list and the entry it stands in, like "groups/europe" or "sets/cz_iwt_crops"), `count` how many things
it was counted over where the report says so.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.results import ACCURACY_COLUMNS, RESULTS, append_rows, origin

from openplate.models import catalog

WEIGHTS = {
    "detection": ("detector",),
    "reading": ("reader",),
    "region": ("region",),
    "plates": ("detector", "reader", "region"),
    "attributes": ("attributes",),
}
"""Which networks an evaluation measures."""

_NAMES = ("name", "set_name", "type", "code")
"""What the entries of a report's lists are called by."""

_LEFT_OUT = ("bins", "confusions", "skipped", "sweep", "pairs", "wrong")
"""Lists that are for looking at, not for comparing."""


class Number(NamedTuple):
    """One number of a report."""

    metric: str
    group: str
    value: float
    counted: int | None


def numbers(report: Mapping[str, Any], path: str = "", group: str = "all") -> Iterator[Number]:
    """Every number of a report (``Report.to_dict``) with its place; what is None is left out."""
    for key, value in report.items():
        below = path if key == "scores" else f"{path}.{key}".lstrip(".")
        if isinstance(value, Mapping) and "of" in value:
            if value["value"] is not None:
                yield Number(below, group, value["value"], value["of"])
        elif isinstance(value, Mapping):
            yield from numbers(value, below, group)
        elif isinstance(value, list) and key not in _LEFT_OUT:
            yield from _listed(key, value, path, group)
        elif isinstance(value, int | float):
            yield Number(below, group, value, None)


def _listed(key: str, entries: Sequence[Any], path: str, group: str) -> Iterator[Number]:
    for entry in entries:
        if isinstance(entry, Mapping):
            name = _name(entry)
            inside = f"{key}/{name}" if group == "all" else f"{group}/{key}/{name}"
            content = {field: value for field, value in entry.items() if field not in ("low_px", "high_px")}
            yield from numbers(content, path, inside)


def _name(entry: Mapping[str, Any]) -> str:
    """What an entry is called; a bucket of heights is "12-16 px" or "48 px and more"."""
    for field in _NAMES:
        if field in entry:
            return str(entry[field])
    low, high = entry["low_px"], entry["high_px"]
    return f"{low:g} px and more" if high is None else f"{low:g}-{high:g} px"


def weights_name(task: str) -> str:
    """The measured networks with version and the beginning of the sum of their float file."""
    cards = [catalog.card(name) for name in WEIGHTS[task]]
    return ", ".join(f"{card.name} {card.version} {card.files['float'].sha256[:8]}" for card in cards)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m scripts.record_results", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("task", choices=tuple(WEIGHTS))
    parser.add_argument("file", type=Path, help="what --json wrote")
    parser.add_argument("--data", required=True, help="name of the labelled pictures, such as 'plate_crops val'")
    parser.add_argument("--output", type=Path, help="default: results/TASK.csv")
    parsed = parser.parse_args(arguments)
    document = json.loads(parsed.file.read_text(encoding="utf-8"))
    report = document.get("report", document)
    common = {**origin(), "weights": weights_name(parsed.task), "data": parsed.data}
    rows = [
        {
            **common,
            "metric": number.metric,
            "group": number.group,
            "value": f"{number.value:.6g}",
            "count": "" if number.counted is None else str(number.counted),
        }
        for number in numbers(report)
    ]
    path = parsed.output or RESULTS / f"{parsed.task}.csv"
    append_rows(path, ACCURACY_COLUMNS, rows)
    print(f"{len(rows)} rows added to {path}")


if __name__ == "__main__":
    main()
