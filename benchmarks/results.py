"""The measured rows in results/*.csv: which columns they have, who measured them, reading and appending."""

from __future__ import annotations

import csv
import datetime
import os
import platform
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parent.parent
RESULTS: Final = ROOT / "results"

ACCURACY_COLUMNS: Final = (
    "date",
    "commit",
    "machine",
    "weights",
    "data",
    "metric",
    "group",
    "value",
    "count",
)
SPEED_COLUMNS: Final = (
    "date",
    "commit",
    "machine",
    "features",
    "measure",
    "mode",
    "device",
    "precision",
    "picture",
    "plates",
    "minimum",
    "median",
    "unit",
    "decoding",
    "ratio",
)
SERVE_COLUMNS: Final = (
    "date",
    "commit",
    "machine",
    "features",
    "measure",
    "workers",
    "clients",
    "picture",
    "requests",
    "refused",
    "per_second",
    "p50_ms",
    "p95_ms",
    "p99_ms",
    "ideal_ms",
    "p99_ratio",
    "server_cpu_ms",
    "engine_cpu_ms",
    "decoding_cpu_ms",
    "overhead_ratio",
    "memory_mb",
    "growth_mb",
)
WATCH_COLUMNS: Final = (
    "date",
    "commit",
    "machine",
    "features",
    "measure",
    "device",
    "scene",
    "camera_fps",
    "analysed_fps",
    "cameras",
    "workers",
    "clocks",
    "seconds",
    "wall_s",
    "frames",
    "dropped",
    "analysed",
    "groups",
    "cpu_decoded_ms",
    "cpu_analysed_ms",
    "decode_ms",
    "gate_ms",
    "colors_ms",
    "detect_ms",
    "corners_ms",
    "read_ms",
    "region_ms",
    "track_ms",
    "cameras_per_core",
    "cores_used",
    "others_cores",
    "preview_p50_ms",
    "preview_p95_ms",
    "closed_p50_ms",
    "closed_p95_ms",
    "memory_mb",
    "camera_mb",
    "growth_mb",
)

_FEATURES: Final = {
    "amx_int8": "AMX int8",
    "amx_bf16": "AMX bfloat16",
    "avx512_vnni": "AVX-512 VNNI",
    "avx_vnni": "AVX VNNI",
    "avx512_bf16": "AVX-512 bfloat16",
    "avx512f": "AVX-512",
    "avx2": "AVX2",
    "asimddp": "NEON dot product",
    "i8mm": "NEON int8 matrices",
}
"""What speeds networks up, by the kernel's name for it, in the order in which it is told."""

Row = Mapping[str, str]


def _cpuinfo(*keys: str) -> str:
    """The first value in the kernel's list of processors under one of the keys; "" where there is none."""
    path = Path("/proc/cpuinfo")
    if not path.is_file():
        return ""
    for line in path.read_text(encoding="utf-8").splitlines():
        key, _, value = line.partition(":")
        if key.strip() in keys:
            return value.strip()
    return ""


def processor_features() -> tuple[str, ...]:
    """Which of the instructions that speed networks up this processor has."""
    flags = set(_cpuinfo("flags", "Features").split())
    return tuple(name for flag, name in _FEATURES.items() if flag in flags)


def machine_name() -> str:
    """Processor and number of cores."""
    name = _cpuinfo("model name") or platform.processor() or platform.machine()
    return f"{' '.join(name.split())}, {os.cpu_count()} cores"


def commit_name() -> str:
    """The commit that is checked out, with "+" when files of the program differ from it."""

    def git(*arguments: str) -> str:
        run = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True)
        return run.stdout.strip()

    return git("rev-parse", "--short=7", "HEAD") + ("+" if git("status", "--porcelain", "src/openplate") else "")


def origin() -> dict[str, str]:
    """The columns that say when, from what and where a row was measured."""
    return {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "commit": commit_name(),
        "machine": machine_name(),
    }


def read_rows(path: Path) -> list[dict[str, str]]:
    """The rows of a file, oldest first; none where there is no such file."""
    if not path.is_file():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def append_rows(path: Path, columns: tuple[str, ...], rows: Iterable[Row]) -> None:
    """Adds rows at the end of a file, which is made with its header if it is not there."""
    is_new = not path.is_file()
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        if is_new:
            writer.writeheader()
        writer.writerows(rows)


def latest(rows: Iterable[Row], *keys: str) -> list[Row]:
    """Of the rows that agree in all of ``keys`` the one that was appended last, in the order of first mention."""
    newest: dict[tuple[str, ...], Row] = {}
    for row in rows:
        newest[tuple(row[key] for key in keys)] = row
    return list(newest.values())
