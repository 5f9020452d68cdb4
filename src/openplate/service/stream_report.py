"""What cameras saw, as Stream tells it: tables, lines of JSON, pictures, webhooks in a durable outbox."""

from __future__ import annotations

import logging
import threading
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from openplate.datatypes import Group, Recognition
from openplate.errors import StorageError
from openplate.formats import stream, stream_table
from openplate.formats.stream_names import file_name
from openplate.formats.webhook import ImageKind
from openplate.imaging import Image, crop, encode_jpeg, encode_png
from openplate.imaging.frame import Frame
from openplate.service.outputs import Camera
from openplate.service.stream_files import ResultFiles
from openplate.service.stream_targets import keep_targets
from openplate.settings.stream import StreamCamera, StreamSettings, StreamWebhook
from openplate.settings.stream_plan import camera_context
from openplate.storage import Entry, File, Message, Store, Target
from openplate.video_pipeline import GroupPicture

_FIRST_PART: Final = "upload"
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Told:
    """One event of one camera, with all that its outputs need."""

    camera: StreamCamera
    context: stream.StreamCameraContext
    event: stream.Event
    image: Image | None


class StreamReporter:
    """An ``Output`` of cameras whose names are ids of the settings; those of others are left alone.

    Trouble with the disk or the outbox is logged and counted for each kind of output, and one kind's does not touch the
    others. What ``group`` told of is on the disk when it returns.
    """

    def __init__(
        self,
        settings: StreamSettings,
        store: Store | None = None,
        *,
        wake: Callable[[], None] = lambda: None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """
        Args:
            settings: the cameras, and where their files lie.
            store: the outbox of webhooks (``open_stream_store``), one of its own: whoever records calls in it would
                tell them to these receivers too. None: no webhooks are sent.
            wake: called when there is something new in the outbox.
            now: the time, aware.

        Raises:
            StorageError: the store cannot be used.
        """
        self._settings, self._store, self._wake, self._now = settings, store, wake, now
        self._cameras = {camera.id: camera for camera in settings.cameras}
        self._files = ResultFiles(settings.folder)
        webhooks = [webhook for camera in settings.cameras for webhook in camera.webhooks]
        self._targets: Mapping[StreamWebhook, Target] = {} if store is None else keep_targets(store, webhooks)
        self._lock = threading.Lock()
        self._failures: Counter[str] = Counter()
        self._started: dict[str, datetime] = {}

    @property
    def targets(self) -> Mapping[StreamWebhook, Target]:
        """Which receiver is which target of the outbox."""
        return self._targets

    @property
    def failures(self) -> Mapping[str, int]:
        """What could not be kept since the start: ``picture``, ``csv``, ``jsonlines``, ``webhooks``."""
        with self._lock:
            return dict(self._failures)

    def frame(self, camera: Camera, recognition: Recognition | None, frame: Frame) -> None:  # noqa: ARG002
        """Times of a live camera count from its first frame."""
        if camera.name in self._cameras:
            self._started.setdefault(camera.name, frame.captured_at)

    def group(self, camera: Camera, picture: GroupPicture) -> None:
        """Tells of a pass that is reported, and by webhook of a vehicle that has left; previews are Scout's."""
        settings = self._cameras.get(camera.name)
        if settings is not None:
            self.tell(settings, picture)

    def tell(self, camera: StreamCamera, picture: GroupPicture) -> None:
        """The same in the way of a camera that need not be one of the settings: a file with settings of its own."""
        group = picture.group
        if group.state == "preview" or (group.consensus is None and camera.detection_mode != "vehicle"):
            return
        told = _Told(camera, camera_context(camera, self._settings), self._event(camera, picture), picture.image)
        if group.state == "left":
            if camera.max_dwell_delay is not None:
                self._send(told, stream.DWELL_TIME)
            return
        self._keep_picture(told)
        self._keep_row(told)
        self._keep_line(told)
        self._send(told, stream.RECOGNITION)

    def close(self) -> None:
        """Nothing is held back: the dispatcher of the outbox ends by itself."""

    def _event(self, camera: StreamCamera, picture: GroupPicture) -> stream.Event:
        group, image = picture.group, picture.image
        width, height = _seen_size(group) if image is None else (image.width, image.height)
        position_s, started = picture.position_s, self._started.get(camera.id)
        if position_s is None and started is not None:
            position_s = max(0.0, (group.best.at - started).total_seconds())
        name = self._name(camera, camera.image_format, group.best.at) if camera.image_format else ""
        return stream.Event(group, width, height, name, position_s)

    def _name(self, camera: StreamCamera, pattern: str, at: datetime) -> str:
        return file_name(pattern, camera.id, at, self._settings.zone)

    def _keep_picture(self, told: _Told) -> None:
        if not told.event.filename or told.image is None:
            return
        with self._counted("picture", told):
            is_png = told.event.filename.lower().endswith(".png")
            data = encode_png(told.image) if is_png else encode_jpeg(told.image, told.camera.image_quality)
            self._files.save(told.event.filename, data)

    def _keep_row(self, told: _Told) -> None:
        row = stream_table.row(told.event, told.context) if told.camera.csv_file else ""
        if row:
            with self._counted("csv", told):
                name = self._name(told.camera, told.camera.csv_file, told.event.group.best.at)
                self._files.append(name, row, stream_table.header(told.context.vehicles_too))

    def _keep_line(self, told: _Told) -> None:
        if told.camera.jsonlines_file:
            with self._counted("jsonlines", told):
                name = self._name(told.camera, told.camera.jsonlines_file, told.event.group.best.at)
                self._files.append(name, stream.json_line(stream.event_data(told.event, told.context)))

    def _send(self, told: _Told, kind: str) -> None:
        targets = [(each, self._targets[each]) for each in told.camera.webhooks if each in self._targets]
        if self._store is None or not targets:
            return
        with self._counted("webhooks", told):
            pictures = _Pictures(told)
            messages = tuple(_message(told, webhook, target, kind, pictures) for webhook, target in targets)
            # The report of a pass and the word that it is over have one group, and are two entries.
            id = uuid.uuid5(uuid.UUID(told.event.group.id), kind).hex
            at = told.event.group.best.at
            self._store.record(Entry(id, None, told.camera.id, at, "", messages=messages), self._now())
            self._wake()

    @contextmanager
    def _counted(self, what: str, told: _Told) -> Iterator[None]:
        try:
            yield
        except StorageError as error:
            with self._lock:
                self._failures[what] += 1
                count = self._failures[what]
            consensus = told.event.group.consensus
            text = "a vehicle" if consensus is None else consensus.text
            _log.error("%s: %s of %s could not be kept (%d in all): %s", told.camera.id, what, text, count, error)


def _seen_size(group: Group) -> tuple[int, int]:
    """Of a picture that was given up in a crowd: it was at least as large as what was seen in it."""
    boxes = [each.detection.box for each in (group.best.plate, group.best.vehicle) if each]
    return max(1, *(round(box.x2) for box in boxes)), max(1, *(round(box.y2) for box in boxes))


def _message(told: _Told, webhook: StreamWebhook, target: Target, kind: str, pictures: _Pictures) -> Message:
    """Boxes count from the top left of the first picture that goes with it; without one from that of the frame.

    That a vehicle has left is told without pictures: the frame may be gone by then.
    """
    has_images = webhook.image and told.image is not None and kind != stream.DWELL_TIME
    images = webhook.image_type if has_images else ()
    sent = stream.image_part(told.event, images[0]) if images else None
    if kind == stream.DWELL_TIME:
        data = stream.dwell_data(told.event, told.context, sent, trajectory=told.camera.trajectory)
    else:
        data = stream.event_data(told.event, told.context, sent)
    body = stream.hook_body(data, told.context, webhook.url, told.event.filename, kind)
    names = (_FIRST_PART, *images[1:])
    files = tuple(pictures.file(name, image, webhook.image_quality) for name, image in zip(names, images, strict=False))
    return Message(target.id, stream.json_line(body).rstrip("\n"), files)


class _Pictures:
    """Parts of the frame as JPEG, each made once however many receivers there are."""

    def __init__(self, told: _Told) -> None:
        self._told = told
        self._made: dict[tuple[ImageKind, int], bytes] = {}

    def file(self, name: str, kind: ImageKind, quality: int) -> File:
        image = self._told.image
        assert image is not None
        if (kind, quality) not in self._made:
            self._made[kind, quality] = encode_jpeg(crop(image, stream.image_part(self._told.event, kind)), quality)
        stem = self._told.event.filename.rpartition("/")[2].rpartition(".")[0]
        return File(name, f"{stem or self._told.camera.id}.jpg", self._made[kind, quality])
