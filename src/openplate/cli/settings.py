"""``openplate settings``: what holds here, and why."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from openplate.cli.surroundings import SettingsFile, settings_for
from openplate.settings import LoadedSettings, describe_settings, shown_values
from openplate.settings.camera_sections import describe_camera_settings, shown_camera_values


class Action(StrEnum):
    SHOW = "show"


def settings(
    action: Annotated[Action, typer.Argument(metavar="[show]", help="What to do with them.")] = Action.SHOW,
    settings_file: SettingsFile = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object per line.")] = False,
) -> None:
    """Show every setting with its value, where that comes from, and what it accepts. Secrets are hidden."""
    assert action is Action.SHOW
    loaded = settings_for(settings_file, None)
    values = shown_values(loaded.settings)
    for each in describe_settings():
        shown, source = values[each.name], loaded.sources[each.name]
        if as_json:
            import json

            entry = {"name": each.name, "value": shown, "source": source}
            entry |= {"variable": each.variable, "accepts": each.accepts, "description": each.description}
            typer.echo(json.dumps(entry))
        else:
            typer.echo(f"{each.name} = {_as_text(shown)}  ({source})")
            typer.echo(f"    {each.description} Accepts {each.accepts}. Variable: {each.variable}")
    _show_cameras(loaded, as_json=as_json)


def _show_cameras(loaded: LoadedSettings, *, as_json: bool) -> None:
    for camera in loaded.settings.cameras:
        shown = shown_camera_values(camera)
        for name, accepts, _, description in describe_camera_settings():
            whole = f"cameras.{camera.name}.{name}"
            if as_json:
                import json

                entry = {"name": whole, "value": shown[name], "source": loaded.sources[f"cameras.{camera.name}"]}
                typer.echo(json.dumps(entry | {"variable": None, "accepts": accepts, "description": description}))
            else:
                typer.echo(f"{whole} = {_as_text(shown[name])}  ({loaded.sources[f'cameras.{camera.name}']})")
                typer.echo(f"    {description} Accepts {accepts}.")


def _as_text(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return "not set" if value is None else str(value)
