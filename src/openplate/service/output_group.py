"""Several outputs as one: what goes wrong in one of them stays with it."""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from openplate.datatypes import Recognition
from openplate.errors import OpenplateError
from openplate.imaging.frame import Frame
from openplate.service.outputs import Camera, Output
from openplate.video_pipeline import GroupPicture

_log = logging.getLogger(__name__)


class OutputGroup:
    """Hands everything to each output; their errors are logged, ever more seldom, and counted."""

    def __init__(self, outputs: Sequence[Output]) -> None:
        self._outputs = tuple(outputs)
        self._lock = threading.Lock()
        self._failures: Counter[str] = Counter()

    @property
    def failures(self) -> Mapping[str, int]:
        """Calls that failed, by the names of the outputs' classes."""
        with self._lock:
            return dict(self._failures)

    def frame(self, camera: Camera, recognition: Recognition | None, frame: Frame) -> None:
        self._each(lambda output: output.frame(camera, recognition, frame))

    def group(self, camera: Camera, picture: GroupPicture) -> None:
        self._each(lambda output: output.group(camera, picture))

    def close(self) -> None:
        self._each(lambda output: output.close())

    def _each(self, work: Callable[[Output], None]) -> None:
        for output in self._outputs:
            try:
                work(output)
            except Exception as error:
                self._count(type(output).__name__, error)

    def _count(self, name: str, error: Exception) -> None:
        with self._lock:
            self._failures[name] += 1
            count = self._failures[name]
        if count & (count - 1) == 0:  # the first, second, fourth, eighth ... time
            is_known = isinstance(error, OpenplateError | OSError)
            _log.error("%s failed, %d times by now: %s", name, count, error, exc_info=None if is_known else error)
