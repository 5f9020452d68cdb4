"""Where in a camera's picture to look: polygons, or a picture that is black where nothing counts."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from openplate.datatypes import Box, Point, Recognition
from openplate.geometry import is_inside
from openplate.imaging import DEFAULT_LIMITS, Image, ImageLimits, Pixels

Mask = NDArray[np.bool_]
_BLACK = 32  # levels of brightness; JPEG leaves noise in what was black
_GRID = (256, 144)


@dataclass(frozen=True, slots=True, eq=False)
class Zone:
    """The part of a picture that counts; a thing is in it when the centre of its box is.

    Both ways of saying it hold for pictures of any size.

    Attributes:
        polygons: corners as shares of width and height, 0 to 1; what lies in any of them counts. Empty: everything.
        mask: (height, width) of any size, true where something counts; None: everywhere.
    """

    polygons: tuple[tuple[Point, ...], ...] = ()
    mask: Mask | None = None

    def __post_init__(self) -> None:
        for polygon in self.polygons:
            if len(polygon) < 3:
                raise ValueError(f"a polygon needs three corners or more, not {len(polygon)}")
            if not all(0.0 <= value <= 1.0 for point in polygon for value in point):
                raise ValueError(f"corners are shares of width and height, 0 to 1, not {polygon}")
        if self.mask is not None and (self.mask.ndim != 2 or self.mask.size == 0):
            raise ValueError(f"a mask must have the shape (height, width), not {self.mask.shape}")

    @classmethod
    def from_polygons(cls, polygons: Iterable[Sequence[Point]]) -> Zone:
        """Corners as shares of width and height."""
        return cls(tuple(tuple((float(x), float(y)) for x, y in polygon) for polygon in polygons))

    @classmethod
    def from_image(cls, image: Image) -> Zone:
        """Black where nothing counts."""
        return cls(mask=image.pixels.max(axis=2) >= _BLACK)

    @classmethod
    def from_path(cls, path: str | os.PathLike[str], limits: ImageLimits = DEFAULT_LIMITS) -> Zone:
        """From a picture file that is black where nothing counts. Raises ImageError where it cannot be used."""
        return cls.from_image(Image.from_path(Path(path), limits))

    def has(self, box: Box, width: int, height: int) -> bool:
        """Whether the centre of a box, in a picture of that size, lies in the zone."""
        x, y = box.center
        return bool(self._has(np.array([[x / width, y / height]]))[0])

    def _has(self, points: NDArray[np.float64]) -> Mask:
        """For points (n, 2) as shares."""
        has: Mask = np.ones(len(points), bool)
        if self.polygons:
            has = np.any([is_inside(points, polygon) for polygon in self.polygons], axis=0)
        if self.mask is not None:
            rows, columns = self.mask.shape
            column = np.clip((points[:, 0] * columns).astype(int), 0, columns - 1)
            row = np.clip((points[:, 1] * rows).astype(int), 0, rows - 1)
            has = has & self.mask[row, column]
        return has

    def select(self, recognition: Recognition) -> Recognition:
        """Without the plates and vehicles outside."""
        width, height = recognition.width, recognition.height
        kept = [i for i, v in enumerate(recognition.vehicles) if self.has(v.detection.box, width, height)]
        places = {old: new for new, old in enumerate(kept)}
        plates = tuple(
            replace(plate, vehicle_index=None if plate.vehicle_index is None else places.get(plate.vehicle_index))
            for plate in recognition.plates
            if self.has(plate.detection.box, width, height)
        )
        return replace(recognition, plates=plates, vehicles=tuple(recognition.vehicles[i] for i in kept))

    def ignored(self) -> Pixels:
        """The rest as a motion gate takes it: uint8 (height, width) of a small size, 255 where nothing counts."""
        columns, rows = _GRID
        x, y = np.meshgrid((np.arange(columns) + 0.5) / columns, (np.arange(rows) + 0.5) / rows)
        has = self._has(np.stack([x.ravel(), y.ravel()], axis=1)).reshape(rows, columns)
        return np.where(has, 0, 255).astype(np.uint8)
