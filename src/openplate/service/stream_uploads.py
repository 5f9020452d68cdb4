"""Video files that were uploaded, in Stream's way: each is watched from its beginning to its end."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter
from typing import Final

from openplate.errors import OpenplateError, RequestError, SettingsError, SourceError
from openplate.formats.stream import file_answer
from openplate.imaging import DEFAULT_LIMITS, ImageLimits
from openplate.pipeline import Recognizer
from openplate.service.pool import BoundedPool
from openplate.service.stream_report import StreamReporter
from openplate.service.uploaded_file import DEFAULT_FILE_LIMITS, FileLimits, UploadedFile
from openplate.settings.stream import StreamCamera, StreamSettings
from openplate.settings.stream_config import with_overrides
from openplate.settings.stream_plan import plan_camera
from openplate.storage.files import translated
from openplate.video import open_source
from openplate.video.motion import MotionGate
from openplate.video_pipeline import Seen, VideoRecognizer

CAMERA_FIELD: Final = "camera_id"
_BEGINNING: Final = 1024


@dataclass(frozen=True, slots=True)
class FileOutcome:
    """How it went.

    Attributes:
        camera_id: whose outputs got the results.
        frames: that were looked at; ``events``: passes that were reported.
        failed_frames: that could not be analysed.
        seconds: that it took.
        ignored: names of fields that are no settings, or have no effect.
    """

    camera_id: str
    frames: int
    events: int
    failed_frames: int
    seconds: float
    ignored: tuple[str, ...] = ()


class FileWatcher:
    """Works on one file after another, or on several in threads. Results go to a reporter."""

    def __init__(
        self,
        settings: StreamSettings,
        recognizer: Recognizer,
        reporter: StreamReporter,
        limits: ImageLimits = DEFAULT_LIMITS,
    ) -> None:
        self._settings, self._recognizer, self._reporter, self._limits = settings, recognizer, reporter, limits
        self._stopping = threading.Event()

    @property
    def cameras(self) -> tuple[StreamCamera, ...]:
        """Those that take files."""
        return tuple(each for each in self._settings.cameras if each.active and each.is_file_upload)

    def stop(self) -> None:
        """What is being worked on ends early, with what was seen until then."""
        self._stopping.set()

    def work_on(self, path: Path, filename: str, fields: Mapping[str, Sequence[str]]) -> FileOutcome:
        """Blocks until the end of the file. ``filename`` is told as the source; ``fields`` change settings for it.

        Raises:
            RequestError: it is no video, a field is wrong, or no camera takes files.
            ModelError: a network failed.
        """
        start = perf_counter()
        _check_is_no_text(path, filename)
        wanted = {key: texts for key, texts in fields.items() if key != CAMERA_FIELD}
        camera = self._camera(fields.get(CAMERA_FIELD, ()))
        try:
            camera, ignored = with_overrides(camera, wanted, self._settings.folder)
        except SettingsError as error:
            raise RequestError(str(error).removeprefix("upload: ")) from error
        try:
            frames, failed, events = self._watch(replace(camera, url=filename), path)
        except SourceError as error:
            raise RequestError(str(error).replace(repr(str(path)), filename).replace(str(path), filename)) from error
        return FileOutcome(camera.id, frames, events, failed, perf_counter() - start, ignored)

    def _camera(self, names: Sequence[str]) -> StreamCamera:
        takers = {camera.id: camera for camera in self.cameras}
        if not takers:
            raise RequestError("No active camera has url = file-upload, so no files are taken.")
        name = names[-1] if names else next(iter(takers))
        if name not in takers:
            raise RequestError(f"No camera {name[:100]!r} takes files; these do: {', '.join(takers)}.")
        return takers[name]

    def _watch(self, camera: StreamCamera, path: Path) -> tuple[int, int, int]:
        """Frames looked at, those that failed, and passes reported."""
        plan = plan_camera(camera, 1, str(path), self._limits)
        zone = plan.video.zone
        video = VideoRecognizer(
            self._recognizer.with_options(plan.recognition),
            plan.video,
            camera=camera.id,
            motion=MotionGate(ignored=None if zone is None else zone.ignored()),
        )
        source = open_source(path, plan.source, name=camera.id)
        frames = failed = events = 0
        try:
            for frame in source:
                if self._stopping.is_set() or frames == plan.most_frames:
                    break
                frames += 1
                try:
                    events += self._tell(camera, video.feed(frame))
                except OpenplateError:
                    failed += 1
                    if failed == frames:  # not one that worked: it is not the frame
                        raise
        finally:
            source.close()
            events += self._tell(camera, video.close())
        return frames, failed, events

    def _tell(self, camera: StreamCamera, seen: Seen) -> int:
        for picture in seen.groups:
            self._reporter.tell(camera, picture)
        return sum(picture.group.state == "closed" for picture in seen.groups)


def _check_is_no_text(path: Path, filename: str) -> None:
    """A playlist would have other files of this machine opened in its place."""
    with path.open("rb") as file:
        beginning = file.read(_BEGINNING)
    if all(byte in b"\t\n\f\r" or 32 <= byte < 127 for byte in beginning):
        raise RequestError(f"{filename} is no video file: it begins like a text.")


class FileService:
    """The port of ``openplate.api.stream_upload``: files in threads, cameras as somebody else sees them."""

    def __init__(
        self,
        watcher: FileWatcher,
        folder: Path,
        limits: FileLimits = DEFAULT_FILE_LIMITS,
        *,
        states: Callable[[], Mapping[str, str]] = dict,
        workers: int = 1,
    ) -> None:
        """
        Args:
            watcher: what works on the files.
            folder: where they lie until then; made where it is missing, emptied of what a kill left.
            limits: on the files.
            states: ``running`` or ``offline`` of the cameras that are watched; called on the event loop's thread.
            workers: files that are worked on at the same time; the others wait.

        Raises:
            StorageError: the folder cannot be used.
        """
        with translated(folder):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            for left in folder.glob("*.part"):
                left.unlink(missing_ok=True)
        self._watcher, self._states = watcher, states
        self.folder, self.limits = folder, limits
        self._pool = BoundedPool(workers, limits.max_at_once, "files")
        self._done = 0

    async def process(self, file: UploadedFile) -> Mapping[str, object]:
        """See ``FilePort``."""
        outcome = await self._pool.run(lambda: self._watcher.work_on(file.path, file.filename, file.fields))
        self._done += 1
        return file_answer(
            file.filename,
            outcome.camera_id,
            seconds=outcome.seconds,
            frames=outcome.frames,
            failed_frames=outcome.failed_frames,
            events=outcome.events,
            calls=self._done,
            ignored=outcome.ignored,
        )

    async def camera_states(self) -> Mapping[str, str]:
        """The cameras that are watched, and those that take files."""
        return {**self._states(), **{camera.id: "running" for camera in self._watcher.cameras}}

    def close(self, timeout_s: float = 10.0) -> bool:
        """Takes no more files and ends the work on those that are there; whether it ended in time."""
        self._watcher.stop()
        return self._pool.close(timeout_s)
