"""Cameras by HTTP: a multipart stream of JPEGs (MJPEG), or one snapshot after the other."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Iterator

from openplate.errors import ImageError, SourceEnded, SourceUnavailable
from openplate.imaging import Image
from openplate.imaging.frame import Frame
from openplate.video.clock import SteadyClock
from openplate.video.http import HttpCamera
from openplate.video.multipart import MultipartParser
from openplate.video.values import SourceOptions

_CHUNK = 65_536
_MOST_BROKEN = 10  # pictures in succession: what comes from there are no pictures


class _WebSource:
    """Pictures as bytes, decoded one of every ``sample``; the broken ones are counted and left out."""

    is_live = True

    def __init__(self, camera: HttpCamera, options: SourceOptions, name: str, clock: SteadyClock) -> None:
        self.decode_errors = 0
        self._camera, self._options, self._name, self._clock = camera, options, name, clock

    def _frames(self, pictures: Iterator[bytes]) -> Iterator[Frame]:
        broken = 0
        for index, data in enumerate(pictures):
            if index % self._options.sample:
                continue
            captured_at = self._clock.now()
            try:
                image = Image.from_bytes(data, self._options.limits)
            except ImageError as error:
                self.decode_errors += 1
                broken += 1
                if broken == _MOST_BROKEN:
                    raise SourceUnavailable(f"{self._camera.shown}: no pictures come from there: {error}") from error
                continue
            broken = 0
            yield Frame(image, self._name, index, captured_at)

    def _stalled(self) -> SourceUnavailable:
        seconds = self._options.read_timeout_s
        return SourceUnavailable(f"{self._camera.shown}: no whole picture has come from the camera for {seconds:g} s")


class MjpegSource(_WebSource):
    """A multipart answer that never ends."""

    def __init__(
        self,
        camera: HttpCamera,
        answer: http.client.HTTPResponse,
        options: SourceOptions,
        name: str,
        clock: SteadyClock,
    ) -> None:
        super().__init__(camera, options, name, clock)
        self._answer = answer
        boundary = answer.headers.get_param("boundary") or ""
        self._parser = MultipartParser(str(boundary), options.limits.max_bytes)

    def __iter__(self) -> Iterator[Frame]:
        return self._frames(self._pictures())

    def _pictures(self) -> Iterator[bytes]:
        self._camera.restart_deadline()
        while True:
            try:
                data = self._answer.read1(_CHUNK)
                pictures = self._parser.feed(data)
            except TimeoutError as error:
                raise self._stalled() from error
            except (OSError, http.client.HTTPException) as error:
                raise SourceEnded(f"{self._camera.shown}: the connection to the camera broke off") from error
            except ValueError as error:
                raise SourceUnavailable(f"{self._camera.shown}: {error}") from error
            if not data:
                raise SourceEnded(f"{self._camera.shown}: the camera closed the connection")
            for picture in pictures:
                yield picture
                self._camera.restart_deadline()

    def close(self) -> None:
        self._answer.close()


class SnapshotSource(_WebSource):
    """One request for each picture, ``poll_s`` from the start of one to the start of the next."""

    def __init__(
        self,
        camera: HttpCamera,
        answer: http.client.HTTPResponse,
        options: SourceOptions,
        name: str,
        clock: SteadyClock,
    ) -> None:
        super().__init__(camera, options, name, clock)
        self._answer: http.client.HTTPResponse | None = answer
        self._closed = threading.Event()

    def __iter__(self) -> Iterator[Frame]:
        return self._frames(self._pictures())

    def _pictures(self) -> Iterator[bytes]:
        while not self._closed.is_set():
            began_s = time.monotonic()
            answer, self._answer = self._answer or self._camera.open(), None
            with answer:
                self._camera.restart_deadline()
                picture = self._read(answer)
            yield picture
            self._closed.wait(max(self._options.poll_s - (time.monotonic() - began_s), 0))

    def _read(self, answer: http.client.HTTPResponse) -> bytes:
        most = self._options.limits.max_bytes
        picture = bytearray()
        try:
            while data := answer.read1(_CHUNK):
                picture += data
                if len(picture) > most:
                    raise SourceUnavailable(f"{self._camera.shown}: its picture exceeds the limit of {most:,} bytes")
        except TimeoutError as error:
            raise self._stalled() from error
        except (OSError, http.client.HTTPException) as error:
            raise SourceUnavailable(f"{self._camera.shown}: the camera broke off in the middle of a picture") from error
        return bytes(picture)

    def close(self) -> None:
        self._closed.set()
        if self._answer is not None:
            self._answer.close()
            self._answer = None


def open_web(url: str, options: SourceOptions, name: str, clock: SteadyClock) -> MjpegSource | SnapshotSource | None:
    """A camera by HTTP; None where the address answers with something else, such as a video. SourceUnavailable."""
    camera = HttpCamera(url, options)
    answer = camera.open()
    kind = answer.headers.get_content_type()
    if kind.startswith("multipart/"):
        return MjpegSource(camera, answer, options, name, clock)
    if kind.startswith("image/"):
        return SnapshotSource(camera, answer, options, name, clock)
    answer.close()
    if kind in ("text/html", "text/plain", "application/json", "text/xml", "application/xml"):
        raise SourceUnavailable(f"{camera.shown}: the address gives a page ({kind}), not pictures")
    return None
