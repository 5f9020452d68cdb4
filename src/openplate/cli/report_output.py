"""Where the results of measuring go: tables on the screen, plain values in a JSON file."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from openplate.evaluation import Report, Table


def check_json_file(path: Path | None) -> None:
    """Told before an hour of work, not after it."""
    if path is not None and not path.absolute().parent.is_dir():
        raise typer.BadParameter(f"there is no folder {path.parent}", param_hint="--json")


def write_json(path: Path, report: Report) -> None:
    path.write_text(json.dumps(report.to_dict(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def print_tables(tables: Sequence[Table]) -> None:
    for table in tables:
        rows = [table.header, *table.rows]
        widths = [max(len(row[column]) for row in rows) for column in range(len(table.header))]
        lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
        lines.insert(1, "-" * (sum(widths) + 2 * (len(widths) - 1)))
        typer.echo(
            "\n".join((table.title, *("  " + line for line in lines), *("  " + note for note in table.notes), ""))
        )
