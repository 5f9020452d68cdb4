"""One picture of a camera or a video, with where and when it was taken."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Protocol

import cv2
import numpy as np

from openplate.imaging.decoding import Pixels
from openplate.imaging.image import Image


class Picture(Protocol):
    """A decoded picture whose colours are made only when they are wanted."""

    @property
    def width(self) -> int:
        """In pixels, as it is to be seen: after the rotation that a file may ask for."""

    @property
    def height(self) -> int: ...

    def to_image(self) -> Image: ...

    def to_luma(self) -> Pixels:
        """Brightness, uint8 (height, width), read-only; on the scale that the picture has it (0 or 16 is black)."""


class ColorPicture:
    """An Image as a Picture."""

    def __init__(self, image: Image) -> None:
        self._image = image

    @property
    def width(self) -> int:
        return self._image.width

    @property
    def height(self) -> int:
        return self._image.height

    def to_image(self) -> Image:
        return self._image

    def to_luma(self) -> Pixels:
        luma: Pixels = np.asarray(cv2.cvtColor(self._image.pixels, cv2.COLOR_RGB2GRAY), np.uint8)
        luma.flags.writeable = False
        return luma


class Frame:
    """A picture of a camera, a video or a folder.

    ``source`` names the camera or file, ``index`` counts its frames from 0, those included that were left out by
    sampling; ``captured_at`` is in UTC; ``position_s`` is the time since the start of a file, None for a live
    camera. ``image`` is converted to RGB the first time that it is asked for, ``luma`` costs next to nothing.
    """

    __slots__ = ("_image", "_picture", "captured_at", "index", "position_s", "source")

    def __init__(
        self,
        image: Image | Picture,
        source: str,
        index: int,
        captured_at: datetime,
        position_s: float | None = None,
    ) -> None:
        if captured_at.utcoffset() is None:
            raise ValueError("the time of a frame must have a time zone")
        self._image = image if isinstance(image, Image) else None
        self._picture: Picture = ColorPicture(image) if isinstance(image, Image) else image
        self.source = source
        self.index = index
        self.captured_at = captured_at.astimezone(UTC)
        self.position_s = position_s

    @property
    def width(self) -> int:
        return self._picture.width

    @property
    def height(self) -> int:
        return self._picture.height

    @property
    def image(self) -> Image:
        """The picture in RGB."""
        if self._image is None:
            self._image = self._picture.to_image()
        return self._image

    @property
    def luma(self) -> Pixels:
        """Brightness, uint8 (height, width), read-only, without a conversion where the source has it already."""
        return self._picture.to_luma()

    def __repr__(self) -> str:
        return (
            f"Frame(source={self.source!r}, index={self.index}, captured_at={self.captured_at.isoformat()}, "
            f"position_s={self.position_s}, {self.width}x{self.height})"
        )
