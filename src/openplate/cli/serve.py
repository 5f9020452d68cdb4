"""``openplate serve``: the Snapshot server."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from openplate.cli.choices import DeviceChoice, FlavourChoice
from openplate.cli.group import FAILED
from openplate.cli.surroundings import SettingsFile
from openplate.errors import OpenplateError

if TYPE_CHECKING:
    import socket
    from collections.abc import Sequence

    from openplate.settings import Settings

INSTALL = "pip install 'openplate[server]'"


def serve(
    host: Annotated[
        str | None, typer.Option("--host", help="Where to listen; 0.0.0.0 opens it to the network. Default: 127.0.0.1.")
    ] = None,
    port: Annotated[
        int | None, typer.Option("--port", min=0, max=65535, help="Default: 8080; 0: any free one.")
    ] = None,
    flavour: Annotated[
        FlavourChoice | None, typer.Option("--flavour", help="Which product's answers; cloud asks for tokens.")
    ] = None,
    workers: Annotated[
        int | None, typer.Option("--workers", min=1, max=256, help="Pictures that one process works on at once.")
    ] = None,
    processes: Annotated[
        int | None, typer.Option("--processes", min=1, max=64, help="Processes that answer. Default: 1.")
    ] = None,
    device: Annotated[DeviceChoice | None, typer.Option("--device", help="Where the networks run.")] = None,
    data_folder: Annotated[
        Path | None, typer.Option("--data", metavar="DIR", help="Folder for everything that is kept.")
    ] = None,
    settings_file: SettingsFile = None,
) -> None:
    """Answer like Plate Recognizer's Snapshot, as its on-premise SDK or its cloud.

    Without settings it listens on port 8080 of this machine only and asks for no token.
    """
    from openplate.settings import load_settings

    given: dict[str, object] = {
        "server.host": host,
        "server.port": port,
        "server.flavour": flavour.value if flavour else None,
        "server.processes": processes,
        "workers": workers,
        "device": device.value if device else None,
        "storage.data_folder": data_folder,
    }
    settings = load_settings(settings_file, command_line=given).settings
    check_extra()
    from openplate.cli.listening import listen

    sockets = listen(settings.server.host, settings.server.port)
    if settings.server.processes == 1:
        from openplate.cli.server_process import run_process

        is_done = run_process(settings, sockets, lambda: announce(settings, sockets))
    else:
        from openplate.cli.supervisor import supervise

        is_done = supervise(settings, sockets, lambda: announce(settings, sockets))
    if not is_done:
        typer.echo("openplate: the time to stop was not enough for everything that was running", err=True)
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(FAILED)  # threads that still work would hold the end up


class ExtraMissing(OpenplateError):
    """A library of an optional part is not installed."""


def check_extra() -> None:
    """Raises ExtraMissing with what to install when a library of the server is not there."""
    from importlib.util import find_spec

    needed = ("uvicorn", "starlette", "sqlalchemy", "alembic", "httpx2", "prometheus_client", "jinja2")
    missing = [name for name in needed if find_spec(name) is None]
    if missing:
        raise ExtraMissing(f"the server needs {', '.join(missing)}, not installed here; install with: {INSTALL}")


def announce(settings: Settings, sockets: Sequence[socket.socket]) -> None:
    """Say on standard output where it answers, who may ask, and how to try it."""
    from openplate.cli.listening import is_open, url_of

    url = url_of(sockets[0])
    asks = settings.token_required
    lines = [
        f"Openplate answers as Plate Recognizer's {_PRODUCTS[settings.server.flavour]} at {url}/v1/plate-reader/",
        f"  {url}/docs describes every address, {url}/ is a page for people",
        f"  tokens: {_token_state(settings, asks)}",
    ]
    if not any(is_open(each) for each in sockets):
        lines.append("  only this machine can reach it; to open it to the network: openplate serve --host 0.0.0.0")
    elif not asks:
        lines.append("  everybody who reaches this machine may use it; OPENPLATE_ACCOUNTS_REQUIRE_TOKEN=always asks")
    header = " -H 'Authorization: Token YOUR_TOKEN'" if asks else ""
    lines += ["Try it:", f"  curl{header} -F 'upload=@car.jpg' {url}/v1/plate-reader/"]
    typer.echo("\n".join(lines))
    sys.stdout.flush()


_PRODUCTS = {"sdk": "Snapshot SDK", "cloud": "Snapshot Cloud"}


def _token_state(settings: Settings, asks: bool) -> str:
    if not asks:
        return "not asked for"
    from openplate.settings.building import open_store

    store = open_store(settings)
    try:
        count = sum(1 for token in store.tokens() if token.revoked_at is None)
    finally:
        store.close()
    if not count:
        return "asked for, and there is none yet: openplate tokens create NAME"
    return f"asked for; {count} can be used"
