"""``openplate models``: the networks with their cards."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from openplate.cli.surroundings import SettingsFile, settings_for

if TYPE_CHECKING:
    from openplate.models.card import ModelCard


def models(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="One network, in full.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object per line.")] = False,
    settings_file: SettingsFile = None,
) -> None:
    """List the networks that come with Openplate, with their cards."""
    from openplate.models.catalog import card, names

    folder = settings_for(settings_file, None).settings.weights
    cards = [card(each, folder) for each in ([name] if name else names(folder))]
    for each in cards:
        if as_json:
            _print_json(each)
        elif name:
            typer.echo(each.to_toml(), nl=False)
        else:
            _print_summary(each)
    if not cards and not as_json:
        typer.echo("there are no networks")


def _print_json(card: ModelCard) -> None:
    import json
    from dataclasses import asdict

    values = asdict(card)
    del values["folder"]
    typer.echo(json.dumps({**values, "date": card.date.isoformat()}))


def _print_summary(card: ModelCard) -> None:
    files = ", ".join(f"{precision} {file.size / 1e6:.1f} MB" for precision, file in card.files.items())
    lines = [
        f"{card.name} {card.version}  ({card.task}, {card.date.isoformat()}, {card.licence})",
        f"  {card.summary}",
        f"  input    {card.input.width}x{card.input.height}, {card.input.channels} channels",
        f"  weights  {files}",
    ]
    lines += [f"  measured {name}: {value:g}" for name, value in card.measured.items()]
    lines += [f"  limit    {limit}" for limit in card.limits]
    typer.echo("\n".join(lines))
