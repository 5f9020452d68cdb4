"""Training pictures, decoded once and kept as one flat file, so that reading a sample costs no decoding."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]
Record = dict[str, Any]


def load_records(list_file: Path) -> list[Record]:
    """The lines of a JSON Lines list, in order."""
    with list_file.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


@dataclass(frozen=True)
class PackedPictures:
    """Pictures of differing sizes (uint8, h x w x 3, RGB) behind one another in one memory-mapped file.

    The operating system's page cache holds what is used; two trainings share it.
    """

    records: tuple[Record, ...]
    pixels: Pixels
    offsets: npt.NDArray[np.int64]
    shapes: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.records)

    def picture(self, index: int) -> Pixels:
        """A read-only view of one picture."""
        height, width = self.shapes[index]
        start = self.offsets[index]
        return self.pixels[start : start + height * width * 3].reshape(height, width, 3)

    def subset(self, keep: Callable[[Record], bool]) -> npt.NDArray[np.int64]:
        """The indices of the pictures whose record passes ``keep``."""
        return np.array([i for i, record in enumerate(self.records) if keep(record)], np.int64)


def pack_pictures(list_file: Path, cache: Path) -> PackedPictures:
    """Decodes all pictures of a list into ``cache`` (made on the first call, reused afterwards)."""
    records = load_records(list_file)
    pixels_file, index_file = cache.with_suffix(".pixels"), cache.with_suffix(".npz")
    if not index_file.exists():
        _write_cache(records, list_file.parent, pixels_file, index_file)
    with np.load(index_file) as index:
        offsets, shapes = index["offsets"], index["shapes"]
    if len(offsets) != len(records):
        raise ValueError(f"{cache} was made from another list than {list_file}: remove it and run again")
    pixels = np.memmap(pixels_file, np.uint8, "r")
    return PackedPictures(tuple(records), pixels, offsets, shapes)


def _write_cache(records: Sequence[Record], folder: Path, pixels_file: Path, index_file: Path) -> None:
    pixels_file.parent.mkdir(parents=True, exist_ok=True)
    offsets, shapes, position = [], [], 0
    # Workers may do this at the same time: each writes files of its own, and any of them will do.
    pixels_part, index_part = (file.with_name(f"{os.getpid()}_{file.name}") for file in (pixels_file, index_file))
    with pixels_part.open("wb") as out:
        for record in records:
            bgr = cv2.imread(str(folder / record["image"]), cv2.IMREAD_COLOR)
            if bgr is None:
                raise ValueError(f"cannot decode {folder / record['image']}")
            rgb = np.ascontiguousarray(bgr[:, :, ::-1])
            out.write(rgb.tobytes())
            offsets.append(position)
            shapes.append(rgb.shape[:2])
            position += rgb.size
    np.savez(index_part, offsets=np.array(offsets, np.int64), shapes=np.array(shapes, np.int64))
    pixels_part.replace(pixels_file)
    index_part.replace(index_file)
