"""Videos in which the stand-ins for networks find plates."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from openplate.datatypes import Box
from stand_ins import paint_street
from video.video_helpers import make_video


def make_street_video(path: Path) -> Path:
    """A car with plate number 0 passes to the right within 1.6 seconds, then the street is empty as long.

    Without loss, as the stand-ins for networks tell plates by their colours. It was recorded at noon.
    """
    pictures = []
    for index in range(16):
        x = 50.0 + 90 * index
        cars = [Box(x, 200, x + 360, 500)] if index < 8 else []
        plates = [(Box(x + 130, 400, x + 230, 430), 0)] if index < 8 else []
        pictures.append(np.asarray(paint_street(1280, 720, cars, plates)))
    return make_video(
        path,
        pictures,
        times_s=[index / 5 for index in range(16)],
        codec="ffv1",
        pixel_format="bgr0",
        metadata={"creation_time": "2026-03-05T12:00:00Z"},
    )
