"""The service behind the HTTP side: one object with the networks, the database and the deliveries."""

from __future__ import annotations

import logging
import os
import secrets
import string
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache, partial
from time import monotonic
from typing import Final, Literal, TypeVar

import openplate
from openplate.delivery.fetching import fetch
from openplate.delivery.schedule import Outcome
from openplate.errors import OpenplateError, RequestError, TokenError
from openplate.formats import platerecognizer
from openplate.formats.snapshot_request import SnapshotRequest
from openplate.options import RecognitionOptions
from openplate.pipeline import Recognizer
from openplate.service.calls import Call, Done, options_of, work_on
from openplate.service.errands import Errands, Remembered
from openplate.service.housekeeping import Housekeeping
from openplate.service.outgoing import build_dispatcher, fetch_policy, receiver_addresses
from openplate.service.pool import BoundedPool
from openplate.service.targets import TargetDesk
from openplate.service.values import NewTarget, Picture, Readiness, RequestLimits, TestOutcome
from openplate.settings import Flavour, Settings
from openplate.settings.building import build_recognizer, data_folder_of, open_store
from openplate.storage import Entry, Store, Target, Token, Usage

Result = TypeVar("Result")

_TARGETS_FOR_S: Final = 1.0
_ROOM_FOR_S: Final = 0.5
_FETCHES: Final = 16
_RECORDERS: Final = 8
_CUT_OFF_S: Final = 5.0  # for messages under way; what is cut off is sent again after the next start
_REMEMBERED_OPTIONS: Final = 64
_USUAL_SIZE: Final = (1920, 1080)  # most cameras' pictures are of this shape, and larger and smaller ones go with it
_LICENCE: Final = "openplate"
_LETTERS: Final = string.ascii_uppercase + string.digits

_log = logging.getLogger(__name__)


class Service:
    """Made by ``Service.open``; fulfils ``openplate.api.ports.ServicePort``, where the calls are described."""

    def __init__(self, settings: Settings, recognizer: Recognizer, store: Store, workers: int) -> None:
        """Args:
        settings: the whole tree.
        recognizer: shared by all threads.
        store: is closed with the service.
        workers: pictures worked on at the same time.
        """
        self._settings, self._store, self.recognizer = settings, store, recognizer
        queue = settings.server.queue
        self._with_options = lru_cache(_REMEMBERED_OPTIONS)(recognizer.with_options)
        self._pool = BoundedPool(workers, queue, "recognition")
        # Who has got this far has been let in: recording must take more than recognition lets through.
        self._recorders = BoundedPool(_RECORDERS, workers + queue + _RECORDERS, "recording")
        self._fetches = BoundedPool(_FETCHES, queue, "fetching")
        self._errands = Errands()
        self._told = Remembered(self._told_targets, _TARGETS_FOR_S)
        self._room = Remembered(self._check_room, _ROOM_FOR_S)
        self._desk = TargetDesk(store, receiver_addresses(settings), self._told.forget)
        self._dispatcher = build_dispatcher(store, settings)
        self._housekeeping = Housekeeping(store, settings.storage)
        self._fetch_policy = fetch_policy(settings)

    @classmethod
    def open(cls, settings: Settings) -> Service:
        """Loads the networks and gets them ready, opens the database and begins to deliver what waits.

        Raises:
            OpenplateError: networks, database or data folder cannot be used.
        """
        workers = settings.workers or max(1, _cores() // settings.server.processes)
        store = open_store(settings)
        try:
            recognizer = build_recognizer(RecognitionOptions(), settings, workers)
            recognizer.warm_up(*_USUAL_SIZE)
            service = cls(settings, recognizer, store, workers)
        except BaseException:
            store.close()
            raise
        service.start()
        return service

    def start(self) -> None:
        """Begins what goes on beside the requests."""
        self._dispatcher.start()
        self._housekeeping.start()
        _log.info("data is kept in %s", data_folder_of(self._settings))

    def close(self, timeout_s: float) -> bool:
        """Takes no more calls, finishes those that were accepted, keeps the outbox; False: some still run."""
        end = monotonic() + timeout_s
        self._housekeeping.stop()
        is_done = self._pool.close(max(0.0, end - monotonic()))
        is_done &= self._recorders.close(max(0.0, end - monotonic()))
        self._dispatcher.stop(min(_CUT_OFF_S, max(0.0, end - monotonic())))
        self._fetches.close(0.0)
        self._errands.close()
        if is_done:
            self._store.close()
        return is_done

    @property
    def flavour(self) -> Flavour:
        return self._settings.server.flavour

    @property
    def success_status(self) -> int:
        return self._settings.server.success_status

    @property
    def token_required(self) -> bool:
        return self._settings.token_required

    @property
    def limits(self) -> RequestLimits:
        server = self._settings.server
        return RequestLimits(
            max_body_bytes=server.max_upload_bytes,
            body_deadline_s=server.upload_timeout_s,
            max_waiting_bytes=server.max_waiting_bytes,
        )

    async def find_token(self, secret: str) -> Token:
        token = await self._errands.run(partial(self._store.find_token, secret))
        if token is None:
            raise TokenError("Invalid token.")
        return token

    async def admit(self, token: Token | None) -> None:
        self._pool.check()
        allowed = self._settings.accounts.max_calls if token is None else token.calls_per_month
        is_limited = allowed is not None or (token is not None and token.calls_per_second is not None)
        if is_limited or not self._room.is_fresh:
            await self._errands.run(partial(self._admit, token, is_limited))

    def _admit(self, token: Token | None, is_limited: bool) -> None:
        self._room.get()
        if is_limited:
            now = datetime.now(UTC)
            self._store.check_quota(token, now)
            if token is not None:
                self._store.take_rate(token, now)

    async def fetch(self, url: str) -> Picture:
        if not self._settings.upload_url.enabled:
            raise RequestError("upload_url is switched off on this server; send the picture in the field upload.")
        data, filename = await self._fetches.run(partial(fetch, url, self._fetch_policy))
        return Picture(data, filename)

    async def recognize(
        self, picture: Picture, request: SnapshotRequest, token: Token | None, received_at: datetime
    ) -> Mapping[str, object]:
        letters = "" if self.flavour == "sdk" else "".join(secrets.choice(_LETTERS) for _ in range(5))
        filename = platerecognizer.saved_filename(self.flavour, picture.filename, received_at, letters)
        token_id = None if token is None else token.id
        call = Call(uuid.uuid4().hex, picture, filename, request, token_id, received_at)
        done, usage = await self._pool.run(partial(self._work_on, call))
        if usage is None:
            usage = await self._recorders.run(partial(self._record, done))
        return platerecognizer.answer(
            done.recognition,
            request,
            flavour=self.flavour,
            filename=filename,
            received_at=received_at,
            usage=(usage.calls, usage.allowed),
        )

    def _work_on(self, call: Call) -> tuple[Done, Usage | None]:
        """Recognizes; a call that is only to be counted is counted at once, for that takes no time."""
        options = options_of(call.request)
        if options.attributes and self.recognizer.stages.attribute_classifier is None:
            options = replace(options, attributes=False)  # a folder of weights without it: the answer says unknown
        recognizer = self._with_options(options)
        done = work_on(call, recognizer, self._told.get(), self._settings.storage.keep)
        # What must reach the disk waits for it elsewhere: this thread has other pictures to look at.
        is_only_counted = not done.entry.messages and not done.entry.keep
        return done, self._record(done) if is_only_counted else None

    def _record(self, done: Done) -> Usage:
        usage = self._store.record(done.entry, datetime.now(UTC))
        if done.entry.messages:
            self._dispatcher.wake()
        return usage

    async def in_pool(self, work: Callable[[], Result]) -> Result:
        return await self._pool.run(work)

    async def count(self, token: Token | None, camera_id: str | None, at: datetime) -> None:
        entry = Entry(uuid.uuid4().hex, None if token is None else token.id, camera_id, at, "")
        await self._errands.run(partial(self._store.record, entry, datetime.now(UTC)))

    async def statistics(self, token: Token | None) -> Mapping[str, object]:
        usage = await self._errands.run(partial(self._store.usage, token, datetime.now(UTC)))
        return platerecognizer.statistics(
            calls=usage.calls, allowed=usage.allowed, year=usage.year, month=usage.month, resets_on=usage.resets_on
        )

    async def info(self) -> Mapping[str, object]:
        usage = await self._errands.run(partial(self._store.usage, None, datetime.now(UTC)))
        return platerecognizer.info(
            version=openplate.__version__,
            license_key=_LICENCE,
            calls=usage.calls,
            allowed=usage.allowed,
            webhooks=[target.url for target in await self.targets()],
        )

    async def targets(self) -> Sequence[Target]:
        return await self._errands.run(self._store.targets)

    async def target(self, target_id: int) -> Target | None:
        return await self._errands.run(partial(self._store.target, target_id))

    async def create_target(self, target: NewTarget) -> Target:
        return await self._errands.run(partial(self._desk.create, target))

    async def set_target_state(self, target_id: int, state: Literal["active", "paused"]) -> Target | None:
        return await self._errands.run(partial(self._desk.set_state, target_id, state))

    async def delete_target(self, target_id: int) -> bool:
        return await self._errands.run(partial(self._desk.delete, target_id))

    async def test_target(self, target_id: int) -> TestOutcome | None:
        target = await self.target(target_id)
        if target is None:
            return None
        made = await self._fetches.run(partial(self._dispatcher.send_test, target))
        return TestOutcome(made.outcome is Outcome.DELIVERED, made.status, made.detail)

    async def readiness(self) -> Readiness:
        checks = {"networks": "ok", "queue": "ok"}
        try:
            self._pool.check()
        except OpenplateError as error:
            checks["queue"] = str(error)
        checks["storage"] = await self._errands.run(self._storage_state)
        return Readiness(all(state == "ok" for state in checks.values()), checks)

    def _storage_state(self) -> str:
        try:
            self._store.check_room(len(self._told_targets()))
        except OpenplateError:
            _log.warning("storage is not ready", exc_info=True)
            return "cannot be used, or is full; the server's log says why"
        return "ok"

    async def gauges(self) -> Mapping[str, float]:
        levels = {
            "queue_length": float(self._pool.waiting),
            "busy_workers": float(self._pool.busy),
            "workers": float(self._pool.workers),
            "recording": float(self._recorders.busy + self._recorders.waiting),
            "sending": float(self._dispatcher.counts().busy),
        }
        return {**levels, **await self._errands.run(self._desk.levels)}

    def _told_targets(self) -> tuple[Target, ...]:
        """Those that a call has messages for: a paused one gets them later, a disabled one never."""
        return tuple(target for target in self._store.targets() if target.state != "disabled")

    def _check_room(self) -> None:
        self._store.check_room(len(self._told.get()))


def _cores() -> int:
    """The processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
