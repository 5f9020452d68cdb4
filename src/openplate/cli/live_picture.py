"""A live picture in a terminal: two pixels in each character, 256 colours, and the vehicles told last below it."""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from types import TracebackType
from typing import Final, Self, TextIO

import cv2
import numpy as np
from numpy.typing import NDArray

from openplate.annotation import annotate
from openplate.cli.watch_printing import group_line
from openplate.datatypes import Recognition
from openplate.imaging import Image, Pixels
from openplate.imaging.frame import Frame
from openplate.service.outputs import Camera
from openplate.video_pipeline import GroupPicture

_HIDE, _SHOW = "\x1b[?25l\x1b[2J", "\x1b[0m\x1b[?25h\n"
_HOME, _END_OF_LINE = "\x1b[H", "\x1b[0m\x1b[K\n"
_LOWER_HALF: Final = "▄"
_LINES: Final = 5
_EVERY_S: Final = 0.1
_LEVELS = np.array((0, 95, 135, 175, 215, 255))


class LivePicture:
    """An output for one camera; use it in a ``with`` statement, so that the terminal is left as it was."""

    def __init__(self, terminal: TextIO) -> None:
        self._terminal = terminal
        self._lock = threading.Lock()
        self._lines: deque[str] = deque(maxlen=_LINES)
        self._seen: Recognition | None = None
        self._drawn_at_s = 0.0

    def __enter__(self) -> Self:
        self._write(_HIDE)
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._write(_SHOW)

    def frame(self, camera: Camera, recognition: Recognition | None, frame: Frame) -> None:  # noqa: ARG002
        self._seen = recognition or self._seen
        now_s = time.monotonic()
        if now_s - self._drawn_at_s < _EVERY_S:
            return
        self._drawn_at_s = now_s
        columns, rows = _size(self._terminal)
        drawn = frame.image if self._seen is None else annotate(frame.image, self._seen)
        picture = half_blocks(drawn, columns, max(1, rows - _LINES - 1))
        with self._lock:
            told = [line[:columns] for line in self._lines]
            self._write(_HOME + "".join(line + _END_OF_LINE for line in (*picture, *told)))

    def group(self, camera: Camera, picture: GroupPicture) -> None:  # noqa: ARG002
        if picture.group.state == "closed":
            with self._lock:
                self._lines.append(group_line(picture))

    def close(self) -> None:
        """The lines stay on the screen."""

    def _write(self, text: str) -> None:
        self._terminal.write(text)
        self._terminal.flush()


def half_blocks(image: Image, columns: int, rows: int) -> list[str]:
    """The picture in at most so many characters across and lines, its shape kept: each line with its colours."""
    scale = min(columns / image.width, 2 * rows / image.height)
    width, height = max(1, int(image.width * scale)), max(2, int(image.height * scale) // 2 * 2)
    small: Pixels = np.asarray(cv2.resize(image.pixels, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
    colors = nearest_colors(small)
    return [_line(upper, lower) for upper, lower in zip(colors[::2], colors[1::2], strict=True)]


def nearest_colors(pixels: Pixels) -> NDArray[np.int64]:
    """Numbers of a terminal's 256 colours, (height, width): the cube of 6 x 6 x 6, or greys where these are nearer."""
    wide = pixels.astype(np.int64)
    steps = np.abs(wide[..., None] - _LEVELS).argmin(axis=-1)
    cube = 16 + 36 * steps[..., 0] + 6 * steps[..., 1] + steps[..., 2]
    grey_step = np.clip((wide.mean(axis=-1) - 3) // 10, 0, 23).astype(np.int64)
    grey = (8 + 10 * grey_step)[..., None]
    is_grey = np.square(wide - grey).sum(axis=-1) < np.square(wide - _LEVELS[steps]).sum(axis=-1)
    return np.asarray(np.where(is_grey, 232 + grey_step, cube), np.int64)


def _line(upper: NDArray[np.int64], lower: NDArray[np.int64]) -> str:
    """Colours are said only where they change."""
    parts, before = [], (-1, -1)
    for pair in zip(upper.tolist(), lower.tolist(), strict=True):
        if pair != before:
            parts.append(f"\x1b[48;5;{pair[0]};38;5;{pair[1]}m")
            before = pair
        parts.append(_LOWER_HALF)
    return "".join(parts)


def _size(terminal: TextIO) -> tuple[int, int]:
    try:
        size = os.get_terminal_size(terminal.fileno())
    except (OSError, ValueError):
        return 80, 24
    if not (size.columns and size.lines):  # a terminal that does not know how large it is
        return 80, 24
    return max(size.columns, 10), max(size.lines, _LINES + 3)
