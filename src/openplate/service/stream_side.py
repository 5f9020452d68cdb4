"""All that works in Stream's way beside the cameras: reports, webhooks, uploaded files, a changed ``config.ini``."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Final, Self

from openplate.delivery.addresses import AddressPolicy
from openplate.delivery.connections import ConnectionPolicy
from openplate.delivery.dispatcher import Counts, Dispatcher, DispatcherOptions
from openplate.errors import SettingsError
from openplate.imaging import DEFAULT_LIMITS, ImageLimits
from openplate.pipeline import Recognizer
from openplate.service.housekeeping import Housekeeping
from openplate.service.stream_report import StreamReporter
from openplate.service.stream_targets import open_stream_store, target_options
from openplate.service.stream_uploads import FileService, FileWatcher
from openplate.service.uploaded_file import DEFAULT_FILE_LIMITS, FileLimits
from openplate.settings import StorageSettings
from openplate.settings.stream import StreamSettings
from openplate.settings.stream_config import CONFIG, load_stream_settings
from openplate.storage import Store

LAST_WEBHOOKS_S: Final = 10.0
"""How long what waits at the end may still be sent, where the receivers answer."""
GIVE_UP_AFTER: Final = timedelta(days=30)
"""Stream never removes a receiver; after so long of nothing but failures it rests until the next start."""

_UPLOADS: Final = "uploads"
_LOOK_S: Final = 0.02
_log = logging.getLogger(__name__)


class StreamSide:
    """``output`` goes among the watcher's outputs; ``start`` before the cameras, ``close`` after them."""

    def __init__(
        self,
        settings: StreamSettings,
        folder: Path,
        output: StreamReporter,
        dispatcher: Dispatcher | None,
        store: Store | None,
    ) -> None:
        self.settings, self.output = settings, output
        self._folder, self._dispatcher, self._store = folder, dispatcher, store
        self._files: FileService | None = None
        # Of each event its id stays in the outbox for a day; of a receiver that is given up what waits for a month.
        self._housekeeping = None if store is None else Housekeeping(store, StorageSettings())

    @classmethod
    def open(cls, settings: StreamSettings, folder: Path, *, allow_private: bool = True) -> Self:
        """
        Args:
            settings: Stream's.
            folder: for the outbox, and for uploads while they are worked on.
            allow_private: whether receivers may have private and loopback addresses. Whoever writes ``config.ini`` says
                where they are, so by default they may.

        Raises:
            StorageError: the folder cannot be used.
        """
        if not any(camera.webhooks for camera in settings.cameras):
            return cls(settings, folder, StreamReporter(settings), None, None)
        store = open_stream_store(folder)
        try:
            policy = ConnectionPolicy(AddressPolicy(allow_private), timeout_s=settings.request_timeout_s)
            dispatcher = Dispatcher(store, policy, options=DispatcherOptions(give_up_after=GIVE_UP_AFTER))
            output = StreamReporter(settings, store, wake=dispatcher.wake)
            dispatcher.special.update(target_options(output.targets))
            return cls(settings, folder, output, dispatcher, store)
        except BaseException:
            store.close()
            raise

    @property
    def takes_files(self) -> bool:
        """Whether there is a camera whose ``url`` is ``file-upload``."""
        return any(camera.active and camera.is_file_upload for camera in self.settings.cameras)

    def files(
        self,
        recognizer: Recognizer,
        states: Callable[[], Mapping[str, str]] = dict,
        *,
        images: ImageLimits = DEFAULT_LIMITS,
        limits: FileLimits = DEFAULT_FILE_LIMITS,
    ) -> FileService:
        """What ``api.stream_upload`` needs; ended by ``close``. ``states``: ``running`` or ``offline`` of the others.

        Raises:
            StorageError: the folder cannot be used.
        """
        watcher = FileWatcher(self.settings, recognizer, self.output, images)
        self._files = FileService(watcher, self._folder / _UPLOADS, limits, states=states)
        return self._files

    def start(self) -> None:
        """Begins to deliver, and to remove what has had its time."""
        if self._dispatcher is not None:
            self._dispatcher.start()
        if self._housekeeping is not None:
            self._housekeeping.start()

    def counts(self) -> Counts | None:
        """What was delivered; None where nothing is."""
        return None if self._dispatcher is None else self._dispatcher.counts()

    def waiting(self) -> int:
        """Messages in the outbox. Raises StorageError."""
        return 0 if self._store is None else sum(each.waiting for each in self._store.backlog())

    def close(self, timeout_s: float = LAST_WEBHOOKS_S) -> None:
        """What waits is sent as long as receivers take it; the rest stays on the disk for the next start."""
        until = time.monotonic() + timeout_s
        if self._housekeeping is not None:
            self._housekeeping.stop()
        if self._files is not None:
            self._files.close(timeout_s / 2)
        if self._dispatcher is not None and self._store is not None:
            while time.monotonic() < until and self.waiting() and not self._is_failing():
                time.sleep(_LOOK_S)
            self._dispatcher.stop(max(1.0, until - time.monotonic()))
            self._store.close()

    def _is_failing(self) -> bool:
        """Every receiver that something waits for has failed since it last took something."""
        assert self._store is not None
        waiting = {each.target_id for each in self._store.backlog() if each.waiting}
        return all(target.failing_since is not None for target in self._store.targets() if target.id in waiting)


class ConfigWatch:
    """Whether ``config.ini`` is another one than at the start, where it asks for that (``config_change_restart``)."""

    def __init__(self, settings: StreamSettings) -> None:
        self._path = settings.folder / CONFIG
        self._is_asked = settings.config_change_restart
        self._settings = settings
        self._refused: object = None
        self._seen = self._stamp()

    def has_changed(self) -> bool:
        """Cheap; ask every second or so. A file that cannot be used is told once, and changes nothing."""
        stamp = self._stamp()
        if not self._is_asked or stamp is None or stamp in (self._seen, self._refused):
            return False
        try:
            settings = load_stream_settings(self._path)
        except SettingsError as error:
            self._refused = stamp
            _log.error("the changed settings are not used: %s", error)
            return False
        self._seen = stamp
        return settings != self._settings

    def _stamp(self) -> object:
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size, found.st_ino
