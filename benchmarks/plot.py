"""Draws accuracy against processor time, from results/*.csv, into docs/accuracy_and_time.png.

    python -m benchmarks.plot [--output FILE]

Across: processor time of one picture in times of decoding it alone. Up: the share of the plates of whole
pictures that is read exactly, end to end; the numbers stand in the legend. Rows of `plates` whose data's
name names a mode ("scenes val fast") belong to that mode, all others to `normal`.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import matplotlib

from benchmarks.results import RESULTS, ROOT, latest, read_rows

matplotlib.use("Agg")  # before pyplot: it draws into a file, no screen is needed
from matplotlib import pyplot

OUTPUT = ROOT / "docs" / "accuracy_and_time.png"
MODES = ("fast", "normal", "redaction")
MARKERS = "os^vD*PX<>ph"


class Point(NamedTuple):
    """One way to run Openplate."""

    label: str
    times_decoding: float
    read: float


def _read_by_mode() -> dict[str, float]:
    """The share of plates read end to end for each mode that was measured."""
    rows = [row for row in read_rows(RESULTS / "plates.csv") if (row["metric"], row["group"]) == ("recall", "all")]
    named = {row["data"]: float(row["value"]) for row in latest(rows, "data") if row["data"].startswith("scenes")}
    return {
        next((mode for mode in MODES if data.endswith(f" {mode}")), "normal"): value for data, value in named.items()
    }


def points() -> list[Point]:
    """Every mode, device and precision of which accuracy and time were measured; what `auto` picks is one of them."""
    read = _read_by_mode()
    rows = [row for row in read_rows(RESULTS / "speed.csv") if row["measure"] == "time" and row["mode"] in read]
    return [
        Point(f"{row['mode']} {row['device']} {row['precision']}", float(row["ratio"]), read[row["mode"]])
        for row in latest(rows, "mode", "device", "precision")
        if row["precision"] != "auto"
    ]


def draw(measured: Sequence[Point], output: Path) -> None:
    figure, axes = pyplot.subplots(figsize=(8, 4.5), dpi=120, layout="constrained")
    for number, point in enumerate(sorted(measured, key=lambda point: point.times_decoding)):
        marker = MARKERS[number % len(MARKERS)]
        note = f"{point.label}: {point.times_decoding:.1f} x, {100 * point.read:.1f} %"
        axes.plot(point.times_decoding, 100 * point.read, marker, markersize=9, alpha=0.75, label=note)
    axes.legend(fontsize=8, loc="upper left", bbox_to_anchor=(1, 1))
    axes.set_xlabel("processor time of a 1280x720 JPEG, decoding alone = 1")
    axes.set_ylabel("plates read exactly, end to end (%)")
    axes.set_xlim(0, 1.3 * max(point.times_decoding for point in measured))
    axes.margins(y=0.2)
    axes.grid(visible=True, alpha=0.3)
    figure.savefig(output)
    pyplot.close(figure)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.plot", description="Draw accuracy against time.")
    parser.add_argument("--output", type=Path, default=OUTPUT)
    output = parser.parse_args(arguments).output
    measured = points()
    if not measured:
        raise SystemExit("results/speed.csv and results/plates.csv hold no mode of which both were measured")
    draw(measured, output)
    print(f"{len(measured)} points drawn into {output}")


if __name__ == "__main__":
    main()
