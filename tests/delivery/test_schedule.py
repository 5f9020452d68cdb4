"""When a message is sent again: the delays, their scatter, the end, and what a receiver asks for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openplate.delivery.schedule import (
    GIVE_UP_AFTER,
    Outcome,
    fewest_attempts,
    has_failed_too_long,
    next_attempt,
    outcome_of,
    retry_after_s,
)

NOON = datetime(2026, 3, 5, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("attempts", "seconds"),
    [(1, 5), (2, 15), (3, 45), (4, 135), (5, 405), (6, 1215), (7, 3645), (8, 10935), (9, 14400), (500, 14400)],
)
def test_delays_grow_threefold_up_to_four_hours(attempts: int, seconds: float) -> None:
    assert next_attempt(attempts, NOON, NOON, None, 0.5) == NOON + timedelta(seconds=seconds)


@pytest.mark.parametrize(("random", "seconds"), [(0.0, 3.75), (0.5, 5.0), (1.0, 6.25)])
def test_delays_are_scattered_by_a_quarter(random: float, seconds: float) -> None:
    assert next_attempt(1, NOON, NOON, None, random) == NOON + timedelta(seconds=seconds)


@pytest.mark.parametrize(("asked", "seconds"), [(0.0, 5), (4.0, 5), (600.0, 600), (86_400.0, 86_400), (1e12, 86_400)])
def test_a_receiver_may_ask_for_up_to_a_day_of_silence(asked: float, seconds: float) -> None:
    assert next_attempt(1, NOON, NOON, asked, 0.5) == NOON + timedelta(seconds=seconds)


def test_the_last_attempt_is_made_when_the_three_days_end() -> None:
    late = NOON + timedelta(hours=71)
    assert next_attempt(20, NOON, late, None, 0.5) == NOON + timedelta(hours=72)
    assert next_attempt(21, NOON, NOON + timedelta(hours=72), None, 0.5) is None


@given(st.floats(0, 1), st.floats(0, 30))
def test_an_unreachable_receiver_is_tried_some_twenty_times_in_three_days(random: float, took_s: float) -> None:
    now, attempts = NOON, 0
    at: datetime | None = NOON
    while at is not None:
        assert at >= now
        now, attempts = at + timedelta(seconds=took_s), attempts + 1
        at = next_attempt(attempts, NOON, now, None, random)
    assert 20 <= attempts <= 35
    assert GIVE_UP_AFTER <= now - NOON <= GIVE_UP_AFTER + timedelta(seconds=60)


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (200, Outcome.DELIVERED),
        (201, Outcome.DELIVERED),
        (204, Outcome.DELIVERED),
        (301, Outcome.REFUSED),
        (400, Outcome.REFUSED),
        (401, Outcome.REFUSED),
        (404, Outcome.REFUSED),
        (408, Outcome.UNREACHABLE),
        (410, Outcome.GONE),
        (422, Outcome.REFUSED),
        (425, Outcome.UNREACHABLE),
        (429, Outcome.UNREACHABLE),
        (500, Outcome.REFUSED),
        (502, Outcome.UNREACHABLE),
        (503, Outcome.UNREACHABLE),
        (504, Outcome.UNREACHABLE),
        (599, Outcome.REFUSED),
    ],
)
def test_what_a_status_means(status: int, outcome: Outcome) -> None:
    assert outcome_of(status) is outcome


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("", None),
        ("120", 120.0),
        (" 7 ", 7.0),
        ("1.5", 1.5),
        ("-5", None),
        ("1e9", None),
        ("soon", None),
        ("٣", None),  # digits, but none of HTTP's
        ("9" * 400, None),
        ("Thu, 05 Mar 2026 12:02:00 GMT", 120.0),
        ("Thu, 05 Mar 2026 13:02:00 +0100", 120.0),
        ("Thu, 05 Mar 2026 11:00:00 GMT", 0.0),
        ("Thu, 05 Mar 2026 12:02:00 -0000", 120.0),
        ("Thu, 99 Foo 2026 12:02:00 GMT", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(header: str | None, seconds: float | None) -> None:
    assert retry_after_s(header, NOON) == seconds


@given(st.text())
def test_any_retry_after_is_survived(header: str) -> None:
    seconds = retry_after_s(header, NOON)
    assert seconds is None or seconds >= 0


def test_a_message_that_waited_while_the_server_was_off_is_tried_on_for_a_while() -> None:
    now = NOON + timedelta(days=5)
    assert next_attempt(1, NOON, now, None, 0.5) == now + timedelta(seconds=5)
    assert next_attempt(9, NOON, now, None, 0.5) == now + timedelta(hours=4)
    assert next_attempt(11, NOON, now, None, 0.5) is None


@pytest.mark.parametrize(("days", "attempts"), [(3, 11), (1 / 1440, 3), (30, 31)])
def test_the_fewest_attempts_take_an_eighth_of_the_time(days: float, attempts: int) -> None:
    assert fewest_attempts(timedelta(days=days)) == attempts


def test_a_target_fails_too_long_after_three_days() -> None:
    assert not has_failed_too_long(None, 20, NOON)
    assert not has_failed_too_long(NOON - timedelta(hours=71), 20, NOON)
    assert not has_failed_too_long(NOON - timedelta(hours=72), 10, NOON)
    assert has_failed_too_long(NOON - timedelta(hours=72), 11, NOON)


def test_with_a_message_given_up_half_of_that_is_too_long() -> None:
    assert has_failed_too_long(NOON - timedelta(hours=36), 20, NOON, is_given_up=True)
    assert not has_failed_too_long(NOON - timedelta(hours=35), 20, NOON, is_given_up=True)
