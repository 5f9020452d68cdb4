"""Plate Recognizer's small answers: the calls used, what is installed, and what went wrong."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

UNLIMITED_CALLS = 1_000_000_000
"""What is said where no limit on calls is set: receivers compute with a number."""


def calls_used(calls: int, allowed: int | None) -> dict[str, int]:
    """The calls of the period, as recognition answers have it; ``allowed`` None: no limit."""
    return {"max_calls": UNLIMITED_CALLS if allowed is None else allowed, "calls": calls}


def statistics(*, calls: int, allowed: int | None, year: int, month: int, resets_on: datetime) -> dict[str, object]:
    """The answer of ``/v1/statistics/``. ``resets_on`` must know its time zone; ``allowed`` None: no limit."""
    if resets_on.tzinfo is None:
        raise ValueError("a time needs its time zone")
    reset = resets_on.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"
    return {
        "usage": {"year": year, "month": month, "calls": calls, "resets_on": reset},
        "total_calls": UNLIMITED_CALLS if allowed is None else allowed,
    }


def info(
    *, version: str, license_key: str, calls: int, allowed: int | None, webhooks: Sequence[str] = ()
) -> dict[str, object]:
    """The answer of ``/info/``; ``webhooks`` are the addresses of the receivers."""
    return {
        "version": version,
        "license_key": license_key,
        "total_calls": UNLIMITED_CALLS if allowed is None else allowed,
        "usage": {"calls": calls},
        "webhooks": list(webhooks),
    }


def failure(status: int, detail: str) -> dict[str, object]:
    """The body of an error that says its own status (400, 403, 413, 429, 503)."""
    return {"detail": detail, "status_code": status}


def throttled(retry_after_s: float) -> dict[str, object]:
    """The body of status 429, with the seconds to wait rounded up."""
    wait = max(1, math.ceil(retry_after_s))
    seconds = "second" if wait == 1 else "seconds"
    return failure(429, f"Request was throttled. Expected available in {wait} {seconds}.")


def not_found() -> dict[str, object]:
    """The body of status 404, as the vendor's framework has it."""
    return {"detail": "Not found."}


def method_not_allowed(method: str) -> dict[str, object]:
    """The body of status 405, as the vendor's framework has it."""
    return {"detail": f'Method "{method}" not allowed.'}


def encode(body: Mapping[str, object]) -> bytes:
    """An answer's bytes: JSON without spaces, UTF-8, keys in their order.

    ValueError for numbers that JSON does not have.
    """
    return json.dumps(body, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()
