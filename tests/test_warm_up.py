"""What comes first after the start waits for no network: they are ready before."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.service.watch_helpers import Keeping, Scripts, make_plan, make_recognizer, street
from tests.video.video_helpers import wait_until

from cli_helpers import Bench
from openplate import RecognitionOptions, Recognizer
from openplate.errors import InferenceFailed
from openplate.imaging import Image
from openplate.models import session
from openplate.service import Service
from openplate.service.warm_ups import WarmUps
from openplate.service.watching import Watcher
from openplate.settings import load_settings

GATE = Path(__file__).parent.parent / "examples" / "gate.jpg"


def test_openvino_compiles_for_a_size_before_its_first_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first car after the start of `openplate watch` waited two seconds."""
    pytest.importorskip("openvino")
    recognizer = Recognizer(RecognitionOptions(attributes=True), device="openvino")
    compiled: list[str] = []
    core = session._openvino_core()

    class Counting:
        def compile_model(self, network: Any, *arguments: Any) -> Any:
            compiled.append(str(network.inputs[0].partial_shape))
            return core.compile_model(network, *arguments)

        def __getattr__(self, name: str) -> Any:
            return getattr(core, name)

    monkeypatch.setattr(session, "_openvino_core", Counting)
    picture = Image.from_path(GATE)
    recognizer.warm_up(picture.width, picture.height)
    before = len(compiled)
    assert before >= 8  # four networks and the attributes, each for more than one shape
    (recognition,) = recognizer.recognize([picture.pixels])
    recognizer.recognize([np.zeros_like(picture.pixels)])
    assert recognition.plates[0].reading is not None
    assert compiled[before:] == []


@pytest.mark.parametrize("mode", ["fast", "normal", "redaction"])
def test_pictures_of_any_size_and_mode_can_be_made_ready_for(mode: Any) -> None:
    recognizer = make_recognizer().with_options(RecognitionOptions(mode=mode, attributes=True))
    for width, height in ((1, 1), (33, 700), (1920, 1080)):
        recognizer.warm_up(width, height)


def test_cameras_of_one_size_share_what_is_done_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[int, int]] = []
    monkeypatch.setattr(Recognizer, "warm_up", lambda _, width, height: asked.append((width, height)))
    warm_ups, recognizer = WarmUps(), make_recognizer()
    for width, height in ((640, 480), (640, 480), (1920, 1080), (640, 480)):
        warm_ups.get_ready(recognizer, width, height)
    warm_ups.get_ready(recognizer.with_options(RecognitionOptions(mode="normal")), 640, 480)
    assert asked == [(640, 480), (1920, 1080), (640, 480)]


def test_a_camera_is_running_when_the_networks_are_ready_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """And once more when its picture has another size."""
    may_go_on, is_changed, is_over = threading.Semaphore(0), threading.Event(), threading.Event()
    asked: list[tuple[int, int]] = []

    def warm_up(_: Recognizer, width: int, height: int) -> None:
        asked.append((width, height))
        may_go_on.acquire()

    def camera() -> Iterator[Image]:
        yield street((0, 300))
        is_changed.wait()
        yield Image(np.zeros((360, 640, 3), np.uint8))
        is_over.wait()

    monkeypatch.setattr(Recognizer, "warm_up", warm_up)
    kept = Keeping()
    plan = make_plan(where="rtsp://gate")
    watcher = Watcher([plan], make_recognizer(), [kept], opener=Scripts({"rtsp://gate": camera}))
    watcher.start()
    for count in (1, 2):
        wait_until(lambda c=count: len(asked) == c)  # type: ignore[misc]
        (status,) = watcher.statuses()
        assert (status.state, status.frames, len(kept.frames)) == ("connecting", count, count - 1)
        may_go_on.release()
        wait_until(lambda c=count: len(kept.frames) == c)  # type: ignore[misc]
        assert watcher.statuses()[0].state == "running"
        is_changed.set()
    assert asked == [(1280, 720), (640, 360)]
    is_over.set()
    watcher.close()


def test_a_camera_whose_networks_do_not_get_ready_goes_on(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_recognizer: Recognizer, _width: int, _height: int) -> None:
        raise InferenceFailed("the network 'detector' failed")

    monkeypatch.setattr(Recognizer, "warm_up", fail)
    kept, is_over = Keeping(), threading.Event()

    def camera() -> Iterator[Image]:
        yield street((0, 300))
        is_over.wait()

    watcher = Watcher(
        [make_plan(where="rtsp://gate")], make_recognizer(), [kept], opener=Scripts({"rtsp://gate": camera})
    )
    watcher.start()
    wait_until(lambda: kept.frames)
    (status,) = watcher.statuses()
    assert (status.state, status.failed_frames, status.analysed) == ("running", 1, 1)
    assert "the first picture of gate could not be analysed" in caplog.text
    is_over.set()
    watcher.close()


def test_files_do_not_wait_for_what_they_may_not_need(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Recognizer, "warm_up", lambda *_: pytest.fail("a file waits"))
    kept = Keeping()
    watcher = Watcher(
        [make_plan()], make_recognizer(), [kept], opener=Scripts({"gate.mp4": lambda: iter([street((0, 300))])})
    )
    watcher.start()
    assert watcher.wait(60)
    watcher.close()
    assert (len(kept.frames), watcher.statuses()[0].state) == (1, "ended")


def test_the_server_is_ready_for_pictures_as_most_cameras_send_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[int, int]] = []
    monkeypatch.setattr(Recognizer, "warm_up", lambda _, width, height: asked.append((width, height)))
    monkeypatch.setattr("openplate.service.service.build_recognizer", Bench().build)
    service = Service.open(load_settings(environment={}, command_line={"storage.data_folder": tmp_path}).settings)
    assert service.close(10)
    assert asked == [(1920, 1080)]
