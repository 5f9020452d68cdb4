"""When a message is sent again, and what a receiver's answer means. Pure: time and chance come in."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import Enum, auto
from typing import Final

GIVE_UP_AFTER: Final = timedelta(days=3)
"""How long a message is tried, and how long a receiver may fail before its target is disabled."""
FIRST_DELAY_S: Final = 5.0
GROWTH: Final = 3.0
LONGEST_DELAY_S: Final = 4 * 3600.0
JITTER: Final = 0.25
"""Delays are scattered by this share of themselves, so that messages that failed together do not return together."""
LONGEST_RETRY_AFTER_S: Final = 24 * 3600.0
"""A receiver may ask for a day of silence, not for more: it could never be heard again."""


class Outcome(Enum):
    """What became of one attempt."""

    DELIVERED = auto()
    REFUSED = auto()
    """The receiver is there and does not take this message; others may pass."""
    UNREACHABLE = auto()
    """The receiver does not answer, or says that it is busy: every message would fare the same."""
    GONE = auto()
    """The receiver wants no more messages, ever."""


_BUSY: Final = frozenset({408, 425, 429, 502, 503, 504})


def outcome_of(status: int) -> Outcome:
    """The meaning of an HTTP status: 2xx took the message, 410 ends it all, some are about the moment."""
    if 200 <= status < 300:
        return Outcome.DELIVERED
    if status == 410:
        return Outcome.GONE
    return Outcome.UNREACHABLE if status in _BUSY else Outcome.REFUSED


def next_attempt(
    attempts: int,
    created_at: datetime,
    now: datetime,
    retry_after_s: float | None,
    random: float,
    give_up_after: timedelta = GIVE_UP_AFTER,
) -> datetime | None:
    """When to try again.

    Args:
        attempts: how often it was tried, at least 1.
        created_at: when the message was accepted.
        now: when the last attempt failed.
        retry_after_s: the silence that the receiver asked for, in seconds.
        random: a number from 0 to 1.
        give_up_after: how long a message is tried.

    Returns:
        The time of the next attempt, the last one being when the time is over; None after that. A message that
        was hardly tried by then, because the server was off, is tried on for a while.
    """
    end = created_at + give_up_after
    is_over = now >= end
    if is_over and attempts >= fewest_attempts(give_up_after):
        return None
    delay_s = _delay_s(attempts) * (1 + JITTER * (2 * random - 1))
    if retry_after_s is not None:
        delay_s = max(delay_s, min(retry_after_s, LONGEST_RETRY_AFTER_S))
    following = now + timedelta(seconds=delay_s)
    return following if is_over else min(following, end)


def _delay_s(attempts: int) -> float:
    return float(min(FIRST_DELAY_S * GROWTH ** min(attempts - 1, 32), LONGEST_DELAY_S))


def fewest_attempts(give_up_after: timedelta) -> int:
    """How often a message is tried before it may be given up: as often as fits into an eighth of the time."""
    attempts, passed_s = 1, 0.0
    while passed_s < give_up_after.total_seconds() / 8:
        passed_s += _delay_s(attempts)
        attempts += 1
    return attempts


def has_failed_too_long(
    failing_since: datetime | None,
    attempts: int,
    now: datetime,
    *,
    is_given_up: bool = False,
    give_up_after: timedelta = GIVE_UP_AFTER,
) -> bool:
    """Whether a target is to be disabled that has taken nothing since then, and not this message in its attempts.

    A message that is given up has had all the time there is: then half of it without any success is enough.
    """
    if failing_since is None or attempts < fewest_attempts(give_up_after):
        return False
    return now - failing_since >= (give_up_after / 2 if is_given_up else give_up_after)


_SECONDS: Final = re.compile(r"[0-9]{1,12}(\.[0-9]{1,6})?")


def retry_after_s(header: str | None, now: datetime) -> float | None:
    """The seconds that a Retry-After header asks for, from a number or an HTTP date; None if it says nothing."""
    text = (header or "").strip()
    if not text.isascii():
        return None
    if _SECONDS.fullmatch(text):
        return float(text)
    try:
        when = parsedate_to_datetime(text)
        seconds = ((when if when.tzinfo else when.replace(tzinfo=UTC)) - now).total_seconds()
    except (TypeError, ValueError, OverflowError):
        return None
    return seconds if math.isfinite(seconds) and seconds > 0 else 0.0
