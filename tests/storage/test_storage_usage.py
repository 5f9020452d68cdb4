"""Usage: each call once, whatever is repeated, killed or done at the same time; quotas; months."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from storage_helpers import NOON, make_entry, run_processes

from openplate.errors import QuotaExceeded, StorageError
from openplate.storage import Message, Store, Usage

APRIL = datetime(2026, 4, 1, tzinfo=UTC)


def test_a_call_is_counted(store: Store) -> None:
    assert store.usage(None, NOON) == Usage(0, None, 2026, 3, APRIL)
    assert store.record(make_entry(), NOON) == Usage(1, None, 2026, 3, APRIL)
    assert store.record(make_entry(), NOON).calls == 2
    assert store.usage(None, NOON).calls == 2


def test_the_same_call_is_counted_once(store: Store) -> None:
    entry = make_entry(keep=True, texts=("AB123",))
    assert [store.record(entry, NOON).calls for _ in range(3)] == [1, 1, 1]
    assert len(store.recognitions()) == 1


def test_each_token_has_its_own_count(store: Store) -> None:
    _, first = store.create_token("a", 10, None)
    _, second = store.create_token("b", None, None)
    for token_id in (first.id, first.id, second.id, None):
        store.record(make_entry(token_id=token_id), NOON)
    assert [store.usage(token, NOON).calls for token in (first, second, None)] == [2, 1, 1]
    assert [store.usage(token, NOON).allowed for token in (first, second, None)] == [10, None, None]


def test_a_call_of_no_token_is_an_error_and_not_counted(store: Store) -> None:
    with pytest.raises(StorageError, match="no token 9"):
        store.record(make_entry(token_id=9), NOON)


def test_the_quota_ends_calls_and_what_they_would_leave(store: Store) -> None:
    _, token = store.create_token("a", 2, None)
    target = store.create_target("http://receiver/")
    for _ in range(2):
        assert store.check_quota(token, NOON).allowed == 2
        store.record(make_entry(token_id=token.id), NOON)
    with pytest.raises(QuotaExceeded, match="2 calls of this month are used up; the next begins on 2026-04-01"):
        store.check_quota(token, NOON)
    late = make_entry(token_id=token.id, keep=True, messages=(Message(target.id, "{}"),))
    for _ in range(2):
        with pytest.raises(QuotaExceeded):
            store.record(late, NOON)
    assert store.usage(token, NOON).calls == 2
    assert store.recognitions() == []
    assert store.backlog() == ()


@pytest.mark.parametrize("allowed", [0, 1, 3])
def test_calls_without_token_have_an_allowance_too(url: str, data_folder: Path, allowed: int) -> None:
    store = Store.open(url, data_folder, calls_per_month=allowed)
    for _ in range(allowed):
        assert store.record(make_entry(), NOON).allowed == allowed
    with pytest.raises(QuotaExceeded):
        store.record(make_entry(), NOON)
    assert store.usage(None, NOON).calls == allowed
    store.close()


@pytest.mark.parametrize(
    ("now", "year", "month", "resets_on"),
    [
        ("2026-03-31T23:59:59.999999+00:00", 2026, 3, "2026-04-01T00:00:00+00:00"),
        ("2026-04-01T00:00:00+00:00", 2026, 4, "2026-05-01T00:00:00+00:00"),
        ("2026-12-31T23:59:59+00:00", 2026, 12, "2027-01-01T00:00:00+00:00"),
        ("2027-01-01T00:30:00+01:00", 2026, 12, "2027-01-01T00:00:00+00:00"),
        ("2026-12-31T20:00:00-05:00", 2027, 1, "2027-02-01T00:00:00+00:00"),
    ],
)
def test_months_are_those_of_utc(store: Store, now: str, year: int, month: int, resets_on: str) -> None:
    usage = store.record(make_entry(), datetime.fromisoformat(now))
    assert (usage.calls, usage.year, usage.month, usage.resets_on.isoformat()) == (1, year, month, resets_on)
    assert store.usage(None, datetime.fromisoformat(now)) == usage


def test_a_new_month_begins_at_nought(store: Store) -> None:
    _, token = store.create_token("a", 1, None)
    for month in (3, 4, 5):
        now = datetime(2026, month, 15, tzinfo=UTC)
        assert store.check_quota(token, now).calls == 0
        assert store.record(make_entry(token_id=token.id), now).calls == 1


def test_a_time_without_zone_is_refused(store: Store) -> None:
    with pytest.raises(StorageError, match="time zone"):
        store.record(make_entry(), datetime(2026, 3, 5, 12))


def test_counts_outlive_the_store(url: str, data_folder: Path) -> None:
    entry = make_entry()
    for _ in range(3):
        store = Store.open(url, data_folder)
        store.record(entry, NOON)
        store.record(make_entry(), NOON)
        store.close()
    store = Store.open(url, data_folder)
    assert store.usage(None, NOON).calls == 4
    store.close()


def test_threads_never_exceed_a_quota(store: Store) -> None:
    _, token = store.create_token("a", 25, None)

    def call(_: int) -> bool:
        try:
            store.record(make_entry(token_id=token.id), NOON)
            return True
        except QuotaExceeded:
            return False

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(call, range(60))) == 25
    assert store.usage(token, NOON).calls == 25


def test_processes_count_exactly(store: Store, url: str, data_folder: Path) -> None:
    """Half of their calls are their own, the other half all of them try to record."""
    code = """
store = Store.open(url, data_folder)
for i in range(40):
    for id in (f"{number:04x}{i:028x}", f"ffff{i:028x}"):
        store.record(Entry(id, None, None, NOON, "{}"), NOON)
store.close()
"""
    run_processes(code, url, data_folder, 3)
    assert store.usage(None, NOON).calls == 3 * 40 + 40


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(calls=st.lists(st.tuples(st.integers(0, 9), st.integers(0, 2)), max_size=25))
def test_any_order_of_calls_and_repetitions(store: Store, calls: list[tuple[int, int]]) -> None:
    """Each example has a month of its own, in which distinct ids count and nothing else."""
    now = datetime(1980 + uuid.uuid4().int % 8000, 6, 1, tzinfo=timezone(timedelta(hours=2)))
    before = store.usage(None, now).calls
    ids = [uuid.uuid4().hex for _ in range(10)]
    for which, repetitions in calls:
        for _ in range(repetitions + 1):
            store.record(make_entry(id=ids[which]), now)
    assert store.usage(None, now).calls - before == len({which for which, _ in calls})
