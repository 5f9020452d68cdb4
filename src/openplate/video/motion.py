"""Whether something moves in front of a camera: on a still scene nothing needs to be computed.

A picture is reduced to its brightness on some 256 x 144 cells. What differs from the background, of which each
pixel knows its usual level and how much it varies, is an object; what also differs from the last half second is a
moving one. So a parked car, and the place that it has left, do not count. No clock: time comes with the frames.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from openplate.datatypes import Box
from openplate.imaging import Pixels
from openplate.imaging.frame import Frame

_Levels = NDArray[np.float32]

_CELLS = 256 * 144
_MANY_ROWS = 800  # of which every other one is enough, and halves the reading of memory
_SAMPLED = 6  # every so many cells in each direction say how the light of the whole picture has changed
_LONGEST_GAP_S = 10.0  # after which the background is no longer known
_NOISE_FACTOR = 4.0  # what differs by more than four times the usual is no noise
_NOISE_RATE = 1.0  # levels a second
_MOST_NOISE = 8.0  # so that a car is still seen in front of a tree in the wind
_RECENT_S = 0.5
_LARGEST_LIGHT_CHANGE = 40.0  # levels, of the whole picture at once
_ACTIVE_SHARE = 0.1  # of an object's area that has to change for it to move


@dataclass(frozen=True, slots=True)
class MotionOptions:
    """``threshold``: levels (of 255) by which something differs from the background. ``min_area``: share of the
    picture that it covers at least. ``adaptation``: levels a second by which the background follows what is seen.
    ``light_share``: where so much of the picture differs at once, the light has changed and all is learnt anew.
    """

    threshold: float = 12.0
    min_area: float = 0.0008
    adaptation: float = 8.0
    light_share: float = 0.6

    def __post_init__(self) -> None:
        if not 1 <= self.threshold <= 255:
            raise ValueError(f"threshold must be 1 to 255 levels, not {self.threshold}")
        if not 0 < self.min_area < 1 or not 0 < self.light_share <= 1:
            raise ValueError("min_area and light_share must be shares between 0 and 1")
        if self.adaptation <= 0:
            raise ValueError(f"adaptation must be more than 0 levels a second, not {self.adaptation}")


class MotionGate:
    """One for each camera. ``ignored``: uint8 (height, width), any size; where it is not 0 nothing counts."""

    def __init__(self, options: MotionOptions | None = None, ignored: Pixels | None = None) -> None:
        self._options = options or MotionOptions()
        self._ignored = ignored
        self._counts: Pixels | None = None  # what is not ignored, reduced
        self._size = (0, 0)
        self._at: datetime | None = None
        self._background: _Levels = np.zeros((0, 0), np.float32)
        self._recent = self._limit = self._background  # the limit: a difference that is no noise

    def update(self, frame: Frame) -> tuple[Box, ...]:
        """Boxes of what moves, in pixels of the full picture; empty: nothing does.

        The whole picture where there is nothing to compare with: the first one, another size, after a gap of
        seconds, or when the light of the whole picture has changed.
        """
        levels = _reduce(frame.luma)
        passed_s = (frame.captured_at - self._at).total_seconds() if self._at else math.inf
        is_comparable = (frame.width, frame.height) == self._size and 0 <= passed_s <= _LONGEST_GAP_S
        self._at, self._size = frame.captured_at, (frame.width, frame.height)
        if not is_comparable:
            self._background, self._recent = levels.copy(), levels.copy()
            self._limit = np.full_like(levels, self._options.threshold)
            self._counts = self._reduce_ignored(levels)
            return (self._whole(),)
        difference = self._compensate(levels)
        differs = self._counted(cv2.compare(difference, self._limit, cv2.CMP_GT))
        count = cv2.countNonZero(differs)
        if count > self._options.light_share * differs.size:
            self._background, self._recent = levels.copy(), levels.copy()
            self._raise_limit(_NOISE_FACTOR * _NOISE_RATE * passed_s)  # in case that it was noise
            return (self._whole(),)
        least = max(self._options.min_area * differs.size, 1.0)
        boxes = self._moving(levels, differs, least) if count >= least else ()
        self._adapt(levels, difference, passed_s)
        return boxes

    def _whole(self) -> Box:
        return Box(0, 0, *map(float, self._size))

    def _reduce_ignored(self, levels: _Levels) -> Pixels | None:
        if self._ignored is None:
            return None
        height, width = levels.shape
        reduced = cv2.resize(self._ignored, (width, height), interpolation=cv2.INTER_NEAREST)
        return np.where(reduced == 0, 255, 0).astype(np.uint8)

    def _counted(self, mask: cv2.typing.MatLike) -> Pixels:
        if self._counts is not None:
            mask = cv2.bitwise_and(mask, self._counts)
        return np.asarray(mask, np.uint8)

    def _raise_limit(self, change: NDArray[Any] | float) -> None:
        threshold = self._options.threshold
        self._limit += np.asarray(change, np.float32)
        np.clip(self._limit, threshold, max(_NOISE_FACTOR * _MOST_NOISE, threshold), out=self._limit)

    def _compensate(self, levels: _Levels) -> _Levels:
        """The difference from the background, once a change of light in the whole picture is taken off."""
        sampled = (levels[::_SAMPLED, ::_SAMPLED] - self._background[::_SAMPLED, ::_SAMPLED]).ravel()
        sampled.partition(sampled.size // 2)
        shift = float(sampled[sampled.size // 2])  # the median
        if abs(shift) <= _LARGEST_LIGHT_CHANGE:
            self._background += np.float32(shift)
            self._recent += np.float32(shift)
        return np.asarray(cv2.absdiff(levels, self._background), np.float32)

    def _adapt(self, levels: _Levels, difference: _Levels, passed_s: float) -> None:
        # By so much a second, whatever the difference: what is seen half of the time counts, not how it stands out.
        step, noise_step = self._options.adaptation * passed_s, _NOISE_FACTOR * _NOISE_RATE * passed_s
        change = cv2.subtract(levels, self._background)
        self._background += np.clip(change, -step, step, out=change)
        change = cv2.addWeighted(difference, _NOISE_FACTOR, self._limit, -1, 0)
        self._raise_limit(np.clip(change, -noise_step, noise_step, out=change))
        cv2.accumulateWeighted(levels, self._recent, 1 - math.exp(-passed_s / _RECENT_S))

    def _moving(self, levels: _Levels, differs: Pixels, least: float) -> tuple[Box, ...]:
        changes = cv2.compare(cv2.absdiff(levels, self._recent), self._limit, cv2.CMP_GT)
        labels, stats = _join(differs)
        areas = np.bincount(labels.ravel(), _pairs(differs).ravel(), len(stats))
        active = np.bincount(labels.ravel(), _pairs(cv2.bitwise_and(differs, changes)).ravel(), len(stats))
        return tuple(
            self._to_box(stats[index], labels.shape)
            for index in range(1, len(stats))
            if areas[index] >= least and active[index] >= least * _ACTIVE_SHARE
        )

    def _to_box(self, stats: NDArray[np.int32], shape: tuple[int, ...]) -> Box:
        left, top, width, height = (int(value) for value in stats[:4])
        across, down = self._size[0] / shape[1], self._size[1] / shape[0]
        return Box(left * across, top * down, (left + width) * across, (top + height) * down)


def _join(differs: Pixels) -> tuple[NDArray[np.uint16], NDArray[np.int32]]:
    """Numbers from 1 for what hangs together, at half the size, and the table of its boxes; 0 is the rest."""
    joined = (_pairs(differs) > 0).view(np.uint8)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(joined, connectivity=8, ltype=cv2.CV_16U)
    return np.asarray(labels, np.uint16), np.asarray(stats, np.int32)


def _pairs(mask: cv2.typing.MatLike) -> _Levels:
    """How many of each two by two cells are set, 0 to 4."""
    height, width = mask.shape
    padded = cv2.copyMakeBorder(mask, 0, height % 2, 0, width % 2, cv2.BORDER_CONSTANT)
    halved = cv2.resize(padded, (padded.shape[1] // 2, padded.shape[0] // 2), interpolation=cv2.INTER_AREA)
    return np.asarray(halved, np.float32) * np.float32(4 / 255)


def _reduce(luma: Pixels) -> _Levels:
    """Averages on about as many cells as are wanted; smaller pictures stay as they are."""
    height, width = luma.shape
    scale = min(math.sqrt(_CELLS / (width * height)), 1.0)
    target = max(round(width * scale), 1), max(round(height * scale), 1)
    if height > _MANY_ROWS:
        luma = luma[::2]
    # OpenCV averages two by two pixels several times faster than any other number of them.
    while luma.shape[0] >= 2 * target[1] or luma.shape[1] >= 2 * target[0]:
        rows, columns = (max(size // 2, 1) for size in luma.shape)
        luma = cv2.resize(luma, (columns, rows), interpolation=cv2.INTER_AREA)  # type: ignore[assignment]
    if (luma.shape[1], luma.shape[0]) != target:
        luma = cv2.resize(luma, target, interpolation=cv2.INTER_LINEAR)  # type: ignore[assignment]
    return cv2.blur(luma, (3, 3)).astype(np.float32)
