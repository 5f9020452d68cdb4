"""Tokens: shown once, found by their secret, as fast as they may be."""

from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from storage_helpers import NOON, after, run_processes

from openplate.errors import RateExceeded, StorageError
from openplate.storage import Store, Token


def test_a_secret_finds_its_token(store: Store) -> None:
    secret, token = store.create_token("Gate house", 2500, 1.5, NOON)
    assert len(secret) == 40
    assert set(secret) <= set("0123456789abcdef")
    assert token == Token(1, "Gate house", secret[:6], NOON, None, 2500, 1.5)
    assert store.find_token(secret) == token
    assert store.tokens() == (token,)


@pytest.mark.parametrize("wrong", ["", "0" * 40, "A" * 40, "x", "0" * 41, "\0", "ä" * 40, "0" * 39 + "\n"])
def test_another_secret_finds_none(store: Store, wrong: str) -> None:
    store.create_token("a", None, None)
    assert store.find_token(wrong) is None


def test_the_secret_is_stored_nowhere(tmp_path: Path) -> None:
    store = Store.open(None, tmp_path)
    secret, _ = store.create_token("a", None, None)
    store.close()
    assert secret.encode() not in b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())


def test_nobody_else_reads_the_database(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    store = Store.open(None, folder)
    modes = {path.name: oct(path.stat().st_mode & 0o777) for path in folder.glob("openplate.db*")}
    store.close()
    assert modes == dict.fromkeys(modes, "0o600")
    assert "openplate.db" in modes
    assert oct(folder.stat().st_mode & 0o777) == "0o700"


def test_revoked_by_number_or_prefix(store: Store) -> None:
    first, token = store.create_token("a", None, None, NOON)
    second, other = store.create_token("b", None, None, NOON)
    assert store.revoke_token(token.id, after(5)).revoked_at == after(5)
    assert store.find_token(first) is None
    assert store.find_token(second) == other
    assert store.revoke_token(second[:6], after(6)).id == other.id
    assert store.find_token(second) is None
    assert store.revoke_token(str(token.id), after(9)).revoked_at == after(5)  # it was before
    assert [each.name for each in store.tokens()] == ["a", "b"]


@pytest.mark.parametrize("which", [7, "7", "abcdef", "", "1; DROP TABLE tokens"])
def test_revoking_no_token_is_an_error(store: Store, which: int | str) -> None:
    with pytest.raises(StorageError, match="no token"):
        store.revoke_token(which)


@pytest.mark.parametrize(
    ("name", "calls_per_month", "calls_per_second", "reason"),
    [
        ("", None, None, "name"),
        ("a\nb", None, None, "name"),
        ("a", -1, None, "per month"),
        ("a", None, 0, "per second"),
        ("a", None, float("nan"), "per second"),
        ("a", None, float("inf"), "per second"),
    ],
)
def test_limits_that_make_no_sense(
    store: Store, name: str, calls_per_month: int | None, calls_per_second: float | None, reason: str
) -> None:
    with pytest.raises(StorageError, match=reason):
        store.create_token(name, calls_per_month, calls_per_second)
    assert store.tokens() == ()


def test_a_revoked_number_is_never_given_again(store: Store) -> None:
    assert [store.create_token("a", None, None)[1].id for _ in range(3)] == [1, 2, 3]


def let_through(store: Store, token: Token, seconds: list[float]) -> list[bool]:
    passed, waits = [], []
    for second in seconds:
        try:
            store.take_rate(token, after(second))
            passed.append(True)
        except RateExceeded as error:
            waits.append(error.retry_after_s)
            passed.append(False)
    assert all(0 < wait <= 1 / (token.calls_per_second or 1) for wait in waits)
    return passed


@pytest.mark.parametrize(
    ("rate", "seconds", "expected"),
    [
        (1.0, [0, 0, 0.5, 1.0, 1.5, 2.0], [True, False, False, True, False, True]),
        (3.0, [0, 0, 0, 0, 1, 1, 1, 1], [True, True, True, False, True, True, True, False]),
        (0.5, [0, 1, 2, 2.5, 4], [True, False, True, False, True]),
        (2.0, [0, 0.5, 1.0, 1.5, 2.0, 2.5], [True] * 6),
        (1.0, [1000, 0, 0, 1], [True, True, False, True]),  # the clock was set back
    ],
)
def test_the_calls_of_a_second(store: Store, rate: float, seconds: list[float], expected: list[bool]) -> None:
    _, token = store.create_token("a", None, rate)
    assert let_through(store, token, seconds) == expected


def test_without_a_rate_all_pass(store: Store) -> None:
    _, token = store.create_token("a", None, None)
    assert let_through(store, token, [0.0] * 20) == [True] * 20


def test_tokens_do_not_slow_each_other(store: Store) -> None:
    tokens = [store.create_token("a", None, 1.0)[1] for _ in range(3)]
    assert [let_through(store, token, [0, 0]) for token in tokens] == [[True, False]] * 3


def test_threads_share_the_rate(store: Store) -> None:
    _, token = store.create_token("a", None, 7.0)
    with ThreadPoolExecutor(8) as pool:
        passed = list(pool.map(lambda _: let_through(store, token, [0.0])[0], range(40)))
    assert sum(passed) == 7


def test_processes_share_the_rate(store: Store, url: str, data_folder: Path) -> None:
    store.create_token("a", None, 5.0)
    code = """
store = Store.open(url, data_folder)
(token,) = store.tokens()
passed = 0
for _ in range(10):
    try:
        store.take_rate(token, NOON)
        passed += 1
    except RateExceeded:
        pass
print(passed)
store.close()
"""
    assert sum(int(answer) for answer in run_processes(code, url, data_folder, 3)) == 5


def test_the_column_of_secrets_holds_their_hash(tmp_path: Path) -> None:
    """So that a copy of the database lets nobody in."""
    store = Store.open(None, tmp_path)
    secret, _ = store.create_token("a", None, None)
    store.close()
    with sqlite3.connect(tmp_path / "openplate.db") as connection:
        ((stored,),) = connection.execute("SELECT secret_sha256 FROM tokens").fetchall()
    connection.close()
    assert len(stored) == 64
    reopened = Store.open(None, tmp_path)
    assert reopened.find_token(stored) is None
    assert reopened.find_token(stored[:40]) is None
    assert reopened.find_token(secret) is not None
    reopened.close()
