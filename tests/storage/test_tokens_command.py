"""``openplate tokens``: made, listed, revoked, on the data that the server uses."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from storage_helpers import NOON, make_entry
from typer.testing import CliRunner, Result

from openplate.cli import app
from openplate.cli.surroundings import Surroundings
from openplate.storage import Store

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs ``openplate tokens`` on a folder of its own."""
    monkeypatch.setenv("OPENPLATE_STORAGE_MIN_FREE_BYTES", "0")

    def run(*arguments: str) -> Result:
        surroundings = Surroundings(now=lambda: NOON)
        return CliRunner().invoke(app, ["tokens", *arguments, "--data", str(tmp_path)], obj=surroundings)

    return run


def test_a_token_from_its_creation_to_its_end(run: Run, tmp_path: Path) -> None:
    assert "there are no tokens" in run("list").stdout
    made = run("create", "Gate house")
    assert made.exit_code == 0, made.output
    first, second = made.stdout.splitlines()
    assert first == "token 1 for Gate house"
    assert second.startswith("secret, shown this once: ")
    secret = second.rpartition(" ")[2]
    store = Store.open(None, tmp_path)
    found = store.find_token(secret)
    assert found is not None
    store.record(make_entry(token_id=found.id), NOON)
    assert run("list").stdout == f"1  {secret[:6]}...  Gate house  calls this month: 1\n"
    assert run("revoke", secret[:6]).stdout == "token 1 for Gate house is revoked\n"
    assert store.find_token(secret) is None
    store.close()
    assert run("list").stdout.endswith("; revoked 2026-03-05 12:00 UTC\n")


def test_limits_and_json(run: Run) -> None:
    made = json.loads(run("create", "a", "--calls-per-month", "2500", "--calls-per-second", "0.5", "--json").stdout)
    secret = made.pop("secret")
    assert len(secret) == 40
    assert made == {
        "id": 1,
        "name": "a",
        "prefix": secret[:6],
        "created_at": NOON.isoformat(),
        "revoked_at": None,
        "calls_per_month": 2500,
        "calls_per_second": 0.5,
        "calls": 0,
        "resets_on": "2026-04-01T00:00:00+00:00",
    }
    listed = run("list", "--json").stdout
    assert json.loads(listed) == made
    assert secret not in listed
    assert run("list").stdout.endswith("a  calls this month: 0 of 2500; 0.5 per second\n")


@pytest.mark.parametrize(
    ("arguments", "code", "reason"),
    [
        (("revoke", "7"), 1, "no token is called 7"),
        (("create", ""), 1, "a token needs a name"),
        (("create", "a", "--calls-per-second", "0"), 2, "--calls-per-second"),
        (("create", "a", "--calls-per-month", "-1"), 2, "--calls-per-month"),
        (("create",), 2, "NAME"),
    ],
)
def test_what_cannot_be_done_says_why(run: Run, arguments: tuple[str, ...], code: int, reason: str) -> None:
    result = run(*arguments)
    assert result.exit_code == code
    assert reason in result.stderr
    assert "Traceback" not in result.output
