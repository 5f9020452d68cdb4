"""A folder of wrong answers to look at: one numbered picture each, contact sheets per set, and a list."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from openplate.evaluation.drawing import PAPER, draw_mistake, printable
from openplate.evaluation.mistakes import Mistake
from openplate.imaging import Image, Pixels, encode_jpeg, encode_png

__all__ = ["LIST_NAME", "ErrorGallery", "draw_mistake", "safe_name"]

LIST_NAME = "errors.jsonl"

_OWN_FILE = re.compile(r"\d{4,}_[\w.-]*\.jpg|sheet_[\w.-]*\.png", re.ASCII)
_TILE_WIDTH_PX = 320
_COLUMNS = 4
_TILES_PER_SHEET = 48


def safe_name(text: str, limit: int = 24) -> str:
    """A piece of a file name: ASCII letters, digits and "-" only, never empty."""
    return re.sub(r"[^A-Za-z0-9]+", "-", printable(text, 200)).strip("-")[:limit].rstrip("-") or "nothing"


@dataclass
class ErrorGallery:
    """Writes into ``folder``: ``0001_<set>_<truth>_<answer>.jpg`` and so on as they are added, contact sheets
    ``sheet_<set>_1.png`` and on, and ``errors.jsonl``, one line per mistake. Use it in a ``with`` statement.

    What an earlier gallery left there is removed first: the files that its list names, nothing else.

    Raises:
        OSError: the folder cannot be written.
    """

    folder: Path
    count: int = 0
    _tiles: dict[str, list[Pixels]] = field(default_factory=dict)
    _sheets: dict[str, int] = field(default_factory=dict)

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        _remove_earlier(self.folder)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for set_name in list(self._tiles):
            self._write_sheet(set_name)

    def add(self, image: Image, mistake: Mistake) -> Path:
        """Draw one mistake on its picture; the path of the file written."""
        self.count += 1
        parts = (mistake.set_name, mistake.truth, mistake.answer)
        name = f"{self.count:04d}_" + "_".join(safe_name(part) for part in parts) + ".jpg"
        path = self.folder / name
        path.write_bytes(encode_jpeg(draw_mistake(image, mistake)))
        self._note(name, mistake)
        tiles = self._tiles.setdefault(mistake.set_name, [])
        tiles.append(draw_mistake(image, mistake, _TILE_WIDTH_PX).pixels)
        if len(tiles) == _TILES_PER_SHEET:
            self._write_sheet(mistake.set_name)
        return path

    def _write_sheet(self, set_name: str) -> None:
        number = self._sheets.get(set_name, 0) + 1
        self._sheets[set_name] = number
        name = f"sheet_{safe_name(set_name, 60)}_{number}.png"
        (self.folder / name).write_bytes(encode_png(Image(_sheet(self._tiles.pop(set_name)))))
        self._append({"file": name})

    def _note(self, name: str, mistake: Mistake) -> None:
        self._append(
            {
                "file": name,
                "image": str(mistake.path),
                "set": mistake.set_name,
                "truth": mistake.truth,
                "answer": mistake.answer,
                "detail": mistake.detail,
            }
        )

    def _append(self, entry: dict[str, str]) -> None:
        with (self.folder / LIST_NAME).open("a", encoding="utf-8") as file:
            file.write(json.dumps(entry, ensure_ascii=False) + "\n")


def _sheet(tiles: list[Pixels]) -> Pixels:
    """Tiles in rows of four, each row as high as its highest tile."""
    rows = [_row(tiles[start : start + _COLUMNS]) for start in range(0, len(tiles), _COLUMNS)]
    return np.vstack(rows)


def _row(tiles: list[Pixels]) -> Pixels:
    height = max(tile.shape[0] for tile in tiles) + 8
    row = np.full((height, _COLUMNS * _TILE_WIDTH_PX, 3), PAPER, dtype=np.uint8)
    for column, tile in enumerate(tiles):
        left = column * _TILE_WIDTH_PX
        row[: tile.shape[0], left : left + tile.shape[1]] = tile
    return row


def _remove_earlier(folder: Path) -> None:
    listed = folder / LIST_NAME
    if not listed.is_file():
        return
    for line in listed.read_text(encoding="utf-8", errors="replace").splitlines():
        name = _listed_file(line)
        if name is not None and _OWN_FILE.fullmatch(name):
            (folder / name).unlink(missing_ok=True)
    listed.unlink()


def _listed_file(line: str) -> str | None:
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    name = entry.get("file") if isinstance(entry, dict) else None
    return name if isinstance(name, str) else None
