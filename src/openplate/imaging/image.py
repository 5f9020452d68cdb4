"""The picture itself: read from bytes, files and arrays, checked once, never changed; cropped, encoded."""

from __future__ import annotations

import math
import os
import stat
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import simplejpeg
from numpy.typing import NDArray

from openplate.datatypes import Box
from openplate.errors import ImageError, ImageTooLarge, UndecodableImage

Pixels = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class ImageLimits:
    """What is refused before any of it is decoded: files above ``max_bytes``, pictures above ``max_pixels``."""

    max_bytes: int = 64 * 2**20
    max_pixels: int = 100_000_000


DEFAULT_LIMITS = ImageLimits()


@dataclass(frozen=True, slots=True, eq=False)
class Image:
    """A picture. ``pixels``: uint8 (height, width, 3), RGB, C-contiguous, read-only."""

    pixels: Pixels

    def __post_init__(self) -> None:
        pixels = self.pixels
        if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3 or pixels.size == 0:
            raise ImageError(f"a picture is uint8 (height, width, 3), not {pixels.dtype} {pixels.shape}")
        view = np.ascontiguousarray(pixels).view()
        view.flags.writeable = False
        object.__setattr__(self, "pixels", view)

    @property
    def width(self) -> int:
        return self.pixels.shape[1]

    @property
    def height(self) -> int:
        return self.pixels.shape[0]

    @classmethod
    def from_bytes(cls, data: bytes, limits: ImageLimits = DEFAULT_LIMITS) -> Image:
        """The picture in an encoded file's bytes."""
        if len(data) > limits.max_bytes:
            raise ImageTooLarge(f"{len(data)} bytes, more than the limit of {limits.max_bytes}")
        if simplejpeg.is_jpeg(data):
            try:
                return cls(simplejpeg.decode_jpeg(data))
            except ValueError as error:
                raise UndecodableImage(f"not a decodable JPEG: {error}") from error
        decoded = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) if len(data) else None
        if decoded is None:
            raise UndecodableImage("not a picture in a known format")
        return cls.from_bgr(decoded)

    @classmethod
    def from_path(cls, path: str | Path, limits: ImageLimits = DEFAULT_LIMITS) -> Image:
        """The picture in a file."""
        try:
            if not stat.S_ISREG(os.stat(path).st_mode):
                raise ImageError(f"{path}: not a file")
            data = Path(path).read_bytes()
        except OSError as error:
            raise ImageError(f"{path}: {error.strerror}") from error
        return cls.from_bytes(data, limits)

    @classmethod
    def from_bgr(cls, array: NDArray[np.uint8]) -> Image:
        """From an array in OpenCV's order of colours."""
        return cls(cv2.cvtColor(array, cv2.COLOR_BGR2RGB))  # type: ignore[arg-type]

    @classmethod
    def from_array(cls, array: NDArray[np.uint8]) -> Image:
        """From a copy of an RGB (h, w, 3), grey (h, w) or RGBA (h, w, 4) array."""
        if array.ndim == 2:
            return cls(cv2.cvtColor(array, cv2.COLOR_GRAY2RGB))  # type: ignore[arg-type]
        return cls(array[:, :, :3].copy())


def crop(image: Image, box: Box) -> Image:
    """The pixels that a box touches, cut at the edge of the picture; at least one."""
    left, top = math.floor(min(max(box.x1, 0), image.width - 1)), math.floor(min(max(box.y1, 0), image.height - 1))
    right, bottom = math.ceil(min(max(box.x2, left + 1), image.width)), math.ceil(min(max(box.y2, top + 1), image.height))
    return Image(image.pixels[top:bottom, left:right].copy())


def to_bgr(image: Image) -> Pixels:
    """A copy of the pixels in OpenCV's order of colours."""
    return cv2.cvtColor(image.pixels, cv2.COLOR_RGB2BGR)  # type: ignore[return-value]


def encode_jpeg(image: Image, quality: int = 90) -> bytes:
    return simplejpeg.encode_jpeg(image.pixels, quality=quality, colorsubsampling="420")


def encode_png(image: Image) -> bytes:
    done, data = cv2.imencode(".png", to_bgr(image))
    if not done:
        raise ImageError("the picture could not be encoded as PNG")
    return data.tobytes()
