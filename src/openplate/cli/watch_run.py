"""Runs ``openplate watch``: builds everything, waits for the end or a signal, ends everything in order."""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import typer

from openplate.cli.group import FAILED, READER_GONE
from openplate.cli.surroundings import Surroundings
from openplate.cli.watch_mqtt import mqtt_numbers, open_mqtt
from openplate.cli.watch_plans import Plans, Wishes, make_plans
from openplate.cli.work import cores
from openplate.errors import SettingsError, StorageError, UnknownModel
from openplate.imaging import limit_threads
from openplate.options import RecognitionOptions
from openplate.service.outputs import Output
from openplate.service.watching import Watcher
from openplate.settings import Settings
from openplate.settings.building import data_folder_of, open_store
from openplate.settings.watch_plan import CameraPlan
from openplate.video import is_live

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from openplate.api.watching import WatchState
    from openplate.pipeline import Recognizer
    from openplate.service.mqtt_output import MqttOutput
    from openplate.service.reading_now import CameraReader
    from openplate.service.scout_side import ScoutSide
    from openplate.service.stream_side import StreamSide

__all__ = ["Wishes", "run"]

_LOOK_S: Final = 0.2
_STREAM_KEEPS: Final = ("picture", "csv", "jsonlines", "webhooks")


class _Sides(NamedTuple):
    """What works beside the cameras."""

    scout: ScoutSide | None
    stream: StreamSide | None
    mqtt: MqttOutput | None


_log = logging.getLogger(__name__)


class Stop:
    """Whether it was asked to end: by a signal, or because nobody reads what is printed."""

    def __init__(self) -> None:
        self.is_asked = self.is_reader_gone = False

    def lose_reader(self) -> None:
        self.is_asked = self.is_reader_gone = True

    def on_signal(self, number: int, _frame: object) -> None:
        """The second one ends everything at once."""
        if self.is_asked:
            os._exit(128 + number)
        self.is_asked = True


def run(wishes: Wishes, settings: Settings, surroundings: Surroundings) -> int:
    """Watches until all ends by itself, or until a signal; the exit code.

    Raises:
        OpenplateError: it cannot start.
    """
    stop = Stop()
    with _signals(stop):
        while True:
            code = _watch(wishes, settings, surroundings, stop)
            if code is not None:
                return code
            _tell("the settings have changed: everything starts anew")


def _watch(wishes: Wishes, settings: Settings, surroundings: Surroundings, stop: Stop) -> int | None:
    """The exit code; None: the files have changed and are to be read again."""
    plans = make_plans(wishes, settings)
    if plans.cameras and _tell_missing(plans) == len(plans.cameras):
        return FAILED
    configure_logging()
    for warning in plans.warnings:
        _tell(warning)
    limit_threads()
    if plans.wants_graphics_card and settings.device == "auto":
        settings = replace(settings, device="cuda")
    workers = _workers(plans, settings)
    with ExitStack() as stack:
        sockets = _listen(plans, settings, stack)
        scout, stream = _scout(plans, settings, surroundings, workers), _stream(plans, settings)
        sides = [side for side in (scout, stream) if side is not None]
        for side in sides:
            stack.callback(side.close)
        # What must not be lost comes first.
        outputs: list[Output] = [*(side.output for side in sides), *_outputs(wishes, plans, stop, stack)]
        mqtt = open_mqtt(settings, plans.cameras, scout)
        if mqtt is not None:  # it only notes what is to be told, and who waits at a gate waits for nobody else
            outputs.insert(0, mqtt)
        options = plans.cameras[0].recognition if plans.cameras else RecognitionOptions()
        recognizer = surroundings.build_recognizer(options, settings, workers)
        cameras = _with_attributes(plans.cameras, recognizer, wishes)
        watcher = Watcher(cameras, recognizer, outputs, workers=workers, tell=_tell)
        _serve(watcher, recognizer, _Sides(scout, stream, mqtt), settings, sockets, stack)
        if mqtt is not None:
            mqtt.start(watcher.statuses)
        if scout is not None:
            scout.start(watcher.statuses)
        if stream is not None:
            stream.start()
        watcher.start()
        has_changed = _wait(watcher, plans, stop)
        has_ended = watcher.close(settings.watch.stop_timeout_s)
        _tell_counts(watcher)
    return None if has_changed and has_ended else _exit_code(watcher, stop, has_ended=has_ended)


def _with_attributes(cameras: Sequence[CameraPlan], recognizer: Recognizer, wishes: Wishes) -> tuple[CameraPlan, ...]:
    """Other products' files ask for attributes by default: where there is no network for them, they do without."""
    if not any(camera.recognition.attributes for camera in cameras) or recognizer.stages.attribute_classifier:
        return tuple(cameras)
    sentence = "attributes are asked for, but there is no network 'attributes' beside the others"
    if wishes.attributes:
        raise UnknownModel(sentence)
    _tell(f"{sentence}; they are left out")
    return tuple(replace(camera, recognition=replace(camera.recognition, attributes=False)) for camera in cameras)


def _wait(watcher: Watcher, plans: Plans, stop: Stop) -> bool:
    """Until it is to end; whether that is because Stream's file has changed."""
    changes = None
    if plans.stream is not None:
        from openplate.service.stream_side import ConfigWatch

        changes = ConfigWatch(plans.stream)
    while not stop.is_asked:
        has_ended = watcher.wait(_LOOK_S)
        if has_ended and not plans.takes_files:
            return False
        if has_ended:
            time.sleep(_LOOK_S)
        if changes is not None and changes.has_changed():
            return True
    return False


def _exit_code(watcher: Watcher, stop: Stop, *, has_ended: bool) -> int:
    if not has_ended:
        _tell("the time to stop was not enough for everything that was running")
        return FAILED
    if stop.is_reader_gone:
        return READER_GONE
    if watcher.output_failures:
        _tell(f"failed: {', '.join(f'{name} {count} times' for name, count in watcher.output_failures.items())}")
        return FAILED
    has_failed = any(
        status.state == "failed" or (status.failed_frames and not status.analysed) for status in watcher.statuses()
    )
    return FAILED if has_failed and not stop.is_asked else 0


def _tell(sentence: str) -> None:
    typer.echo(f"openplate: {sentence}", err=True)


def _tell_counts(watcher: Watcher) -> None:
    """Of live cameras: files lose no frames."""
    for each in watcher.statuses():
        if each.camera.is_live:
            counts = f"{each.frames} frames, {each.dropped} of them dropped, {each.analysed} analysed"
            _tell(f"{each.camera.name}: {counts}, {each.groups} vehicles")


def _tell_missing(plans: Plans) -> int:
    """How many files and folders are not there; each is told, when it is its turn, unless all are missing."""
    missing = [plan for plan in plans.cameras if not is_live(plan.where) and not Path(plan.where).exists()]
    if len(missing) == len(plans.cameras):
        for plan in missing:
            _tell(f"{plan.where}: there is no such file or folder")
    return len(missing)


def _workers(plans: Plans, settings: Settings) -> int:
    wanted = settings.workers or (plans.scout.analysis_threads if plans.scout and plans.scout.cameras else cores())
    return max(1, min(wanted, len(plans.cameras)))


def _outputs(wishes: Wishes, plans: Plans, stop: Stop, stack: ExitStack) -> Iterator[Output]:
    from openplate.cli.watch_printing import GroupPrinter

    if (wishes.shows or wishes.video is not None) and len(plans.cameras) > 1:
        raise SettingsError("--show and --video are for one camera or video at a time")
    if wishes.video is not None:
        from openplate.service.annotated_video import AnnotatedVideo

        yield AnnotatedVideo(wishes.video)
    if wishes.shows:
        from openplate.cli.live_picture import LivePicture

        if not sys.stdout.isatty():
            raise SettingsError("--show needs a terminal; --video FILE.mp4 writes the pictures to a file")
        yield stack.enter_context(LivePicture(sys.stdout))
    elif not wishes.is_quiet:
        yield GroupPrinter(_write, stop.lose_reader, as_json=wishes.as_json, names_cameras=len(plans.cameras) > 1)


def _write(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


def _scout(plans: Plans, settings: Settings, surroundings: Surroundings, workers: int) -> ScoutSide | None:
    if plans.scout is None:
        return None
    from openplate import __version__
    from openplate.service.scout_side import ScoutSide

    return ScoutSide.open(
        plans.scout,
        plans.cameras,
        data_folder_of(settings) / "scout",
        version=__version__,
        hostname=socket.gethostname(),
        workers=workers,
        now=surroundings.now,
    )


def _stream(plans: Plans, settings: Settings) -> StreamSide | None:
    if plans.stream is None:
        return None
    from openplate.service.stream_side import StreamSide

    return StreamSide.open(plans.stream, data_folder_of(settings) / "stream")


_SERVED: Final = {"state": "/metrics and /healthz", "pictures": "pictures", "files": "videos are taken"}
_Sockets = dict[str, list[socket.socket]]


def _listen(plans: Plans, settings: Settings, stack: ExitStack) -> _Sockets:
    """A taken port is told before anything is loaded."""
    from openplate.cli.listening import listen, url_of

    wanted = {} if settings.watch.port is None else {"state": settings.watch.port}
    if plans.scout is not None and plans.scout.web_server_enabled and plans.scout.store_plates:
        wanted["pictures"] = plans.scout.web_server_port
    if plans.takes_files:
        wanted["files"] = settings.watch.upload_port
    found = {}
    for name, port in wanted.items():
        found[name] = listen(settings.watch.host, port)
        for each in found[name]:
            stack.callback(each.close)
        _tell(f"{_SERVED[name]} at {url_of(found[name][0])}")
    return found


def _serve(
    watcher: Watcher,
    recognizer: Recognizer,
    sides: _Sides,
    settings: Settings,
    sockets: _Sockets,
    stack: ExitStack,
) -> None:
    if not sockets:
        return
    from openplate.api.pictures import create_picture_app
    from openplate.api.watching import create_watch_app
    from openplate.cli.side_server import SideServer

    apps: dict[str, ASGIApp] = {}
    if "state" in sockets:
        cameras = _open_reader(watcher, settings, stack)
        apps["state"] = create_watch_app(lambda: _state(watcher, sides), cameras)
    scout, stream, _ = sides
    if scout is not None and scout.ring is not None:
        apps["pictures"] = create_picture_app(scout.ring)
    if stream is not None and stream.takes_files:
        from openplate.api.stream_upload import create_upload_app

        apps["files"] = create_upload_app(stream.files(recognizer, lambda: _stream_states(watcher)))
    for name, listeners in sockets.items():
        server = SideServer(apps[name], listeners, name)
        server.start()
        stack.callback(server.stop)


def _open_reader(watcher: Watcher, settings: Settings, stack: ExitStack) -> CameraReader:
    """Who asks needs a token where the server would ask for one."""
    from openplate.service.reading_now import CameraReader

    is_counted = settings.token_required or settings.accounts.max_calls is not None
    store = stack.enter_context(closing(open_store(settings))) if is_counted else None
    reader = CameraReader(watcher, settings, store)
    stack.callback(reader.close)
    return reader


def _stream_states(watcher: Watcher) -> dict[str, str]:
    """In Stream's two words."""
    return {each.camera.name: "running" if each.state == "running" else "offline" for each in watcher.statuses()}


def _state(watcher: Watcher, sides: _Sides) -> WatchState:
    from openplate.api.watching import WatchState

    scout, stream, mqtt = sides
    counters, levels = mqtt_numbers(mqtt)
    uploads = None if scout is None else scout.uploads()
    if scout is not None:
        counters["not_kept"] = scout.failed
        if scout.ring is not None:
            levels |= {"pictures": len(scout.ring), "pictures_bytes": scout.ring.used_bytes}
            counters["pictures_removed"] = scout.ring.removed
    if uploads is not None:
        counters |= {"uploads": uploads.uploaded, "uploads_failed": uploads.failed, "uploads_dropped": uploads.dropped}
        levels |= {"uploads_waiting": uploads.waiting, "uploads_waiting_bytes": uploads.waiting_bytes}
    webhooks = None if stream is None else stream.counts()
    if stream is not None and webhooks is not None:
        counters |= {"webhooks_delivered": webhooks.delivered, "webhooks_failed": webhooks.failed}
        counters["webhooks_dropped"] = webhooks.dropped
        with suppress(StorageError):  # what can be told is told
            levels["webhooks_waiting"] = stream.waiting()
    if stream is not None:
        counters |= {f"not_kept_{kind}": 0 for kind in _STREAM_KEEPS}
        counters |= {f"not_kept_{kind}": count for kind, count in stream.output.failures.items()}
    return WatchState(watcher.statuses(), counters, levels, watcher.output_failures)


@contextmanager
def _signals(stop: Stop) -> Iterator[None]:
    before = {number: signal.signal(number, stop.on_signal) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def configure_logging() -> None:
    """Lines on standard error, with time and level. Of a camera's attempts only changes are told, by ``tell``."""
    logging.basicConfig(
        stream=sys.stderr, level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    logging.getLogger("openplate.video").setLevel(logging.ERROR)
