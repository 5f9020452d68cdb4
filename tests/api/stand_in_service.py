"""A service without networks and database: it remembers what it was asked and answers at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Literal

from openplate.api.ports import (
    Flavour,
    NewTarget,
    Picture,
    Readiness,
    RequestLimits,
    Result,
    ServicePort,
    TestOutcome,
)
from openplate.errors import RequestError, TokenError, UndecodableImage
from openplate.formats.snapshot_request import SnapshotRequest
from openplate.pipeline import Recognizer
from openplate.storage.records import Target, Token
from stand_ins import make_stages

NOW = datetime(2026, 3, 5, 14, 2, 11, 93412, tzinfo=UTC)
SECRET = "0123456789abcdef0123456789abcdef01234567"
TOKEN = Token(1, "gate", SECRET[:6], NOW)


@dataclass
class StandInService:
    """``admission`` and ``failure`` are raised where a service would raise them."""

    flavour: Flavour = "sdk"
    success_status: int = 200
    token_required: bool = False
    limits: RequestLimits = field(default_factory=lambda: RequestLimits(max_body_bytes=1_000_000, body_deadline_s=5.0))
    admission: Exception | None = None
    failure: Exception | None = None
    ready: bool = True
    calls: list[tuple[Picture, SnapshotRequest, Token | None]] = field(default_factory=list)
    fetched: list[str] = field(default_factory=list)
    by_id: dict[int, Target] = field(default_factory=dict)

    counted: int = 0

    @property
    def recognizer(self) -> Recognizer:
        """One that sees painted streets."""
        return Recognizer.from_stages(make_stages(["ABC123", "XY99ZZ"], [{"cz": 1.0}, {"cz": 1.0}]))

    async def find_token(self, secret: str) -> Token:
        if secret != SECRET:
            raise TokenError("Invalid token.")
        return TOKEN

    async def admit(self, token: Token | None) -> None:
        assert token is None or token is TOKEN
        if self.admission is not None:
            raise self.admission

    async def fetch(self, url: str) -> Picture:
        self.fetched.append(url)
        return Picture(b"\xff\xd8\xff from afar", "afar.jpg")

    async def recognize(
        self, picture: Picture, request: SnapshotRequest, token: Token | None, received_at: datetime
    ) -> Mapping[str, object]:
        assert received_at.tzinfo is UTC
        self.calls.append((picture, request, token))
        if self.failure is not None:
            raise self.failure
        if not picture.data.startswith(b"\xff\xd8\xff"):
            raise UndecodableImage("the file is not a picture")
        return {"results": [], "filename": picture.filename, "camera_id": request.camera_id, "bytes": len(picture.data)}

    async def in_pool(self, work: Callable[[], Result]) -> Result:
        return work()

    async def count(self, token: Token | None, camera_id: str | None, at: datetime) -> None:  # noqa: ARG002
        self.counted += 1

    async def statistics(self, token: Token | None) -> Mapping[str, object]:
        usage = {"calls": len(self.calls), "month": 3, "year": 2026, "resets_on": "2026-04-01T00:00:00Z"}
        return {"usage": usage, "total_calls": token and token.calls_per_month}

    async def info(self) -> Mapping[str, object]:
        return {"version": "0.1.0", "license_key": "", "total_calls": None, "usage": {"calls": 0}, "webhooks": []}

    async def targets(self) -> Sequence[Target]:
        return list(self.by_id.values())

    async def target(self, target_id: int) -> Target | None:
        return self.by_id.get(target_id)

    async def create_target(self, target: NewTarget) -> Target:
        if "169.254." in target.url:
            raise RequestError("The address may not be connected to.")
        made = Target(len(self.by_id) + 1, target.url, target.event, target.images, target.header, target.secret,
                      "active", target.owner_email, NOW)  # fmt: skip
        self.by_id[made.id] = made
        return made

    async def set_target_state(self, target_id: int, state: Literal["active", "paused"]) -> Target | None:
        if target_id in self.by_id:
            self.by_id[target_id] = replace(self.by_id[target_id], state=state)
        return self.by_id.get(target_id)

    async def delete_target(self, target_id: int) -> bool:
        return self.by_id.pop(target_id, None) is not None

    async def test_target(self, target_id: int) -> TestOutcome | None:
        return TestOutcome(True, 200, "OK") if target_id in self.by_id else None

    async def readiness(self) -> Readiness:
        return Readiness(self.ready, {"networks": "ok", "database": "ok" if self.ready else "locked"})

    async def gauges(self) -> Mapping[str, float]:
        return {"queue_length": 3.0}


def as_port(service: StandInService) -> ServicePort:
    """The type checker sees that the stand-in has the form of the real one."""
    return service


def json_errors(status: int, detail: str) -> dict[str, Any]:
    return {"detail": detail, "status_code": status}
