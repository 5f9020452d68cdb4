"""A source of chance with which nothing happens by chance."""

from __future__ import annotations

from typing import Any

import numpy as np


class StillRandom(np.random.Generator):
    """Every chance is missed, nothing is shaken, the first of all is chosen."""

    def __init__(self) -> None:
        super().__init__(np.random.PCG64(0))

    def random(self, *_: Any, **__: Any) -> Any:
        return np.nextafter(1.0, 0.0)

    def normal(self, _loc: Any = 0.0, _scale: Any = 1.0, size: Any = None) -> Any:
        return 0.0 if size is None else np.zeros(size)

    def choice(self, values: Any, *_: Any, **__: Any) -> Any:
        return values if np.ndim(values) == 0 else values[0]
