"""Smaller copies of pictures."""

from __future__ import annotations

import cv2

from openplate.imaging.image import Image


def scaled_down(image: Image, width: int) -> Image:
    """At most so many pixels wide, its aspect kept; a narrower picture is given back as it is."""
    if width >= image.width:
        return image
    size = (max(1, width), max(1, round(image.height * width / image.width)))
    return Image(cv2.resize(image.pixels, size, interpolation=cv2.INTER_AREA))  # type: ignore[arg-type]
