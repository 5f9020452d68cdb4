"""What all commands share in ending: errors become one line and an exit code, never a traceback."""

from __future__ import annotations

import os
import sys
from typing import Any, NoReturn

import typer
from typer.core import TyperGroup

from openplate.errors import OpenplateError, RegionError, SettingsError

FAILED = 1
WRONG_USAGE = 2
INTERRUPTED = 130
"""As a shell counts a command that Ctrl-C ended."""
READER_GONE = 141
"""As a shell counts a command whose output nobody reads any more."""


class Commands(TyperGroup):
    """The group of all commands; each runs inside its ``invoke``."""

    def invoke(self, ctx: Any) -> Any:
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()  # a full disk and a closed pipe may show only now
            return result
        except KeyboardInterrupt:
            _end("interrupted", INTERRUPTED)
        except BrokenPipeError:
            _forget_output()
            raise typer.Exit(READER_GONE) from None
        except OpenplateError as error:
            is_usage = isinstance(error, RegionError | SettingsError)
            _end(str(error), WRONG_USAGE if is_usage else FAILED)
        except OSError as error:
            _forget_output()
            where = f"{error.filename}: " if error.filename is not None else ""
            _end(f"{where}{error.strerror or error}", FAILED)


def _end(message: str, code: int) -> NoReturn:
    typer.echo(f"openplate: {message}", err=True)
    raise typer.Exit(code) from None


def _forget_output() -> None:
    """Let nothing that is still waiting for standard output fail again when the interpreter ends."""
    try:
        handle = sys.stdout.fileno()
    except (OSError, ValueError):  # not a file, as in tests
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, handle)
    os.close(nowhere)
