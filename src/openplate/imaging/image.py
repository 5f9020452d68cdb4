"""The picture itself: read from bytes, files and arrays, checked once, never changed; cropped, encoded."""

from __future__ import annotations

import math
import os
import stat
from dataclasses import dataclass

import cv2
import numpy as np
import simplejpeg  # type: ignore[import-untyped]
from numpy.typing import NDArray

from openplate.datatypes import Box
from openplate.errors import ImageError
from openplate.imaging.decoding import ImageLimits, Pixels, add_colors, decode

DEFAULT_LIMITS = ImageLimits()
Source = str | os.PathLike[str] | bytes | bytearray | memoryview | NDArray[np.uint8]
"""A path, the bytes of a picture file, or an array (h, w, 3) RGB, (h, w) grey or (h, w, 4) with alpha."""

_HAIR_PX = 1e-3  # what rounding leaves of a box that ends on the edge of a pixel


@dataclass(frozen=True, slots=True, eq=False)
class Image:
    """A picture. ``pixels``: uint8 (height, width, 3), RGB, C-contiguous, read-only.

    The constructor takes the array over without a copy where it can: leave it unchanged afterwards, or
    use ``from_array``. Raises ImageError for an array of another form.
    """

    pixels: Pixels

    def __post_init__(self) -> None:
        _check_array(self.pixels, channels=(3,))
        view = np.ascontiguousarray(self.pixels).view()
        view.flags.writeable = False
        object.__setattr__(self, "pixels", view)

    def __reduce__(self) -> tuple[type[Image], tuple[Pixels]]:
        return Image, (self.pixels,)  # so that what another process receives is read-only as well

    @property
    def width(self) -> int:
        return int(self.pixels.shape[1])

    @property
    def height(self) -> int:
        return int(self.pixels.shape[0])

    @classmethod
    def from_source(cls, source: Source, limits: ImageLimits = DEFAULT_LIMITS) -> Image:
        """From whatever is at hand. Raises ImageError or a class below it."""
        if isinstance(source, np.ndarray):
            return cls.from_array(source)
        if isinstance(source, bytes | bytearray | memoryview):
            return cls.from_bytes(source, limits)
        return cls.from_path(source, limits)

    @classmethod
    def from_bytes(cls, data: bytes | bytearray | memoryview, limits: ImageLimits = DEFAULT_LIMITS) -> Image:
        """From the bytes of a JPEG, PNG, WebP, BMP, GIF, TIFF or PBM/PGM/PPM file; EXIF rotation is applied.

        Raises UndecodableImage (also for a truncated file) or ImageTooLarge.
        """
        if not isinstance(data, bytes):
            limits.check_bytes(memoryview(data).nbytes)
            data = bytes(data)
        return cls(decode(data, limits))

    @classmethod
    def from_path(cls, path: str | os.PathLike[str], limits: ImageLimits = DEFAULT_LIMITS) -> Image:
        """From a regular file. Raises ImageError or a class below it; its message begins with the path."""
        name = os.fspath(path)
        try:
            return cls.from_bytes(_read_file(name, limits), limits)
        except ImageError as error:
            raise type(error)(f"{name}: {error}") from error.__cause__
        except OSError as error:
            raise ImageError(f"{name}: {_explain(error)}") from error
        except ValueError as error:  # a null character in the path
            raise ImageError(f"{name!r}: not a path: {error}") from error

    @classmethod
    def from_bgr(cls, array: NDArray[np.uint8]) -> Image:
        """From a copy of an array in OpenCV's order of colours: BGR (h, w, 3)."""
        _check_array(array, channels=(3,))
        return cls(cv2.cvtColor(np.ascontiguousarray(array), cv2.COLOR_BGR2RGB))  # type: ignore[arg-type]

    @classmethod
    def from_array(cls, array: NDArray[np.uint8]) -> Image:
        """From a copy of a uint8 array: RGB (h, w, 3), grey (h, w[, 1]) or RGBA (h, w, 4), laid on white."""
        _check_array(array, channels=(1, 3, 4))
        return cls(add_colors(np.array(array, order="C")))


def source_name(source: Source) -> str:
    """What to call a picture: its path, "bytes" or "array"."""
    if isinstance(source, np.ndarray):
        return "array"
    if isinstance(source, bytes | bytearray | memoryview):
        return "bytes"
    return os.fspath(source)


def _check_array(array: object, channels: tuple[int, ...]) -> None:
    if not isinstance(array, np.ndarray):
        raise ImageError(f"a picture must be a numpy array, not {type(array).__name__}")
    form = f"{array.dtype} {array.shape}"
    if array.dtype != np.uint8:
        raise ImageError(f"a picture must have 8-bit samples (uint8, 0 to 255), not {form}")
    count = 1 if array.ndim == 2 and 1 in channels else array.shape[2] if array.ndim == 3 else 0
    if count not in channels or array.size == 0:
        raise ImageError(f"a picture must have the shape (height, width, 3), not {form}")


def _read_file(path: str, limits: ImageLimits) -> bytes:
    # Before it is opened: opening some devices has effects. (Path("") would be the current folder.)
    _check_kind(os.stat(path).st_mode)  # noqa: PTH116
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    with os.fdopen(handle, "rb") as file:
        status = os.fstat(handle)
        _check_kind(status.st_mode)
        limits.check_bytes(status.st_size)
        # The kernel's own files (as in /proc) claim to be empty.
        return file.read((status.st_size or limits.max_bytes) + 1)


def _check_kind(mode: int) -> None:
    if stat.S_ISREG(mode):
        return
    kinds = (
        (stat.S_ISDIR, "a folder"),
        (stat.S_ISFIFO, "a pipe"),
        (stat.S_ISSOCK, "a socket"),
        (stat.S_ISCHR, "a device"),
        (stat.S_ISBLK, "a device"),
    )
    what = next((name for is_kind, name in kinds if is_kind(mode)), "something else")
    raise ImageError(f"this is {what}, not a file")


def _explain(error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        return "there is no such file"
    if isinstance(error, PermissionError):
        return "no permission to read it"
    return f"cannot be read: {error.strerror or error}"


def crop(image: Image, box: Box) -> Image:
    """A copy of the pixels that a box touches."""
    left, top, right, bottom = map(int, touched(image, box).as_tuple())
    return Image(image.pixels[top:bottom, left:right].copy())


def touched(image: Image, box: Box) -> Box:
    """The whole pixels that a box touches by more than a thousandth, cut at the edge of the picture; at least one."""
    left, right = _touched(box.x1, box.x2, image.width)
    top, bottom = _touched(box.y1, box.y2, image.height)
    return Box(left, top, right, bottom)


def _touched(low: float, high: float, size: int) -> tuple[int, int]:
    start = math.floor(min(max(low + _HAIR_PX, 0), size - 1))
    return start, math.ceil(min(max(high - _HAIR_PX, start + 1), size))


def to_bgr(image: Image) -> Pixels:
    """A copy of the pixels in OpenCV's order of colours."""
    return cv2.cvtColor(image.pixels, cv2.COLOR_RGB2BGR)  # type: ignore[return-value]


def encode_jpeg(image: Image, quality: int = 90) -> bytes:
    """A JPEG with halved chroma; ``quality`` 1 to 100."""
    return bytes(simplejpeg.encode_jpeg(image.pixels, quality=quality, colorsubsampling="420"))


def encode_png(image: Image) -> bytes:
    """A PNG, which keeps every pixel."""
    _, data = cv2.imencode(".png", to_bgr(image))
    return data.tobytes()


def limit_threads(count: int = 1) -> None:
    """How many threads OpenCV uses in this process.

    A setting of the whole process, so nothing here makes it on its own: programs call it once at their
    start. One thread per picture and as many pictures at once as there are cores costs the least.
    """
    cv2.setNumThreads(count)
