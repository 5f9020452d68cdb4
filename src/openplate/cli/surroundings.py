"""What the commands need from outside: settings, a recognizer, the time. Tests put their own in its place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from openplate.settings import LoadedSettings, Settings, load_settings
from openplate.settings.building import build_recognizer

if TYPE_CHECKING:
    from openplate.options import RecognitionOptions
    from openplate.pipeline import Recognizer

SettingsFile = Annotated[
    Path | None, typer.Option("--settings", metavar="FILE", help="A TOML file with settings; see `openplate settings`.")
]
"""The option that every command with settings has."""


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
