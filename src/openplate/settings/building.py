"""From settings to a recognizer; all that computes is loaded when it is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openplate.settings.tree import Settings

if TYPE_CHECKING:
    from openplate.pipeline import RecognitionOptions, Recognizer


def build_recognizer(options: RecognitionOptions, settings: Settings, workers: int) -> Recognizer:
    """A recognizer as the settings want it, for that many threads.

    Raises:
        RegionError: an unknown code in ``options.regions``; told before the networks are loaded.
        ModelError: a network or the device cannot be used.
    """
    from functools import partial

    from openplate.detection import Detector
    from openplate.imaging import ImageLimits
    from openplate.models.catalog import open_session
    from openplate.ocr import Reader
    from openplate.pipeline import Recognizer
    from openplate.region_classifier import RegionClassifier

    load = partial(
        open_session, device=settings.device, folder=settings.weights, threads=settings.threads, workers=workers
    )
    return Recognizer.from_stages(
        Detector(load("detector")),
        Reader(load("reader")),
        RegionClassifier(load("region")),
        options,
        ImageLimits(settings.limits.max_bytes, settings.limits.max_pixels),
    )
