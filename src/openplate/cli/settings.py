"""``openplate settings``: what holds here, and why."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from openplate.cli.surroundings import SettingsFile, settings_for
from openplate.settings import describe_settings, shown_values


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


def _as_text(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return "not set" if value is None else str(value)
