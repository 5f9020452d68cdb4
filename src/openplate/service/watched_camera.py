"""One camera, video or folder in a thread of its own: frames in, what was seen out to the outputs."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from openplate.datatypes import Group, Recognition
from openplate.errors import OpenplateError, SourceUnavailable
from openplate.imaging.frame import Frame
from openplate.service.outputs import Camera, Output
from openplate.service.turns import Turns
from openplate.settings.watch_plan import CameraPlan
from openplate.video import CameraHealth, LiveCamera, SteadyClock, is_live, open_source
from openplate.video.camera import Opener
from openplate.video.motion import MotionGate
from openplate.video.source import without_password
from openplate.video_pipeline import GroupPicture, Recognizes, Seen, VideoRecognizer

WatchState = Literal["connecting", "running", "offline", "ended", "failed", "stopped"]

_LOOK_AROUND_S = 0.5  # without a frame, before it is seen to groups that are due and to how the camera is
_MOST_FAILURES = 10
_STOP_S = 3.0  # that a silent camera's thread is waited for

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class CameraStatus:
    """How a camera is doing, counted since the start.

    Attributes:
        state: that of ``CameraHealth``, and ``connecting`` while the networks get ready for the camera's pictures; of a
            file or folder ``running``, ``ended`` or ``failed``.
        frames: received; ``dropped`` of them while recognition was busy, ``analysed`` of them looked at.
        failed_frames: that could not be analysed.
        reads: plates that were read; ``groups``: passes that were reported; ``previews``: early words of them.
        preview_delay_s: from the frame that decided a preview until all outputs had taken it, of all previews of a
            live camera together; ``slowest_preview_s``: the most.
        error: the last trouble, as a sentence, also after it is over.
    """

    camera: Camera
    state: WatchState = "connecting"
    frames: int = 0
    dropped: int = 0
    reconnects: int = 0
    decode_errors: int = 0
    clock_steps: int = 0
    frozen: int = 0
    size_changes: int = 0
    analysed: int = 0
    failed_frames: int = 0
    reads: int = 0
    groups: int = 0
    previews: int = 0
    preview_delay_s: float = 0.0
    slowest_preview_s: float = 0.0
    last_frame_at: datetime | None = None
    last_read_at: datetime | None = None
    error: str | None = None


def camera_of(plan: CameraPlan) -> Camera:
    """As outputs know it."""
    return Camera(
        plan.name,
        plan.number,
        without_password(plan.where),
        is_live(plan.where),
        plan.latitude,
        plan.longitude,
        plan.heading_degrees,
    )


class WatchedCamera:
    """``start`` it, ``ask_to_stop``, ``join``. Nothing that goes wrong in it is raised anywhere else."""

    def __init__(
        self,
        plan: CameraPlan,
        recognizer: Recognizes,
        turns: Turns,
        output: Output,
        tell: Callable[[str], None],
        opener: Opener = open_source,
        *,
        get_ready: Callable[[int, int], None] = lambda _width, _height: None,
    ) -> None:
        """
        Args:
            plan: the camera.
            recognizer: its own; the networks are shared.
            turns: in which frames are analysed, shared by all cameras.
            output: gets what is seen.
            tell: gets a sentence when the camera is gone and when it is back.
            opener: opens what the plan names.
            get_ready: returns when the networks are ready for pictures of a width and height in pixels; until then a
                live camera counts as connecting.
        """
        self._plan, self._output, self._tell, self._opener = plan, output, tell, opener
        self.camera = camera_of(plan)
        self._clock = SteadyClock()
        self._recognizer, self._turns = recognizer, turns
        self._get_ready = get_ready
        self._ready_for: tuple[int | None, int | None] = (None, None)
        self._newest: Frame | None = None
        self._looking = threading.Lock()
        self._video = self._make_video()
        self._stopping = threading.Event()
        self._status = CameraStatus(self.camera)
        self._live: LiveCamera | None = None
        self._is_in_trouble = False
        self._failures_in_a_row = 0
        self._frames_left = plan.most_frames
        self._thread = threading.Thread(target=self._run, name=f"watch {plan.name}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def ask_to_stop(self) -> None:
        """What is open is reported, then the thread ends."""
        self._stopping.set()

    def join(self, timeout_s: float | None = None) -> bool:
        """Whether it has ended."""
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    @property
    def is_alive(self) -> bool:
        return self._thread.is_alive()

    def status(self) -> CameraStatus:
        """As it is now."""
        status, live = self._status, self._live
        if live is None:
            return status
        health = live.health()
        is_getting_ready = health.state == "running" and self._ready_for != (health.width, health.height)
        return _with_health(status, replace(health, state="connecting") if is_getting_ready else health)

    def recognize_now(self) -> Recognition:
        """What the newest frame shows, whether anything moves in it or not; by the caller's thread.

        Raises:
            SourceUnavailable: there is no frame of this moment.
            ImageError, ModelError: the recognizer's.
        """
        status, frame = self.status(), self._newest
        if frame is None or status.state != "running":
            reason = f": {status.error}" if status.error else ""
            raise SourceUnavailable(f"{self._plan.name} has no picture now, it is {status.state}{reason}")
        with self._looking:  # a frame gets its colours in one thread
            pixels = frame.image.pixels
        (recognition,) = self._recognizer.recognize([pixels], [frame.source])
        zone = self._plan.video.zone
        recognition = replace(recognition, captured_at=frame.captured_at)
        return recognition if zone is None else zone.select(recognition)

    def _run(self) -> None:
        try:
            if self.camera.is_live:
                self._follow()
            else:
                self._play()
        except OpenplateError as error:
            self._fail(str(error))
        except Exception as error:
            _log.exception("camera %s ends by what nobody expected", self._plan.name)
            self._fail(f"unexpected: {error!r}")

    def _follow(self) -> None:
        options = self._plan.source
        live = LiveCamera(self._plan.where, options, name=self._plan.name, opener=self._opener, clock=self._clock)
        self._live = live
        live.start()
        try:
            while not self._stopping.is_set():
                has_frame = live.wait_for_frame(_LOOK_AROUND_S)
                health = live.health()
                self._tell_health(health)
                if has_frame:
                    self._warm_up(health)
                    self._feed(live)
                else:
                    self._hold()
        finally:
            self._finish()
            if not live.stop(_STOP_S):
                _log.warning("camera %s does not answer, and is left behind", self._plan.name)

    def _play(self) -> None:
        """Frames of a file or folder, as fast as they can be analysed."""
        source = self._opener(self._plan.where, self._plan.source, name=self._plan.name, clock=self._clock)
        self._status = replace(self._status, state="running")
        try:
            for frame in source:
                if self._stopping.is_set():
                    break
                self._status = replace(self._status, frames=self._status.frames + 1, last_frame_at=frame.captured_at)
                with self._turns:
                    seen = self._look_at(frame)
                self._tell_of(frame, seen)
        finally:
            self._finish()
            self._status = replace(self._status, decode_errors=source.decode_errors)
            source.close()
            self._newest = None
        self._status = replace(self._status, state="stopped" if self._stopping.is_set() else "ended")

    def _warm_up(self, health: CameraHealth) -> None:
        """For the first picture, and for the first of another size. Not in a turn: other cameras go on meanwhile."""
        size = health.width, health.height
        if size == self._ready_for or size[0] is None or size[1] is None:
            return
        try:
            self._get_ready(size[0], size[1])
        except Exception as error:  # frames will meet it again, each for itself
            self._count_failure("the first picture", error)
        self._ready_for = size

    def _feed(self, live: LiveCamera) -> None:
        """Looks at the frame that is the newest when it is this camera's turn: one that was taken before would be old
        by then.
        """
        with self._turns:
            frame = live.take_frame()
            seen = None if frame is None else self._look_at(frame)
        if frame is not None:
            self._tell_of(frame, seen)

    def _look_at(self, frame: Frame) -> Seen | None:
        """None: the frame could not be analysed."""
        self._count_look()
        try:
            seen = self._video.feed(frame)
        except Exception as error:
            self._count_failure(f"frame {frame.index}", error)
            return None
        self._failures_in_a_row = 0
        recognition = seen.recognition
        if recognition is not None:
            reads = sum(plate.reading is not None for plate in recognition.plates)
            self._status = replace(
                self._status,
                analysed=self._status.analysed + 1,
                reads=self._status.reads + reads,
                last_read_at=frame.captured_at if reads else self._status.last_read_at,
            )
        return seen

    def _tell_of(self, frame: Frame, seen: Seen | None) -> None:
        """Tells the outputs. Events come first: who waits at a gate must not wait for pictures to be written. But a
        report whose picture is this frame's comes after it.
        """
        pictures = () if seen is None else seen.groups
        self._report([each for each in pictures if _is_early(each.group, frame)])
        self._output.frame(self.camera, None if seen is None else seen.recognition, frame)
        self._report([each for each in pictures if not _is_early(each.group, frame)])
        self._newest = frame  # only now, when this thread needs it no more

    def _count_look(self) -> None:
        """The last frame that the plan asks for ends the camera as a wish to stop does."""
        if self._frames_left is not None:
            self._frames_left -= 1
            if self._frames_left <= 0:
                self._stopping.set()

    def _hold(self) -> None:
        """No frame has come for a while."""
        try:
            seen = self._video.hold(self._clock.now())
        except Exception as error:
            self._count_failure("a pause", error)
            return
        self._report(seen.groups)

    def _count_failure(self, what: str, error: Exception) -> None:
        """Told once until it works again. Who fails on and on for an unknown reason begins anew."""
        self._status = replace(self._status, failed_frames=self._status.failed_frames + 1, error=str(error))
        self._failures_in_a_row += 1
        is_known = isinstance(error, OpenplateError)
        if self._failures_in_a_row == 1:
            trace = None if is_known else error
            _log.error("%s of %s could not be analysed: %s", what, self._plan.name, error, exc_info=trace)
        if not is_known and self._failures_in_a_row % _MOST_FAILURES == 0:
            self._video = self._make_video()

    def _make_video(self) -> VideoRecognizer:
        zone = self._plan.video.zone
        motion = MotionGate(ignored=None if zone is None else zone.ignored()) if self._plan.skips_still else None
        return VideoRecognizer(self._recognizer, self._plan.video, camera=self._plan.name, motion=motion)

    def _report(self, pictures: Sequence[GroupPicture]) -> None:
        for picture in pictures:
            if picture.group.state == "closed":
                self._status = replace(self._status, groups=self._status.groups + 1)
            self._output.group(self.camera, picture)
            if picture.group.state == "preview":
                self._count_preview(picture.group)

    def _count_preview(self, group: Group) -> None:
        status = replace(self._status, previews=self._status.previews + 1)
        if self.camera.is_live:  # the times of a file are not the clock's
            delay_s = max(0.0, (self._clock.now() - group.last_seen).total_seconds())
            status = replace(
                status,
                preview_delay_s=status.preview_delay_s + delay_s,
                slowest_preview_s=max(status.slowest_preview_s, delay_s),
            )
        self._status = status

    def _finish(self) -> None:
        self._report(self._video.close().groups)

    def _tell_health(self, health: CameraHealth) -> None:
        is_gone = health.state == "offline" or (health.state == "connecting" and health.last_error is not None)
        if is_gone and not self._is_in_trouble:
            self._tell(f"{self._plan.name}: no pictures: {health.last_error}")
        elif health.state == "running" and self._is_in_trouble:
            self._tell(f"{self._plan.name}: pictures come again")
        if is_gone or health.state == "running":
            self._is_in_trouble = is_gone

    def _fail(self, message: str) -> None:
        self._status = replace(self._status, state="failed", error=message)
        self._tell(message if self._plan.name in message else f"{self._plan.name}: {message}")


def _is_early(group: Group, frame: Frame) -> bool:
    """It needs nothing of this frame."""
    return group.state == "preview" or group.best.frame_index != frame.index


def _with_health(status: CameraStatus, health: CameraHealth) -> CameraStatus:
    return replace(
        status,
        state=status.state if status.state == "failed" else health.state,
        frames=health.frames,
        dropped=health.dropped,
        reconnects=health.reconnects,
        decode_errors=health.decode_errors,
        clock_steps=health.clock_steps,
        frozen=health.frozen,
        size_changes=health.size_changes,
        last_frame_at=health.last_frame_at,
        error=health.last_error or status.error,
    )
