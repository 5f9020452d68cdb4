"""Stream's way to take video files: ``curl -F upload=@car.avi http://HOST:8081``. It has a port of its own.

Results go to the outputs of the camera whose ``url`` is ``file-upload``; the answer says whether it worked.
"""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO, Final, Protocol

from starlette.concurrency import run_in_threadpool
from starlette.routing import Route, Router
from starlette.types import ASGIApp

from openplate.api.app import Application
from openplate.api.errors import HttpProblem, Response, json_response, not_found
from openplate.api.exchange import Exchange
from openplate.api.metrics import Metrics
from openplate.api.multipart import parse_parameters
from openplate.api.resource import Handler, Resource
from openplate.api.streamed_form import StreamedForm
from openplate.api.uploads import MULTIPART
from openplate.errors import Overloaded, RequestError, StorageFull, UploadTooLarge
from openplate.service.uploaded_file import FileLimits, UploadedFile
from openplate.storage.files import translated

_WAIT_S: Final = 10.0
_METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")


class FilePort(Protocol):
    """What takes the files, and knows how the cameras are. Called on the event loop's thread; must not block it."""

    @property
    def folder(self) -> Path:
        """Where files lie while they come in; it exists."""

    @property
    def limits(self) -> FileLimits: ...

    async def process(self, file: UploadedFile) -> Mapping[str, object]:
        """Works on a file until its end and says how it went, with ``usage``.

        Raises:
            RequestError: it is no video, a field is wrong, or no camera takes files.
            Overloaded: too many wait.
        """

    async def camera_states(self) -> Mapping[str, str]:
        """``running`` or ``offline`` by camera."""


def create_upload_app(port: FilePort) -> ASGIApp:
    """The application. It asks nobody who they are, as Stream does not: let it listen where only friends are."""
    metrics = Metrics()
    uploads = _Uploads(port)
    routes: list[Route] = []

    def add(path: str, handlers: Mapping[str, Handler]) -> None:
        routes.append(Route(path, Resource(path, handlers, metrics)))

    add("/", {"GET": uploads.health, "POST": uploads.upload})
    add("/health", {"GET": uploads.health})
    add("/health/", {"GET": uploads.health})
    other = Resource("other", dict.fromkeys(_METHODS, _not_found), metrics)
    return Application(Router(routes, redirect_slashes=False, default=other))


async def _not_found(_exchange: Exchange) -> Response:
    raise not_found()


class _Uploads:
    def __init__(self, port: FilePort) -> None:
        self._port = port
        self._busy = 0

    async def health(self, _exchange: Exchange) -> Response:
        """As the vendor's monitor has it."""
        states = await self._port.camera_states()
        return json_response({"active": True, "cameras": {name: {"status": state} for name, state in states.items()}})

    async def upload(self, exchange: Exchange) -> Response:
        """A form with the file in ``upload``; other fields are settings for this file."""
        limits = self._port.limits
        if self._busy >= limits.max_at_once:
            raise Overloaded("As many files are worked on as may be. Try again in a while.", _WAIT_S)
        self._busy += 1
        path = self._port.folder / f"{secrets.token_hex(16)}.part"
        try:
            form = await self._read(exchange, path, limits)
            if form.filename is None or not path.stat().st_size:
                raise RequestError("The field 'upload' with the video file is missing or empty.")
            return json_response(await self._port.process(UploadedFile(path, form.filename, form.fields)))
        finally:
            self._busy -= 1
            path.unlink(missing_ok=True)

    async def _read(self, exchange: Exchange, path: Path, limits: FileLimits) -> StreamedForm:
        media, parameters = parse_parameters(exchange.header("content-type") or "")
        if media != MULTIPART:
            raise HttpProblem.of(415, f'Unsupported media type "{media[:100]}" in request. Send {MULTIPART}.')
        self._check_room(exchange.content_length or 0, limits)

        def open_file() -> BinaryIO:
            return path.open("xb")

        form = StreamedForm(
            parameters.get("boundary", ""),
            open_file,
            max_parts=limits.max_parts,
            max_field_bytes=limits.max_field_bytes,
        )
        try:
            with translated(path):
                await self._feed(form, exchange, limits)
            form.finish()
        finally:
            form.close()
        return form

    async def _feed(self, form: StreamedForm, exchange: Exchange, limits: FileLimits) -> None:
        length = 0
        async for chunk in exchange.chunks(limits.deadline_s):
            length += len(chunk)
            if length > limits.max_bytes:
                raise _too_large(limits)
            await run_in_threadpool(form.feed, chunk)

    def _check_room(self, length: int, limits: FileLimits) -> None:
        if length > limits.max_bytes:
            raise _too_large(limits)
        with translated(self._port.folder):
            if shutil.disk_usage(self._port.folder).free < length + limits.min_free_bytes:
                raise StorageFull(f"no room left in {self._port.folder}")


def _too_large(limits: FileLimits) -> UploadTooLarge:
    return UploadTooLarge(f"The request is larger than the limit of {limits.max_bytes / 2**20:.6g} MiB.")
