"""How plates of a picture are read: where their corners say, and elsewhere where that leads to no sure text."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from openplate.corner_refiner import CornerRefiner
from openplate.datatypes import Box, Corners
from openplate.ocr import Reader, Spelling

Pixels = npt.NDArray[np.uint8]

_SURE_PLACE = 0.7  # a text that is less likely may come from wrong corners


def read_plates(
    reader: Reader,
    refiner: CornerRefiner,
    pixels: Pixels,
    corners: Sequence[Corners],
    boxes: Sequence[Box] | None = None,
    top_n: int = 10,
) -> list[tuple[Spelling, Corners]]:
    """What the plates of a picture (h, w, 3) say, each with the corners that it was read from.

    Args:
        reader, refiner: the networks.
        pixels: the picture.
        corners: of the plates.
        boxes: where the plates are known to be, however their corners were found. A plate without a sure text is
            also read from its box, and from corners that were found in one round only; the likeliest text counts.
        top_n: most candidates of each.
    """
    readings = list(zip(reader.read_plates(pixels, corners, top_n), corners, strict=True))
    for i, box in enumerate(boxes or ()):
        spelling, _ = readings[i]
        if spelling.reading.text and spelling.probability < _SURE_PLACE:
            whole = Corners.from_box(box)
            places = [whole, *refiner.refine(pixels, [whole], 1)]
            others = zip(reader.read_plates(pixels, places, top_n), places, strict=True)
            readings[i] = max((readings[i], *others), key=lambda reading: reading[0].probability)
    return readings
