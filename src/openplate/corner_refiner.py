"""The corners of plates, found again from close up: the detector sees a plate in a few pixels of a reduced picture."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite

import numpy as np
import numpy.typing as npt

from openplate.datatypes import Corners, Point
from openplate.imaging import batch, least_turn, plate_view, project, target_corners
from openplate.models import Device, Precision
from openplate.models.catalog import open_session
from openplate.models.session import Session

Pixels = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float64]

MARGIN_X, MARGIN_Y = 0.2, 0.4
"""What the network sees around a plate, as fractions of its width and height."""
_BATCH = 16


def plate_frame(width: int, height: int) -> tuple[Floats, Floats]:
    """The corners (4, 2) that a view of that size starts from, and the plate's width and height in it (pixels)."""
    start = target_corners(width, height, MARGIN_X, MARGIN_Y)
    return start, start[2] - start[0]


def view_of(pixels: Pixels, corners: Corners, width: int, height: int) -> tuple[Pixels, Floats]:
    """The network's input (height, width, 3), and the homography (3, 3) from it to the picture."""
    return plate_view(pixels, corners, width, height, MARGIN_X, MARGIN_Y)


class CornerRefiner:
    """The corner network, ready to run; threads may share one."""

    def __init__(self, session: Session) -> None:
        self._session = session
        card = session.card
        self.name = f"{card.name} {card.version}"
        self.width, self.height = card.input.width, card.input.height
        start, size = plate_frame(self.width, self.height)
        self._start, (self._width, self._height) = start.tolist(), size.tolist()

    @classmethod
    def open(cls, device: Device = "auto", precision: Precision = "auto", *, workers: int = 1) -> CornerRefiner:
        """The corner network that comes with the package."""
        return cls(open_session("corners", device, precision, workers=workers))

    def refine(self, pixels: Pixels, corners: Sequence[Corners], rounds: int = 1) -> list[Corners]:
        """Better corners for each plate of a picture (h, w, 3), from corners that are about right.

        ``rounds`` is how often the network looks, each time from where it last found the corners. Where the
        answer encloses nothing, the corners stay as they were.
        """
        found = list(corners)
        for _ in range(rounds):
            for first in range(0, len(found), _BATCH):
                found[first : first + _BATCH] = self._look(pixels, found[first : first + _BATCH])
        return found

    def _look(self, pixels: Pixels, corners: Sequence[Corners]) -> list[Corners]:
        views = [view_of(pixels, each, self.width, self.height) for each in corners]
        (offsets,) = self._session.run(batch([view for view, _ in views]))
        found = []
        for old, moves, (_, to_picture) in zip(corners, offsets.reshape(-1, 4, 2).tolist(), views, strict=True):
            points = [
                (x + self._width * dx, y + self._height * dy)
                for (x, y), (dx, dy) in zip(self._start, moves, strict=True)
            ]
            found.append(Corners.from_points(project(to_picture, points)) if _is_sound(points) else old)
        return found


def _is_sound(points: Sequence[Point]) -> bool:
    """Whether four points go clockwise around something."""
    return all(isfinite(x) and isfinite(y) for x, y in points) and least_turn(points) > 0
