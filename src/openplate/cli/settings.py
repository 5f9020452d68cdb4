"""``openplate settings``: what holds here, and why."""

from __future__ import annotations

from typing import Annotated

import typer

from openplate.cli.surroundings import SettingsFile, settings_for
from openplate.settings import Settings, describe_settings


def settings(
    settings_file: SettingsFile = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object per line.")] = False,
) -> None:
    """Show every setting with its value, where that comes from, and what it accepts."""
    loaded = settings_for(settings_file, None)
    for each in describe_settings():
        value = _value(loaded.settings, each.name)
        shown = value if value is None or isinstance(value, int | str) else str(value)
        if as_json:
            import json

            entry = {"name": each.name, "value": shown, "source": loaded.sources[each.name]}
            entry |= {"variable": each.variable, "accepts": each.accepts, "description": each.description}
            typer.echo(json.dumps(entry))
        else:
            typer.echo(f"{each.name} = {'not set' if shown is None else shown}  ({loaded.sources[each.name]})")
            typer.echo(f"    {each.description} Accepts {each.accepts}. Variable: {each.variable}")


def _value(settings: Settings, name: str) -> object:
    value: object = settings
    for part in name.split("."):
        value = getattr(value, part)
    return value
