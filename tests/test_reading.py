"""Plates are read where their corners say, and from their boxes where that leads to no sure text."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from openplate.datatypes import Box, Corners, PlateReading
from openplate.ocr import Spelling
from openplate.reading import read_plates

BOX = Box(20, 30, 120, 60)
WRONG = Corners.from_box(Box(0, 0, 30, 30))
REFINED = Corners.from_box(Box(22, 31, 119, 59))
PIXELS: NDArray[np.uint8] = np.zeros((100, 200, 3), np.uint8)


class KnownTexts:
    """A reader that knows what stands at each place, and how sure that is; and the corner network beside it."""

    def __init__(self, texts: dict[Corners, tuple[str, float]]) -> None:
        self.texts, self.places, self.rounds = texts, list[Corners](), list[int]()

    def read_plates(self, _pixels: object, corners: list[Corners], _top_n: int) -> list[Spelling]:
        self.places += corners
        found = [self.texts.get(place, ("", 1.0)) for place in corners]
        return [Spelling(PlateReading(text, sure), (), sure) for text, sure in found]

    def refine(self, _pixels: object, corners: list[Corners], rounds: int) -> list[Corners]:
        self.rounds.append(rounds)
        return [REFINED for _ in corners]


@pytest.mark.parametrize(
    ("at_corners", "at_box", "at_refined", "text"),
    [
        (("AB1", 0.9), ("XY2", 0.99), ("XY2", 0.99), "AB1"),  # sure at once: no other place is tried
        (("AB1", 0.2), ("XY2", 0.6), ("ZW3", 0.5), "XY2"),
        (("AB1", 0.2), ("XY2", 0.5), ("ZW3", 0.6), "ZW3"),
        (("AB1", 0.5), ("XY2", 0.4), ("ZW3", 0.3), "AB1"),
        (("", 1.0), ("XY2", 0.9), ("XY2", 0.9), ""),  # sure that there is no text
    ],
)
def test_table_of_places(
    at_corners: tuple[str, float], at_box: tuple[str, float], at_refined: tuple[str, float], text: str
) -> None:
    known = KnownTexts({WRONG: at_corners, Corners.from_box(BOX): at_box, REFINED: at_refined})
    ((spelling, place),) = read_plates(known, known, PIXELS, [WRONG], [BOX])  # type: ignore[arg-type]
    assert spelling.reading.text == text
    assert known.texts[place][0] == text
    is_tried = bool(at_corners[0]) and at_corners[1] < 0.7
    assert len(known.places) == (3 if is_tried else 1)
    assert known.rounds == ([1] if is_tried else [])


def test_without_boxes_only_the_corners_count() -> None:
    known = KnownTexts({WRONG: ("AB1", 0.1), REFINED: ("XY2", 0.9)})
    readings = read_plates(known, known, PIXELS, [WRONG, REFINED])  # type: ignore[arg-type]
    assert [(spelling.reading.text, place) for spelling, place in readings] == [("AB1", WRONG), ("XY2", REFINED)]
    assert read_plates(known, known, PIXELS, [], []) == []  # type: ignore[arg-type]
