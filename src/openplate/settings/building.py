"""From settings to a recognizer; all that computes is loaded when it is asked for."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from openplate.settings.tree import Settings

if TYPE_CHECKING:
    from openplate.options import RecognitionOptions
    from openplate.pipeline import Recognizer
    from openplate.storage import Store


def build_recognizer(options: RecognitionOptions, settings: Settings, workers: int) -> Recognizer:
    """A recognizer as the settings want it, for that many threads.

    Raises:
        RegionError: an unknown code in ``options.regions``; told before the networks are loaded.
        ModelError: a network or the device cannot be used.
    """
    from functools import partial

    from openplate.attributes import AttributeClassifier
    from openplate.corner_refiner import CornerRefiner
    from openplate.detection import Detector
    from openplate.imaging import ImageLimits
    from openplate.models.catalog import names, open_session
    from openplate.ocr import Reader
    from openplate.pipeline import Recognizer
    from openplate.region_classifier import RegionClassifier
    from openplate.stages import LateAttributes, Stages

    load = partial(
        open_session, device=settings.device, folder=settings.weights, threads=settings.threads, workers=workers
    )

    def load_attributes() -> AttributeClassifier | None:
        return AttributeClassifier(load("attributes")) if "attributes" in names(settings.weights) else None

    return Recognizer.from_stages(
        Stages(
            Detector(load("detector")),
            CornerRefiner(load("corners")),
            Reader(load("reader")),
            RegionClassifier(load("region")),
            LateAttributes(load_attributes),
        ),
        options,
        ImageLimits(settings.limits.max_bytes, settings.limits.max_pixels),
    )


def data_folder_of(settings: Settings) -> Path:
    """Where everything is kept: the set folder, else ``openplate`` in the user's folder for data."""
    if settings.storage.data_folder is not None:
        return settings.storage.data_folder
    if os.name == "nt":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "openplate"
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "openplate"


def open_store(settings: Settings) -> Store:
    """The database and the data folder, which is made where it is missing.

    Raises:
        StorageError: they cannot be used.
    """
    from openplate.storage import Store

    return Store.open(
        settings.storage.url,
        data_folder_of(settings),
        calls_per_month=settings.accounts.max_calls,
        max_outbox_rows=settings.storage.max_outbox,
        min_free_bytes=settings.storage.min_free_bytes,
    )
