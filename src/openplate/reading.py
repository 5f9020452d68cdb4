"""How plates of a picture are read: where their corners say, and elsewhere where that leads to no sure text; how look
and text of a plate settle its region, and the region its text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from openplate.corner_refiner import CornerRefiner
from openplate.datatypes import Box, Corners, Guess, PlateReading
from openplate.ocr import Reader, Spelling
from openplate.options import RecognitionOptions
from openplate.regions import certain, combine, guide_reading, is_code, parse_text_formats
from openplate.stages import Stages

Pixels = npt.NDArray[np.uint8]

_SURE_PLACE = 0.7  # a text that is less likely may come from wrong corners
_CONFIDENT_REGION = 0.35  # from here on the look of a plate says which formats its text may have
_MOST_REGIONS = 5


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


class GuidedReader:
    """Reads plates with their regions, as the options guide it; threads may share one.

    Attributes:
        is_strict: only texts that have exactly a form of those asked for are kept.
    """

    def __init__(self, stages: Stages, options: RecognitionOptions) -> None:
        """Raises RegionError for an unknown code in ``options.regions``."""
        self._stages, self._options = stages, options
        self._guides = certain(options.regions)
        self._formats = parse_text_formats(options.text_formats)
        self.is_strict = options.strict and bool(self._guides or self._formats)

    def read(
        self, pixels: Pixels, corners: Sequence[Corners], boxes: Sequence[Box] | None = None
    ) -> list[PlateReading | None]:
        """What the plates at those places of a picture (h, w, 3) say; None where nothing can be read.

        ``boxes`` are the plates' boxes, where these are known apart from the corners: they help where the corners
        lead to no sure text. ``threshold_reading`` is not applied: every answer comes with its confidence.
        """
        if self._options.mode == "fast":
            return self._read_once(pixels, corners)
        stages = self._stages
        read = read_plates(stages.reader, stages.corner_refiner, pixels, corners, boxes, self._options.top_n)
        looks = stages.region_classifier.classify_plates(pixels, [place for _, place in read])
        return [self._settle(spelling, look) for (spelling, _), look in zip(read, looks, strict=True)]

    def _read_once(self, pixels: Pixels, corners: Sequence[Corners]) -> list[PlateReading | None]:
        """What plates say at one look. Its steps are in the order in which they leave each other the warmest cache."""
        reader, regions, top_n = self._stages.reader, self._stages.region_classifier, self._options.top_n
        crops = [reader.rectify(pixels, each) for each in corners]
        higher_crops = [regions.rectify(pixels, each) for each in corners]
        answers, logits = reader.answers(crops), regions.logits(higher_crops)
        looks = regions.guesses(logits)
        return [self._settle(reader.spell([answer], top_n), look) for answer, look in zip(answers, looks, strict=True)]

    def _settle(self, spelling: Spelling, look: tuple[Guess, ...]) -> PlateReading | None:
        """Look and text together: the region's formats settle characters, the text speaks for a region."""
        reading = spelling.reading
        if not reading.text:
            return None
        guesses = combine(look, reading.text, reading.confidence)
        seen = tuple(g for g in guesses if g.confidence >= _CONFIDENT_REGION and is_code(g.value))
        # Who names a form knows the plates better than their look does.
        guides = self._guides or (() if self._formats else seen)
        guided = guide_reading(
            reading, spelling.alternatives, regions=guides, formats=self._formats, strict=self.is_strict
        )
        if guided is None:
            return None
        if guided.text != reading.text:
            guesses = combine(look, guided.text, guided.confidence)
        top = self._options.top_n
        return replace(guided, candidates=guided.candidates[:top], regions=guesses[:_MOST_REGIONS])
