"""What the commands need from outside: settings, a recognizer, the time. Tests put their own in its place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from openplate.settings import LoadedSettings, Settings, load_settings

if TYPE_CHECKING:
    from openplate.pipeline import RecognitionOptions, Recognizer

SettingsFile = Annotated[
    Path | None, typer.Option("--settings", metavar="FILE", help="A TOML file with settings; see `openplate settings`.")
]
"""The option that every command with settings has."""


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


@dataclass(frozen=True)
class Surroundings:
    """Handed to the commands as typer's context object; the defaults are the real world."""

    build_recognizer: Callable[[RecognitionOptions, Settings, int], Recognizer] = build_recognizer
    now: Callable[[], datetime] = lambda: datetime.now(UTC)


def surroundings_of(context: typer.Context) -> Surroundings:
    """Those that a caller of the application gave, else the real ones."""
    given = context.find_object(Surroundings)
    return Surroundings() if given is None else given


def settings_for(file: Path | None, device: str | None, workers: int | None = None) -> LoadedSettings:
    """The settings with what the command line says on top; SettingsError as ``load_settings``."""
    return load_settings(file, command_line={"device": device, "workers": workers})
