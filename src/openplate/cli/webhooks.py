"""``openplate webhooks``: who is told of recognitions. Works on the server's data, whether it runs or not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from openplate.cli.choices import ImageChoice
from openplate.cli.group import FAILED
from openplate.cli.serve import check_extra
from openplate.cli.surroundings import SettingsFile

if TYPE_CHECKING:
    from openplate.service.targets import TargetDesk
    from openplate.settings import Settings
    from openplate.storage import Backlog, Store, Target

app = typer.Typer(
    help="Manage webhook targets: who is sent each recognition.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

DataFolder = Annotated[
    Path | None, typer.Option("--data", metavar="DIR", help="The server's folder for everything that is kept.")
]
TargetId = Annotated[int, typer.Argument(metavar="ID", help="The target's number; see `openplate webhooks list`.")]


@dataclass(frozen=True, slots=True)
class _Office:
    settings: Settings
    store: Store
    desk: TargetDesk

    def target(self, target_id: int) -> Target:
        """The target; StorageError when there is none."""
        from openplate.errors import StorageError

        target = self.store.target(target_id)
        if target is None:
            raise StorageError(f"there is no webhook target {target_id}; see `openplate webhooks list`")
        return target


@contextmanager
def _office(settings_file: Path | None, data_folder: Path | None) -> Iterator[_Office]:
    from openplate.settings import load_settings
    from openplate.settings.building import open_store

    settings = load_settings(settings_file, command_line={"storage.data_folder": data_folder}).settings
    check_extra()
    from openplate.service.outgoing import receiver_addresses
    from openplate.service.targets import TargetDesk

    store = open_store(settings)
    try:
        yield _Office(settings, store, TargetDesk(store, receiver_addresses(settings), lambda: None))
    finally:
        store.close()


@app.command("create")
def create(
    url: Annotated[str, typer.Argument(metavar="URL", help="Where messages are posted to, http or https.")],
    images: Annotated[
        list[ImageChoice] | None,
        typer.Option("--image", help="Send a picture too; repeatable, the first is the field upload."),
    ] = None,
    header: Annotated[
        str | None, typer.Option("--header", metavar="NAME: VALUE", help="One more header, as Authorization: Token x.")
    ] = None,
    sign: Annotated[bool, typer.Option("--sign", help="Sign messages; makes a secret and prints it once.")] = False,
    secret: Annotated[
        str | None, typer.Option("--secret", metavar="WHSEC", help="Sign messages with this secret, whsec_ and base64.")
    ] = None,
    email: Annotated[
        str | None, typer.Option("--email", help="Who is told when the target is disabled; needs the smtp settings.")
    ] = None,
    data_folder: DataFolder = None,
    settings_file: SettingsFile = None,
) -> None:
    """Add a target: it is sent every recognition from now on."""
    with _office(settings_file, data_folder) as office:
        from openplate.delivery.signing import new_secret
        from openplate.service.values import NewTarget
        from openplate.storage import IMAGE_KINDS

        used = secret or (new_secret() if sign else None)
        wanted = dict.fromkeys(image.value for image in images or ())
        kinds = tuple(kind for word in wanted for kind in IMAGE_KINDS if kind == word)
        target = office.desk.create(NewTarget(url, images=kinds, header=header, secret=used, owner_email=email))
        typer.echo(f"webhook {target.id} sends to {target.url}")
        if sign and not secret:
            typer.echo(f"secret, shown this once: {used}")
        if email is not None and office.settings.smtp.host is None:
            typer.echo("no mail server is set (smtp.host): the owner will not be told", err=True)


@app.command("list")
def list_targets(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object per line.")] = False,
    data_folder: DataFolder = None,
    settings_file: SettingsFile = None,
) -> None:
    """List the targets with what waits for each."""
    with _office(settings_file, data_folder) as office:
        waiting = {each.target_id: each for each in office.store.backlog()}
        targets = office.store.targets()
    for target in targets:
        if as_json:
            typer.echo(json.dumps(_as_values(target, waiting.get(target.id))))
        else:
            typer.echo(_as_text(target, waiting.get(target.id)))
    if not targets and not as_json:
        typer.echo("there are no webhook targets; `openplate webhooks create URL` adds one")


@app.command("test")
def try_out(target_id: TargetId, data_folder: DataFolder = None, settings_file: SettingsFile = None) -> None:
    """Send a sample message at once, past the queue; exit code 1 when the target does not take it."""
    with _office(settings_file, data_folder) as office:
        from openplate.delivery.schedule import Outcome
        from openplate.service.outgoing import build_dispatcher

        target = office.target(target_id)
        made = build_dispatcher(office.store, office.settings).send_test(target)
        if made.outcome is Outcome.DELIVERED:
            typer.echo(f"{target.url} took it: HTTP status {made.status}")
            return
    typer.echo(f"openplate: {target.url} did not take it: {made.detail}", err=True)
    raise typer.Exit(FAILED)


@app.command("pause")
def pause(target_id: TargetId, data_folder: DataFolder = None, settings_file: SettingsFile = None) -> None:
    """Send nothing to a target for now; its messages wait."""
    with _office(settings_file, data_folder) as office:
        target = office.target(target_id)
        office.desk.set_state(target.id, "paused")
        typer.echo(f"webhook {target.id} is paused")


@app.command("resume")
def resume(target_id: TargetId, data_folder: DataFolder = None, settings_file: SettingsFile = None) -> None:
    """Send to a paused or disabled target again: what waits, what was given up, and what comes."""
    with _office(settings_file, data_folder) as office:
        target = office.target(target_id)
        office.desk.set_state(target.id, "active")
        count = office.store.requeue(target.id, datetime.now(UTC))
        typer.echo(f"webhook {target.id} is active; {count} messages wait")


@app.command("delete")
def delete(target_id: TargetId, data_folder: DataFolder = None, settings_file: SettingsFile = None) -> None:
    """Remove a target with all that waits for it."""
    with _office(settings_file, data_folder) as office:
        target = office.target(target_id)
        office.desk.delete(target.id)
        typer.echo(f"webhook {target.id} is deleted")


def _as_values(target: Target, backlog: Backlog | None) -> dict[str, object]:
    """A target without its secret and the value of its header."""
    return {
        "id": target.id,
        "url": target.url,
        "event": target.event,
        "images": list(target.images),
        "header": None if target.header is None else target.header.partition(":")[0],
        "signed": target.secret is not None,
        "state": target.state,
        "owner_email": target.owner_email,
        "created_at": target.created_at.isoformat(),
        "failing_since": None if target.failing_since is None else target.failing_since.isoformat(),
        "waiting": 0 if backlog is None else backlog.waiting,
        "given_up": 0 if backlog is None else backlog.given_up,
    }


def _as_text(target: Target, backlog: Backlog | None) -> str:
    parts = [f"{target.id}  {target.state}  {target.url}  {', '.join(target.images) or 'data only'}"]
    if target.header is not None:
        parts.append(f"header {target.header.partition(':')[0]}")
    if target.secret is not None:
        parts.append("signed")
    if target.owner_email is not None:
        parts.append(f"owner {target.owner_email}")
    if backlog is not None:
        parts.append(f"{backlog.waiting} waiting, {backlog.given_up} given up")
    if target.failing_since is not None:
        parts.append(f"failing since {target.failing_since:%Y-%m-%d %H:%M} UTC")
    return "; ".join(parts)
