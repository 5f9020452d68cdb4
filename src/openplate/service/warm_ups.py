"""Networks that get ready for a camera's pictures before it counts as running."""

from __future__ import annotations

import threading

from openplate.pipeline import Recognizer


class WarmUps:
    """Makes networks ready for sizes of pictures, once for each size, whatever cameras ask; they share the networks."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._done: set[tuple[object, ...]] = set()

    def get_ready(self, recognizer: Recognizer, width: int, height: int) -> None:
        """Returns when the networks are ready for pictures of that size in pixels.

        Raises:
            ModelError: the runtime failed.
        """
        options = recognizer.options
        wanted = options.mode, options.zoom_in_vehicles, options.attributes, width, height
        with self._lock:
            if wanted not in self._done:
                recognizer.warm_up(width, height)
                self._done.add(wanted)
