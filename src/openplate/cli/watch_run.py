"""Runs ``openplate watch``: builds everything, waits for the end or a signal, ends everything in order."""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import typer

from openplate.cli.group import FAILED, READER_GONE
from openplate.cli.surroundings import Surroundings
from openplate.cli.watch_plans import Plans, Wishes, make_plans
from openplate.cli.work import cores
from openplate.errors import SettingsError
from openplate.imaging import limit_threads
from openplate.service.outputs import Output
from openplate.service.watching import Watcher
from openplate.settings import Settings
from openplate.settings.building import data_folder_of
from openplate.video import is_live

if TYPE_CHECKING:
    from openplate.api.watching import WatchState
    from openplate.service.scout_side import ScoutSide

__all__ = ["Wishes", "run"]

_LOOK_S: Final = 0.2

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
    plans = make_plans(wishes, settings)
    missing = _tell_missing(plans)
    if missing == len(plans.cameras):
        return FAILED
    configure_logging()
    for warning in plans.scout.warnings if plans.scout else ():
        _tell(warning)
    limit_threads()
    workers = _workers(plans, settings)
    stop = Stop()
    with _signals(stop), ExitStack() as stack:
        sockets = _listen(plans, settings, stack)
        outputs: list[Output] = []
        scout = _scout(plans, settings, surroundings, workers)
        if scout is not None:
            stack.callback(scout.close)
            outputs.append(scout.output)  # first what must not be lost
        outputs += _outputs(wishes, plans, stop, stack)
        recognizer = surroundings.build_recognizer(plans.cameras[0].recognition, settings, workers)
        watcher = Watcher(plans.cameras, recognizer, outputs, workers=workers, tell=_tell)
        _serve(watcher, scout, sockets, stack)
        if scout is not None:
            scout.start(watcher.statuses)
        watcher.start()
        while not watcher.wait(_LOOK_S) and not stop.is_asked:
            pass
        has_ended = watcher.close(settings.watch.stop_timeout_s)
    return _exit_code(watcher, stop, has_ended=has_ended)


def _exit_code(watcher: Watcher, stop: Stop, *, has_ended: bool) -> int:
    if not has_ended:
        _tell("the time to stop was not enough for everything that was running")
        return FAILED
    if stop.is_reader_gone:
        return READER_GONE
    if watcher.output_failures:
        _tell(f"failed: {', '.join(f'{name} {count} times' for name, count in watcher.output_failures.items())}")
        return FAILED
    has_failed = any(status.state == "failed" for status in watcher.statuses())
    return FAILED if has_failed and not stop.is_asked else 0


def _tell(sentence: str) -> None:
    typer.echo(f"openplate: {sentence}", err=True)


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


_Sockets = dict[str, list[socket.socket]]


def _listen(plans: Plans, settings: Settings, stack: ExitStack) -> _Sockets:
    """A taken port is told before anything is loaded."""
    from openplate.cli.listening import listen, url_of

    wanted = {} if settings.watch.port is None else {"state": settings.watch.port}
    if plans.scout is not None and plans.scout.web_server_enabled and plans.scout.store_plates:
        wanted["pictures"] = plans.scout.web_server_port
    found = {}
    for name, port in wanted.items():
        found[name] = listen(settings.watch.host, port)
        for each in found[name]:
            stack.callback(each.close)
        paths = "/metrics and /healthz" if name == "state" else "pictures"
        _tell(f"{paths} at {url_of(found[name][0])}")
    return found


def _serve(watcher: Watcher, scout: ScoutSide | None, sockets: _Sockets, stack: ExitStack) -> None:
    if not sockets:
        return
    from openplate.api.pictures import create_picture_app
    from openplate.api.watching import create_watch_app
    from openplate.cli.side_server import SideServer

    apps = {"state": create_watch_app(lambda: _state(watcher, scout))}
    if scout is not None and scout.ring is not None:
        apps["pictures"] = create_picture_app(scout.ring)
    for name, listeners in sockets.items():
        server = SideServer(apps[name], listeners, name)
        server.start()
        stack.callback(server.stop)


def _state(watcher: Watcher, scout: ScoutSide | None) -> WatchState:
    from openplate.api.watching import WatchState

    counters: dict[str, float] = {}
    levels: dict[str, float] = {}
    uploads = None if scout is None else scout.uploads()
    if scout is not None:
        counters["not_kept"] = scout.failed
        if scout.ring is not None:
            levels |= {"pictures": len(scout.ring), "pictures_bytes": scout.ring.used_bytes}
            counters["pictures_removed"] = scout.ring.removed
    if uploads is not None:
        counters |= {"uploads": uploads.uploaded, "uploads_failed": uploads.failed, "uploads_dropped": uploads.dropped}
        levels |= {"uploads_waiting": uploads.waiting, "uploads_waiting_bytes": uploads.waiting_bytes}
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
