"""``openplate tokens``: who may call the server. Works on the server's data, whether it runs or not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from openplate.cli.serve import check_extra
from openplate.cli.surroundings import SettingsFile, surroundings_of

if TYPE_CHECKING:
    from openplate.storage import Store, Token, Usage

app = typer.Typer(
    help="Manage tokens: who may call the server, how often and how fast.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

DataFolder = Annotated[
    Path | None, typer.Option("--data", metavar="DIR", help="The server's folder for everything that is kept.")
]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object per line.")]


@contextmanager
def _open_store(settings_file: Path | None, data_folder: Path | None) -> Iterator[Store]:
    from openplate.settings import load_settings
    from openplate.settings.building import open_store

    settings = load_settings(settings_file, command_line={"storage.data_folder": data_folder}).settings
    check_extra()
    store = open_store(settings)
    try:
        yield store
    finally:
        store.close()


@app.command("create")
def create(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Whose it is; any words.")],
    calls_per_month: Annotated[
        int | None,
        typer.Option("--calls-per-month", min=0, max=2**53 - 1, help="Calls allowed in a calendar month (UTC)."),
    ] = None,
    calls_per_second: Annotated[
        float | None, typer.Option("--calls-per-second", min=0.001, max=1_000_000, help="Calls allowed in a second.")
    ] = None,
    as_json: AsJson = False,
    data_folder: DataFolder = None,
    settings_file: SettingsFile = None,
) -> None:
    """Make a token and print its secret, this once; clients send it as `Authorization: Token SECRET`."""
    now = surroundings_of(context).now()
    with _open_store(settings_file, data_folder) as store:
        secret, token = store.create_token(name, calls_per_month, calls_per_second, now)
        if as_json:
            typer.echo(json.dumps({"secret": secret, **_as_values(token, store.usage(token, now))}))
        else:
            typer.echo(f"token {token.id} for {token.name}")
            typer.echo(f"secret, shown this once: {secret}")


@app.command("list")
def list_tokens(
    context: typer.Context,
    as_json: AsJson = False,
    data_folder: DataFolder = None,
    settings_file: SettingsFile = None,
) -> None:
    """List the tokens, revoked ones too, with their limits and the calls of this month."""
    now = surroundings_of(context).now()
    with _open_store(settings_file, data_folder) as store:
        tokens = [(token, store.usage(token, now)) for token in store.tokens()]
    for token, usage in tokens:
        typer.echo(json.dumps(_as_values(token, usage)) if as_json else _as_text(token, usage))
    if not tokens and not as_json:
        typer.echo("there are no tokens; `openplate tokens create NAME` makes one")


@app.command("revoke")
def revoke(
    context: typer.Context,
    which: Annotated[str, typer.Argument(metavar="TOKEN", help="Its number, or its secret's first six characters.")],
    data_folder: DataFolder = None,
    settings_file: SettingsFile = None,
) -> None:
    """Let a token be good for nothing from now on."""
    with _open_store(settings_file, data_folder) as store:
        token = store.revoke_token(which, surroundings_of(context).now())
        typer.echo(f"token {token.id} for {token.name} is revoked")


def _as_values(token: Token, usage: Usage) -> dict[str, object]:
    return {
        "id": token.id,
        "name": token.name,
        "prefix": token.prefix,
        "created_at": token.created_at.isoformat(),
        "revoked_at": None if token.revoked_at is None else token.revoked_at.isoformat(),
        "calls_per_month": token.calls_per_month,
        "calls_per_second": token.calls_per_second,
        "calls": usage.calls,
        "resets_on": usage.resets_on.isoformat(),
    }


def _as_text(token: Token, usage: Usage) -> str:
    allowed = "" if token.calls_per_month is None else f" of {token.calls_per_month}"
    parts = [f"{token.id}  {token.prefix}...  {token.name}  calls this month: {usage.calls}{allowed}"]
    if token.calls_per_second is not None:
        parts.append(f"{token.calls_per_second:g} per second")
    if token.revoked_at is not None:
        parts.append(f"revoked {token.revoked_at:%Y-%m-%d %H:%M} UTC")
    return "; ".join(parts)
