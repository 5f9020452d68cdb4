"""The command line. Each command is parsed here and in its own file; all else is loaded when it is used.

Exit codes: 0 all done, 1 an input could not be used or something else failed, 2 wrong usage, 130 interrupted,
141 the reader of the output went away.
"""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from openplate.cli import alpr, evaluate, models, recognize, redact, regions, serve, settings, tokens, watch, webhooks
from openplate.cli.group import INTERRUPTED, Commands

__all__ = ["app", "main"]

app = typer.Typer(
    cls=Commands,
    name="openplate",
    help="Automatic licence plate recognition on your own machine.",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("recognize")(recognize.recognize)
app.command("watch")(watch.watch)
app.command("serve")(serve.serve)
app.command("redact")(redact.redact)
app.command("regions")(regions.regions)
app.command("alpr", cls=alpr.AlprCommand)(alpr.alpr)
app.command("models")(models.models)
app.command("settings")(settings.settings)
app.add_typer(evaluate.app, name="evaluate")
app.add_typer(tokens.app, name="tokens")
app.add_typer(webhooks.app, name="webhooks")


def _show_version(asked: bool) -> None:
    if asked:
        from openplate import __version__

        typer.echo(f"openplate {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    pass


def main() -> None:
    """Run the command line; always ends with SystemExit."""
    try:
        app(prog_name="openplate")
    except SystemExit as end:
        if end.code != INTERRUPTED:
            raise
    except KeyboardInterrupt:
        print("openplate: interrupted", file=sys.stderr)
    sys.stderr.flush()
    os._exit(INTERRUPTED)  # without waiting for the pictures that threads are still working on
