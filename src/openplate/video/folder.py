"""A folder of pictures as a source of frames."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from openplate.errors import ImageError, SourceUnavailable
from openplate.imaging import Image
from openplate.imaging.frame import Frame
from openplate.video.values import SourceOptions

logger = logging.getLogger(__name__)

SUFFIXES = frozenset([".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".gif", ".pbm", ".pgm", ".ppm"])


class FolderSource:
    """The pictures of a folder in the order of their names, numbers in them by value; broken ones are left out.

    Each was taken when its file was last changed, or, with ``frames_per_s``, that much after the one before.
    """

    is_live = False

    def __init__(self, folder: Path, options: SourceOptions, name: str) -> None:
        self.decode_errors = 0
        self._options, self._name = options, name
        try:
            self._paths = sorted((p for p in folder.iterdir() if p.suffix.lower() in SUFFIXES), key=_natural)
        except OSError as error:
            raise SourceUnavailable(f"{folder}: the folder cannot be read: {error.strerror or error}") from error
        if not self._paths:
            raise SourceUnavailable(f"{folder}: there are no pictures in this folder")

    def __iter__(self) -> Iterator[Frame]:
        first: datetime | None = None
        for index, path in enumerate(self._paths):
            if index % self._options.sample:
                continue
            try:
                image = Image.from_path(path, self._options.limits)
                changed = datetime.fromtimestamp(path.stat().st_mtime, UTC)
            except (ImageError, OSError) as error:
                self.decode_errors += 1
                logger.warning("a picture is left out: %s", error)
                continue
            first = first or self._options.started_at or changed
            captured_at, position_s = self._place(index, first, changed)
            yield Frame(image, self._name, index, captured_at, position_s)

    def _place(self, index: int, first: datetime, changed: datetime) -> tuple[datetime, float]:
        if self._options.frames_per_s is None:
            return changed, max((changed - first).total_seconds(), 0.0)
        position_s = index / self._options.frames_per_s
        return first + timedelta(seconds=position_s), position_s

    def close(self) -> None:
        """There is nothing to close."""


def _natural(path: Path) -> list[tuple[bool, int, str]]:
    """frame9 comes before frame10."""
    parts = re.split(r"(\d+)", path.name)
    return [(part.isdecimal(), int(part) if part.isdecimal() else 0, part) for part in parts]
