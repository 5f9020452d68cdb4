"""What cameras show at this moment, for who asks: the port of ``openplate.api.cameras``."""

from __future__ import annotations

import asyncio
import secrets
import string
import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Final

from openplate.datatypes import Recognition
from openplate.errors import TokenError
from openplate.formats import platerecognizer
from openplate.formats.snapshot_request import SnapshotRequest
from openplate.service.pool import BoundedPool
from openplate.service.watching import Watcher
from openplate.settings import Settings
from openplate.storage import Entry, Store, Token

_WAITING: Final = 8
_LETTERS: Final = string.ascii_uppercase + string.digits


class CameraReader:
    """One frame is looked at at a time, a few may wait. With a store calls are counted and tokens known, as by the
    server.
    """

    def __init__(self, watcher: Watcher, settings: Settings, store: Store | None) -> None:
        """``store`` may be None where no token is asked for; whoever gives it closes it."""
        self._watcher, self._settings, self._store = watcher, settings, store
        self._flavour = settings.server.flavour
        self._pool = BoundedPool(1, _WAITING, "read now")
        self._calls = 0

    def close(self, timeout_s: float = 5.0) -> bool:
        """Takes no more calls; whether those under way ended in time."""
        return self._pool.close(timeout_s)

    @property
    def token_required(self) -> bool:
        return self._settings.token_required

    @property
    def success_status(self) -> int:
        return self._settings.server.success_status

    @property
    def names(self) -> Sequence[str]:
        return [camera.name for camera in self._watcher.cameras]

    def find_camera(self, camera_id: str) -> str | None:
        """See ``CameraPort``."""
        numbers = {str(camera.number): camera.name for camera in self._watcher.cameras}
        return camera_id if camera_id in self.names else numbers.get(camera_id)

    async def find_token(self, secret: str) -> Token:
        """
        Raises:
            TokenError: there is none with that secret, or it is revoked.
        """
        store = self._store
        token = None if store is None else await asyncio.to_thread(store.find_token, secret)
        if token is None:
            raise TokenError("Invalid token.")
        return token

    async def admit(self, token: Token | None) -> None:
        """See ``CameraPort``."""
        self._pool.check()
        if self._store is not None:
            await asyncio.to_thread(self._admit, self._store, token)

    async def recognize(self, camera: str, token: Token | None, at: datetime) -> Mapping[str, object]:
        """See ``CameraPort``. The time in the answer is the frame's."""
        recognition = await self._pool.run(partial(self._watcher.recognize_now, camera))
        usage = await self._count(camera, token, at)
        return self._answer(camera, recognition, at, usage)

    def _answer(
        self, camera: str, recognition: Recognition, at: datetime, usage: tuple[int, int | None]
    ) -> Mapping[str, object]:
        letters = "" if self._flavour == "sdk" else "".join(secrets.choice(_LETTERS) for _ in range(5))
        attributes = any(vehicle.attributes is not None for vehicle in recognition.vehicles)
        return platerecognizer.answer(
            recognition,
            SnapshotRequest(camera_id=camera, mmc=attributes),
            flavour=self._flavour,
            filename=platerecognizer.saved_filename(self._flavour, f"{camera}.jpg", at, letters),
            received_at=recognition.captured_at or at,
            usage=usage,
        )

    async def _count(self, camera: str, token: Token | None, at: datetime) -> tuple[int, int | None]:
        if self._store is None:
            self._calls += 1
            return self._calls, None
        entry = Entry(uuid.uuid4().hex, None if token is None else token.id, camera, at, "")
        usage = await asyncio.to_thread(self._store.record, entry, datetime.now(UTC))
        return usage.calls, usage.allowed

    def _admit(self, store: Store, token: Token | None) -> None:
        now = datetime.now(UTC)
        store.check_room()
        store.check_quota(token, now)
        if token is not None:
            store.take_rate(token, now)
