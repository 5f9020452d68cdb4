"""One wrong answer, with what is needed to draw it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from openplate.datatypes import Box


@dataclass(frozen=True, slots=True)
class Mistake:
    """A wrong answer about picture ``path``, number ``index`` of those evaluated. ``truth`` and ``answer``
    are shown as they are; the boxes are in pixels of the picture.
    """

    index: int
    path: Path
    set_name: str
    truth: str
    answer: str
    detail: str = ""
    truth_boxes: tuple[Box, ...] = ()
    answer_boxes: tuple[Box, ...] = ()
