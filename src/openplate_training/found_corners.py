"""Where the plates of crops are, as the shipped corner network finds them: what the reading networks get in use."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import numpy.typing as npt

from openplate.corner_refiner import CornerRefiner
from openplate.datatypes import Corners
from openplate.models import catalog
from openplate_training.data import PackedPictures
from openplate_training.reader_data import true_corners

ROUNDS = 2
Floats = npt.NDArray[np.float64]


def found_corners(crops: PackedPictures, cache: Path) -> Floats:
    """The labelled corners (n, 4, 2) of each crop, or where there are none those found in its box.

    Kept in ``cache`` until the corner network is another one.
    """
    sha256 = catalog.card("corners").files["float"].sha256
    file = cache.with_name(f"{cache.name}_corners_{sha256[:12]}.npy")
    if not file.exists():
        refiner = CornerRefiner.open("cpu", "float")
        found = np.stack([_found(crops, index, refiner) for index in range(len(crops))])
        unfinished = file.with_name(f"{os.getpid()}_{file.name}")  # workers may do this at the same time
        np.save(unfinished, found)
        unfinished.replace(file)
    return np.asarray(np.load(file), np.float64)


def _found(crops: PackedPictures, index: int, refiner: CornerRefiner) -> Floats:
    record = crops.records[index]
    known = true_corners(record)
    if record["corners"]:
        return known
    (corners,) = refiner.refine(crops.picture(index), [Corners.from_points(known)], ROUNDS)
    return np.array(corners.as_tuple(), np.float64)
