"""One attempt to deliver one message."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from openplate.delivery.connections import Answer, Body, Caller
from openplate.delivery.messages import body_of, headers_of
from openplate.delivery.schedule import Outcome, outcome_of, retry_after_s
from openplate.errors import DeliveryError, RequestError
from openplate.storage.records import Delivery, Target

QUOTED: Final = 200
"""Characters of a refusing answer that are kept as the reason."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """What came of an attempt. ``status`` is None without an answer; ``detail`` says in words what was wrong."""

    outcome: Outcome
    status: int | None = None
    detail: str = ""
    retry_after_s: float | None = None


def attempt(caller: Caller, target: Target, delivery: Delivery, now: datetime) -> Attempt:
    """Sends a message to its target once; never raises for what receivers or files do."""
    try:
        body = body_of(target, delivery)
    except OSError as error:
        return Attempt(Outcome.REFUSED, detail=f"a picture of the message cannot be read: {error}")
    return send(caller, target, delivery.id, body, now)


def send(caller: Caller, target: Target, delivery_id: str, body: Body, now: datetime) -> Attempt:
    """Posts a body to a target once. ``delivery_id`` is what a receiver can tell repeated messages by."""
    try:
        headers = headers_of(target, delivery_id, now, body)
        answer = caller.exchange("POST", target.url, headers, body)
    except (DeliveryError, RequestError, OSError) as error:
        return Attempt(Outcome.UNREACHABLE, detail=str(error))
    return _judge(answer, now)


def _judge(answer: Answer, now: datetime) -> Attempt:
    outcome = outcome_of(answer.status)
    if outcome is Outcome.DELIVERED:
        return Attempt(outcome, answer.status)
    wanted_s = retry_after_s(answer.headers.get("retry-after"), now)
    if outcome is Outcome.REFUSED and wanted_s is not None:
        outcome = Outcome.UNREACHABLE  # it says when it can be reached again, so it is about the moment
    said = "".join(each if each.isprintable() else " " for each in answer.body[: 4 * QUOTED].decode(errors="replace"))
    detail = f"HTTP status {answer.status}"
    if 300 <= answer.status < 400:
        detail += f", redirects to {answer.headers.get('location', 'nowhere')[:QUOTED]}, which is not followed"
    return Attempt(outcome, answer.status, f"{detail}: {said.strip()[:QUOTED]}" if said.strip() else detail, wanted_s)
