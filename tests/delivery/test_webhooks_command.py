"""``openplate webhooks``: targets from the command line, tried with real receivers."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from outboxes import Desk, a_desk
from receivers import Reply, receiving
from typer.testing import CliRunner, Result

from openplate.cli import app
from openplate.delivery.signing import key_of

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs ``openplate webhooks`` on a folder of its own, where private receivers are allowed."""
    monkeypatch.setenv("OPENPLATE_WEBHOOKS_ALLOW_PRIVATE", "true")
    monkeypatch.setenv("OPENPLATE_STORAGE_MIN_FREE_BYTES", "0")
    monkeypatch.setenv("OPENPLATE_WEBHOOKS_TIMEOUT_S", "5")

    def run(command: str, *arguments: str) -> Result:
        return CliRunner().invoke(app, ["webhooks", command, *arguments, "--data", str(tmp_path)])

    return run


def listed(run: Run) -> list[dict[str, object]]:
    result = run("list", "--json")
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_a_target_from_its_creation_to_its_end(run: Run) -> None:
    assert "there are no webhook targets" in run("list").stdout
    made = run("create", "http://10.0.0.2:8081/")
    assert (made.exit_code, made.stdout) == (0, "webhook 1 sends to http://10.0.0.2:8081/\n")
    assert "1  active  http://10.0.0.2:8081/  data only" in run("list").stdout
    assert run("pause", "1").exit_code == 0
    assert [each["state"] for each in listed(run)] == ["paused"]
    assert run("resume", "1").exit_code == 0
    assert [each["state"] for each in listed(run)] == ["active"]
    assert run("delete", "1").exit_code == 0
    assert listed(run) == []


def test_all_that_a_target_may_have(run: Run) -> None:
    options = ["--image", "plate", "--image", "original", "--image", "plate", "--header", "Authorization: Token geheim"]
    made = run("create", "https://10.0.0.2/", *options, "--sign", "--email", "gate@example.org")
    assert made.exit_code == 0, made.output
    secret = re.search(r"shown this once: (whsec_\S+)", made.stdout)
    assert secret
    assert len(key_of(secret[1])) == 32
    assert "the owner will not be told" in made.stderr
    (target,) = listed(run)
    assert target["images"] == ["plate", "original"]
    assert (target["header"], target["signed"], target["owner_email"]) == ("Authorization", True, "gate@example.org")
    shown = run("list").stdout + json.dumps(target)
    assert "geheim" not in shown
    assert secret[1] not in shown


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["ftp://10.0.0.2/"], "http:// or https://"),
        (["http://169.254.169.254/"], "never"),
        (["http://10.0.0.2/", "--header", "Host: x"], "header"),
        (["http://10.0.0.2/", "--secret", "x"], "secret"),
        (["http://10.0.0.2/", "--email", "nobody"], "e-mail"),
    ],
)
def test_what_cannot_be_a_target(run: Run, arguments: list[str], reason: str) -> None:
    result = run("create", *arguments)
    assert result.exit_code == 1
    assert reason in result.stderr
    assert listed(run) == []


def test_private_receivers_need_the_setting(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENPLATE_WEBHOOKS_ALLOW_PRIVATE")
    result = run("create", "http://10.0.0.2:8081/")
    assert result.exit_code == 1
    assert "private addresses are not allowed by the settings" in result.stderr


@pytest.mark.parametrize("command", ["test", "pause", "resume", "delete"])
def test_an_unknown_target_is_named(run: Run, command: str) -> None:
    result = run(command, "7")
    assert result.exit_code == 1
    assert "there is no webhook target 7" in result.stderr


@pytest.mark.parametrize(("status", "exit_code"), [(200, 0), (500, 1)])
def test_a_target_is_tried(run: Run, status: int, exit_code: int) -> None:
    with receiving(lambda _: Reply(status, body=b"said")) as receiver:
        run("create", receiver.url, "--secret", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
        result = run("test", "1")
    assert result.exit_code == exit_code
    assert f"HTTP status {status}" in result.output
    (request,) = receiver.requests
    assert json.loads(request.body)["hook"] == {"target": receiver.url, "id": 1, "event": "image.done"}
    assert request.headers["webhook-signature"].startswith("v1,")


def test_resuming_queues_what_was_given_up(run: Run, tmp_path: Path) -> None:
    run("create", "http://10.0.0.2:8081/")
    with a_desk(tmp_path) as desk:
        give_up_all(desk)
        desk.store.set_target_state(1, "disabled")
    assert [(each["waiting"], each["given_up"]) for each in listed(run)] == [(0, 2)]
    assert "2 messages wait" in run("resume", "1").stdout
    assert [(each["state"], each["waiting"], each["given_up"]) for each in listed(run)] == [("active", 2, 0)]


def give_up_all(desk: Desk) -> None:
    target = desk.store.targets()[0]
    desk.tell(target, 1, 2)
    for delivery in desk.store.due(target.id, desk.clock(), 10):
        desk.store.failed(delivery.id, desk.clock(), None, "HTTP status 500")
