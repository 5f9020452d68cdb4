"""The tables of measured figures, from results/*.csv."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from benchmarks.results import RESULTS, ROOT, Row, latest, read_rows

UNMEASURED: Final = "-"
PLOT: Final = ROOT / "docs" / "accuracy_and_time.png"
"""What ``benchmarks.plot`` draws; shown where it is there."""


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def percent(value: float) -> str:
    return f"{100 * value:.1f} %"


def decimal(value: float) -> str:
    return f"{value:.3f}"


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the headline table: a number of results/TASK.csv, and what the best open peer has there."""

    what: str
    task: str
    data: str
    metric: str
    group: str = "all"
    form: Callable[[float], str] = percent
    peer: str = UNMEASURED

    def row(self) -> Row | None:
        return find(self.task, self.data, self.metric, self.group)

    def cells(self) -> tuple[str, str, str, str]:
        row = self.row()
        if row is None:
            return self.what, UNMEASURED, self.peer, UNMEASURED
        return self.what, self.form(float(row["value"])), self.peer, row["count"] or UNMEASURED


def find(task: str, data: str, metric: str, group: str) -> Row | None:
    """The newest row of that metric and group, of the data with that name or of its part for validation."""
    rows = [
        row
        for row in read_rows(RESULTS / f"{task}.csv")
        if row["metric"] == metric and row["group"] == group and row["data"] in {data, f"{data} val"}
    ]
    return rows[-1] if rows else None


def _text(name: str, group: str, data: str = "plate_crops", peer: str = UNMEASURED) -> Figure:
    return Figure(f"exact text, {name}", "reading", data, "exact", f"groups/{group}", peer=peer)


def _attribute(name: str, question: str, metric: str = "top_1") -> Figure:
    return Figure(f"vehicle's {name}", "attributes", "vehicle_crops", metric, f"questions/{question}")


HEADLINE: Final = (
    Figure("plates found (labelled by people, 12 px high or more)", "detection", "scenes", "plates.found_human"),
    Figure("false plates per picture", "detection", "scenes", "plates.false_plates", form=decimal),
    Figure("vehicles, AP50 (one class)", "detection", "scenes", "vehicles.ap50", form=decimal),
    Figure(
        "worst corner of a plate, median error / plate height",
        "detection",
        "scenes",
        "plates.corners.median",
        form=decimal,
    ),
    _text("New York City", "us_nyc", peer="90.8 %"),
    _text("Vietnam (one and two lines)", "vn", peer="93.2 %"),
    _text("Europe (cz, hr, pl, hu, nl, es, se)", "europe", peer="98 %"),
    _text("India", "in", peer="49 %"),
    _text("Indonesia", "id", peer="95 %"),
    _text("Brazil", "br", "dev_eval"),
    _text("Argentina", "ar", "dev_eval"),
    Figure("US state from the look of the plate", "region", "plate_crops", "us_state", "sets/us_states_crops"),
    Figure(
        "calibration error (ECE) of the confidence of a reading", "reading", "plate_crops", "human.ece", form=decimal
    ),
    Figure("the same before calibration", "reading", "plate_crops", "human.ece_raw", form=decimal),
    _attribute("type, balanced over types", "type", "balanced"),
    _attribute("make", "make"),
    _attribute("make and model", "make_model"),
    _attribute("make and model among the best three", "make_model", "top_3"),
    _attribute("years, in spans of five", "year"),
    _attribute("colour", "color"),
    _attribute("front or rear", "front_or_rear"),
    _attribute("view, of eight", "view"),
    Figure("end to end: share of the plates of whole pictures read exactly", "plates", "scenes", "recall"),
    Figure("end to end: share of the answers that are exact", "plates", "scenes", "precision"),
)

_RUNTIMES: Final = {"cpu": "ONNX Runtime", "openvino": "OpenVINO"}


def _speed_rows(measure: str) -> list[Row]:
    rows = [row for row in read_rows(RESULTS / "speed.csv") if row["measure"] == measure]
    return latest(rows, "machine", "mode", "device", "precision")


def _headline_speed() -> list[tuple[str, str, str, str]]:
    rows = []
    for row in _speed_rows("time"):
        if row["precision"] == "auto" and row["device"] in _RUNTIMES:
            what = f"CPU time of a 1280x720 JPEG / that of decoding it, `{row['mode']}`, {_RUNTIMES[row['device']]}"
            peer = "80-100 ms" if row["mode"] == "normal" else UNMEASURED
            rows.append((what, f"{row['ratio']} ({row['median']} ms)", peer, f"plates in it: {row['plates']}"))
    for measure, what in (("start", "start of the command to the first result"), ("memory", "memory, 200 pictures")):
        for row in _speed_rows(measure):
            if row["mode"] == "normal" and row["precision"] == "auto" and row["device"] in _RUNTIMES:
                rows.append((f"{what}, {_RUNTIMES[row['device']]}", f"{row['median']} {row['unit']}", UNMEASURED, ""))
    return rows


def _when(rows: Iterable[Row | None]) -> str:
    """One sentence: dates, commits and machines of the rows."""
    there = [row for row in rows if row is not None]
    if not there:
        return "Nothing has been measured yet."
    dates, commits, machines = (sorted({row[key] for row in there}) for key in ("date", "commit", "machine"))
    return f"Measured {', '.join(dates)} at commit {', '.join(commits)} on {'; '.join(machines)}."


def headline() -> str:
    """The table of README.md."""
    rows = [figure.cells() for figure in HEADLINE] + _headline_speed()
    measured = [figure.row() for figure in HEADLINE] + _speed_rows("time")
    return table(("what", "Openplate", "best open peer", "counted over"), rows) + "\n\n" + _when(measured)


def _newest(task: str) -> list[Row]:
    return latest(read_rows(RESULTS / f"{task}.csv"), "data", "metric", "group")


_LISTS: Final = ("groups", "sets", "lines", "by_height")
"""The lists of the reports whose entries get a line; their own lists within do not."""


def _is_shown(group: str) -> bool:
    return group == "all" or group.startswith("questions/") or (group.count("/") == 1 and group.startswith(_LISTS))


def _by_group(task: str, columns: Mapping[str, str], forms: Mapping[str, Callable[[float], str]]) -> str:
    """One line for each group of each data set, one column for each metric."""
    cells: dict[tuple[str, str], dict[str, Row]] = {}
    for row in _newest(task):
        metric = row["metric"].removeprefix("human.")  # where a report begins with the headline
        if metric in columns and _is_shown(row["group"]):
            cells.setdefault((row["data"], row["group"]), {})[metric] = row
    lines = []
    for (data, group), found in cells.items():
        counted = next((row["count"] for row in found.values() if row["count"]), UNMEASURED)
        values = [
            forms.get(metric, percent)(float(found[metric]["value"])) if metric in found else UNMEASURED
            for metric in columns
        ]
        lines.append([data, group, counted, *values])
    if not lines:
        return _when(())
    body = table(("data", "group", "counted over", *columns.values()), lines)
    return f"{body}\n\n{_when(row for found in cells.values() for row in found.values())}"


def reading() -> str:
    columns = {
        "exact": "exact",
        "within_one_edit": "at most one edit",
        "in_candidates": "in candidates",
        "cer": "CER",
        "ece": "ECE",
    }
    return _by_group("reading", columns, {"cer": decimal, "ece": decimal})


def detection() -> str:
    columns = {
        "plates.found_human": "plates found",
        "plates.false_plates": "false per picture",
        "plates.ap50": "plates AP50",
        "plates.corners.median": "corner error",
        "vehicles.ap50": "vehicles AP50",
    }
    decimals = ("plates.false_plates", "plates.ap50", "plates.corners.median", "vehicles.ap50")
    return _by_group("detection", columns, dict.fromkeys(decimals, decimal))


def plates() -> str:
    columns = {"precision": "precision", "recall": "recall", "f1": "F1", "found": "found", "read": "read of found"}
    return _by_group("plates", columns, {"f1": decimal})


def regions() -> str:
    columns = {"top_1": "top 1", "top_3": "top 3", "country": "country", "us_state": "US state", "ece": "ECE"}
    return _by_group("region", columns, {"ece": decimal})


def attributes() -> str:
    columns = {
        "top_1": "top 1",
        "top_3": "top 3",
        "balanced": "balanced",
        "told": "told",
        "right_where_told": "right where told",
        "ece": "ECE",
    }
    return _by_group("attributes", columns, {"ece": decimal}).replace("| questions/", "| ")


def speed() -> str:
    """Processor time, memory and start: every mode, device and precision on every machine."""
    order = ("decoding", "time", "attributes", "memory", "start")
    rows = [row for measure in order for row in _speed_rows(measure)]
    if not rows:
        return _when(())
    header = ("machine", "features", "measure", "mode", "device", "precision", "least", "median", "/ decoding")
    lines = [
        [
            *(row[key] or UNMEASURED for key in ("machine", "features", "measure", "mode", "device", "precision")),
            f"{row['minimum']} {row['unit']}",
            f"{row['median']} {row['unit']}",
            row["ratio"] or UNMEASURED,
        ]
        for row in rows
    ]
    plot = f"\n\n![Accuracy against processor time]({PLOT.name})" if PLOT.is_file() else ""
    return f"{table(header, lines)}\n\n{_when(rows)}{plot}"


_SERVE_COLUMNS = (
    "workers",
    "clients",
    "requests",
    "refused",
    "per_second",
    "p50_ms",
    "p95_ms",
    "p99_ms",
    "p99_ratio",
    "overhead_ratio",
    "memory_mb",
    "growth_mb",
)


def serve() -> str:
    """The server under load: every measure, number of workers and number of clients on every machine."""
    rows = latest(read_rows(RESULTS / "serve.csv"), "machine", "measure", "workers", "clients")
    if not rows:
        return _when(())
    header = (
        "machine",
        "measure",
        "workers",
        "clients",
        "requests",
        "503",
        "per second",
        "p50 ms",
        "p95 ms",
        "p99 ms",
        "p99 / ideal",
        "overhead / decoding",
        "memory MB",
        "growth MB",
    )
    lines = [[row["machine"], row["measure"], *(row[key] or UNMEASURED for key in _SERVE_COLUMNS)] for row in rows]
    return f"{table(header, lines)}\n\n{_when(rows)}"


_WATCH_COST: Final = {
    "cameras_per_core": "cameras per core",
    "cpu_decoded_ms": "decoded frame, ms",
    "cpu_analysed_ms": "analysed frame, ms",
    "decode_ms": "decode",
    "gate_ms": "gate",
    "colors_ms": "colours",
    "detect_ms": "detect",
    "corners_ms": "corners",
    "read_ms": "read",
    "region_ms": "region",
    "track_ms": "track, group",
}
_WATCH_LIVE: Final = {
    "cameras": "cameras",
    "workers": "workers",
    "clocks": "clocks",
    "seconds": "seconds",
    "frames": "frames",
    "dropped": "dropped",
    "groups": "groups",
    "preview_p50_ms": "preview p50 ms",
    "preview_p95_ms": "p95",
    "closed_p50_ms": "report p50 ms",
    "closed_p95_ms": "p95",
    "cores_used": "cores used",
    "others_cores": "by others",
    "camera_mb": "MB per camera",
    "growth_mb": "growth MB",
}
_WATCH_MEMORY: Final = {
    "cameras": "cameras",
    "seconds": "seconds of video",
    "wall_s": "shown in, s",
    "frames": "frames",
    "analysed": "analysed",
    "groups": "groups",
    "memory_mb": "most MB",
    "camera_mb": "MB per camera",
    "growth_mb": "growth MB",
}


def watch() -> str:
    """What a camera costs, how live ones do, and their memory: every scene, device and rate on every machine."""
    keys = ("machine", "measure", "device", "scene", "camera_fps", "analysed_fps", "cameras", "workers", "clocks")
    rows = latest(read_rows(RESULTS / "watch.csv"), *keys)
    if not rows:
        return _when(())
    shared = ("machine", "device", "scene", "camera_fps", "analysed_fps")
    parts = []
    for measure, columns in (("cost", _WATCH_COST), ("live", _WATCH_LIVE), ("memory", _WATCH_MEMORY)):
        lines = [
            [*(row[key] for key in shared), *(row[key] or UNMEASURED for key in columns)]
            for row in rows
            if row["measure"] == measure
        ]
        if lines:
            parts.append(table(("machine", "device", "scene", "fps", "analysed fps", *columns.values()), lines))
    return "\n\n".join([*parts, _when(rows)])
