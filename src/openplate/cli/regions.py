"""``openplate regions``: the codes, names and plate patterns that Openplate knows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from openplate.regions import Region

_NO_PATTERN = "no template"


def regions(
    code: Annotated[str | None, typer.Argument(metavar="[CODE]", help="A country, state or province.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object per line.")] = False,
) -> None:
    """Show the region codes, their names and the patterns of their plates.

    In patterns L is a letter, D a digit, A either, [..] one of a set, <..> a character of another script,
    {n} and {m,n} repeat.
    """
    from openplate.regions import all_regions, get, subdivisions

    if code is None:
        shown: Sequence[Region] = all_regions()
    else:
        shown = (get(code), *subdivisions(code))
    if as_json:
        _print_json(shown)
    elif code is None:
        _print_rows(shown)
        without = sum(1 for region in shown if not region.patterns)
        typer.echo(f"{len(shown)} regions, {without} of them without a template", err=True)
    else:
        _print_details(shown[0])
        if shown[1:]:
            typer.echo(f"parts ({len(shown) - 1}):")
            _print_rows(shown[1:], indent="  ")


def _print_json(regions: Sequence[Region]) -> None:
    import json

    for region in regions:
        entry = {"code": region.code, "name": region.name, "parent": region.parent, "patterns": list(region.patterns)}
        typer.echo(json.dumps(entry))


def _print_rows(regions: Sequence[Region], indent: str = "") -> None:
    codes = max(len(region.code) for region in regions)
    names = max(len(region.name) for region in regions)
    lines = [
        f"{indent}{region.code.ljust(codes)}  {region.name.ljust(names)}  {'  '.join(region.patterns) or _NO_PATTERN}"
        for region in regions
    ]
    typer.echo("\n".join(lines))


def _print_details(region: Region) -> None:
    from openplate.regions import get

    typer.echo(f"code      {region.code}")
    typer.echo(f"name      {region.name}")
    if region.parent:
        typer.echo(f"country   {region.parent}, {get(region.parent).name}")
    patterns = ("\n" + 10 * " ").join(region.patterns)
    typer.echo(f"patterns  {patterns or _NO_PATTERN}")
    if region.comment:
        typer.echo(f"origin    {region.comment}")
