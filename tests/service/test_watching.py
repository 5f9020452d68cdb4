"""Several cameras at once: each in its thread, none harmed by another, everything reported at the end."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import pytest
from tests.video.video_helpers import wait_until
from watch_helpers import Keeping, Scripts, make_plan, make_recognizer, passing, street

from openplate import Recognizer
from openplate.datatypes import Recognition
from openplate.errors import RegionError, SourceUnavailable
from openplate.imaging import Image
from openplate.imaging.frame import Frame
from openplate.options import RecognitionOptions
from openplate.service.outputs import Camera, Output
from openplate.service.turns import Turns
from openplate.service.watched_camera import WatchedCamera
from openplate.service.watching import Watcher
from openplate.settings.watch_plan import CameraPlan
from openplate.video_pipeline import GroupPicture


@pytest.fixture(scope="module")
def recognizer() -> Recognizer:
    return make_recognizer()


def watch(
    recognizer: Recognizer,
    plans: Sequence[CameraPlan],
    scripts: dict[str, Callable[[], Iterator[Image]]],
    *outputs: Output,
) -> tuple[Watcher, Scripts, list[str]]:
    told: list[str] = []
    opener = Scripts(scripts)
    watcher = Watcher(plans, recognizer, outputs, workers=2, tell=told.append, opener=opener)
    watcher.start()
    return watcher, opener, told


def test_a_file_is_watched_to_its_end(recognizer: Recognizer) -> None:
    kept = Keeping()
    watcher, opener, told = watch(recognizer, [make_plan()], {"gate.mp4": lambda: iter(passing())}, kept)
    assert watcher.wait(60)
    assert watcher.close()
    assert kept.texts() == [("gate", "ABC1234")]
    assert len(kept.frames) == 6
    assert kept.is_closed
    assert opener.opened[0].is_closed
    (status,) = watcher.statuses()
    assert (status.state, status.frames, status.analysed, status.reads, status.groups) == ("ended", 6, 6, 6, 1)
    assert told == []


def test_cameras_are_watched_side_by_side(recognizer: Recognizer) -> None:
    kept = Keeping()
    plans = [make_plan("one", "one.mp4", 1), make_plan("other", "other.mp4", 2)]
    scripts = {"one.mp4": lambda: iter(passing(0)), "other.mp4": lambda: iter(passing(1))}
    watcher, _, _ = watch(recognizer, plans, scripts, kept)
    assert watcher.wait(60)
    watcher.close()
    assert sorted(kept.texts()) == [("one", "ABC1234"), ("other", "XYZ9876")]


def test_a_file_that_cannot_be_opened_is_told_and_harms_no_other(recognizer: Recognizer) -> None:
    def missing() -> Iterator[Image]:
        raise SourceUnavailable("gone.mp4: there is no such file")

    kept = Keeping()
    plans = [make_plan("gone", "gone.mp4", 1), make_plan("gate", "gate.mp4", 2)]
    scripts = {"gone.mp4": missing, "gate.mp4": lambda: iter(passing())}
    watcher, _, told = watch(recognizer, plans, scripts, kept)
    assert watcher.wait(60)
    watcher.close()
    assert [status.state for status in watcher.statuses()] == ["failed", "ended"]
    assert told == ["gone.mp4: there is no such file"]
    assert kept.texts() == [("gate", "ABC1234")]


class FailsNow(Recognizer):
    """Cannot recognize a picture whose first pixel is white."""

    def recognize(self, images: Sequence[object], names: Sequence[str] | None = None) -> list[Recognition]:
        if images[0][0, 0, 0] == 255:  # type: ignore[index]
            raise RuntimeError("the network has gone wild")
        return super().recognize(images, names)  # type: ignore[arg-type]

    def with_options(self, options: RecognitionOptions) -> FailsNow:
        return FailsNow.from_stages(self.stages, options, self.limits)  # type: ignore[return-value]


def test_frames_that_cannot_be_analysed_are_counted_and_passed_over(
    recognizer: Recognizer, caplog: pytest.LogCaptureFixture
) -> None:
    def white(image: Image) -> Image:
        pixels = image.pixels.copy()
        pixels[0, 0] = 255
        return Image(pixels)

    frames = passing()
    frames[2:2] = [white(frames[2])] * 3
    kept = Keeping()
    failing = FailsNow.from_stages(recognizer.stages, recognizer.options)
    watcher, _, _ = watch(failing, [make_plan()], {"gate.mp4": lambda: iter(frames)}, kept)
    assert watcher.wait(60)
    watcher.close()
    (status,) = watcher.statuses()
    assert (status.state, status.failed_frames, status.groups) == ("ended", 3, 1)
    assert sum("could not be analysed" in record.message for record in caplog.records) == 1


class Broken:
    """An output whose every call fails."""

    def frame(self, _camera: Camera, _recognition: Recognition | None, _frame: Frame) -> None:
        raise OSError("no space left")

    def group(self, _camera: Camera, _picture: GroupPicture) -> None:
        raise OSError("no space left")

    def close(self) -> None:
        raise OSError("no space left")


def test_a_broken_output_takes_nothing_from_the_others(
    recognizer: Recognizer, caplog: pytest.LogCaptureFixture
) -> None:
    kept = Keeping()
    watcher, _, _ = watch(recognizer, [make_plan()], {"gate.mp4": lambda: iter(passing())}, Broken(), kept)
    assert watcher.wait(60)
    watcher.close()
    assert kept.texts() == [("gate", "ABC1234")]
    assert kept.is_closed
    assert watcher.output_failures == {"Broken": 8}
    assert [record.message for record in caplog.records] == [
        f"Broken failed, {count} times by now: no space left" for count in (1, 2, 4, 8)
    ]
    assert not any(record.exc_info for record in caplog.records)  # nobody has to look into the program for it


def endless(images: Sequence[Image], is_over: threading.Event) -> Iterator[Image]:
    """The pictures, then silence until it is over."""
    for image in images:
        yield image
        is_over.wait(0.2)
    is_over.wait()


def test_when_it_is_stopped_what_is_open_is_reported(recognizer: Recognizer) -> None:
    kept, is_over = Keeping(), threading.Event()
    watcher, opener, _ = watch(
        recognizer,
        [make_plan(where="rtsp://gate")],
        {"rtsp://gate": lambda: endless([street((0, 300))] * 3, is_over)},
        kept,
    )
    wait_until(lambda: any(recognition for _, recognition, _ in kept.frames))
    threading.Timer(0.1, is_over.set).start()
    assert watcher.close()
    assert kept.texts() == [("gate", "ABC1234")]
    wait_until(lambda: opener.opened[0].is_closed)
    assert watcher.statuses()[0].state == "stopped"


@pytest.mark.parametrize("where", ["gate.mp4", "rtsp://gate"])
def test_a_camera_ends_after_so_many_frames_where_it_is_told_so(recognizer: Recognizer, where: str) -> None:
    kept, is_over = Keeping(), threading.Event()
    plan = replace(make_plan(where=where), most_frames=4)
    watcher, _, _ = watch(recognizer, [plan], {where: lambda: endless(passing(), is_over)}, kept)
    assert watcher.wait(60)
    is_over.set()
    watcher.close()
    assert len(kept.frames) == 4
    assert kept.texts() == [("gate", "ABC1234")]
    assert watcher.statuses()[0].state == "stopped"


def test_a_camera_that_goes_silent_has_its_groups_reported(recognizer: Recognizer) -> None:
    kept, is_over = Keeping(), threading.Event()
    watcher, _, _ = watch(
        recognizer,
        [make_plan(where="rtsp://gate")],
        {"rtsp://gate": lambda: endless([street((0, 300))], is_over)},
        kept,
    )
    wait_until(lambda: kept.texts() == [("gate", "ABC1234")], kept.texts)
    is_over.set()
    watcher.close()
    assert kept.texts() == [("gate", "ABC1234")]


def test_a_camera_that_is_gone_and_back_is_told_once_each(recognizer: Recognizer) -> None:
    kept, is_over, is_back = Keeping(), threading.Event(), threading.Event()

    def camera() -> Iterator[Image]:
        if not is_back.is_set():
            raise SourceUnavailable("rtsp://gate: the machine refuses the connection")
        return endless(passing(), is_over)

    watcher, opener, told = watch(recognizer, [make_plan(where="rtsp://gate")], {"rtsp://gate": camera}, kept)
    wait_until(lambda: watcher.statuses()[0].state == "offline" and told, watcher.statuses)
    is_back.set()
    wait_until(lambda: len(told) >= 2, lambda: told)
    is_over.set()
    watcher.close()
    assert told[:2] == [
        "gate: no pictures: rtsp://gate: the machine refuses the connection",
        "gate: pictures come again",
    ]
    assert len(opener.opened) >= 1


def test_an_unknown_region_is_told_before_anything_starts(recognizer: Recognizer) -> None:
    with pytest.raises(RegionError):
        Watcher([make_plan(recognition=RecognitionOptions(regions=("xx-none",)))], recognizer, [])


def test_a_preview_is_told_before_another_frame_comes(recognizer: Recognizer) -> None:
    """Counted, with the time that it took; of a camera, as a file's times are not the clock's."""
    kept = Keeping()
    plan = make_plan(where="rtsp://gate")
    groups = replace(plan.video.groups, preview=True)

    def drive_up() -> Iterator[Image]:
        yield street((0, 50.0))
        wait_until(lambda: kept.pictures)
        yield street((0, 60.0))

    scripts = {"rtsp://gate": drive_up}
    watcher, _, _ = watch(recognizer, [replace(plan, video=replace(plan.video, groups=groups))], scripts, kept)
    wait_until(lambda: len(kept.frames) >= 2)
    (status,) = watcher.statuses()
    watcher.close()
    _, first = kept.pictures[0]
    assert (first.group.state, first.group.last_frame) == ("preview", 0)
    assert [picture.group.state for _, picture in kept.pictures[:2]] == ["preview", "closed"]
    assert status.previews >= 1
    assert 0 < status.slowest_preview_s <= status.preview_delay_s


def test_of_a_file_previews_are_counted_without_their_time(recognizer: Recognizer) -> None:
    kept = Keeping()
    plan = make_plan()
    video = replace(plan.video, groups=replace(plan.video.groups, preview=True))
    watcher, _, _ = watch(recognizer, [replace(plan, video=video)], {"gate.mp4": lambda: iter(passing())}, kept)
    assert watcher.wait(60)
    watcher.close()
    (status,) = watcher.statuses()
    assert (status.previews, status.groups, status.preview_delay_s) == (1, 1, 0.0)


def test_a_camera_that_waits_for_its_turn_looks_at_the_newest_frame(recognizer: Recognizer) -> None:
    """Several cameras at once: the frame that a camera had when it began to wait was old when its turn came."""
    kept, is_over = Keeping(), threading.Event()
    turns = Turns(1)
    given: list[int] = []

    def camera() -> Iterator[Image]:
        for index in range(5):
            given.append(index)
            yield street((0, 300))
            wait_until(lambda: turns.waiting)
        is_over.wait()

    opener = Scripts({"rtsp://gate": camera})
    watched = WatchedCamera(make_plan(where="rtsp://gate"), recognizer, turns, kept, lambda _: None, opener)
    with turns:  # as another camera has it
        watched.start()
        wait_until(lambda: len(given) == 5 and watched.status().frames == 5, watched.status)
    wait_until(lambda: kept.frames)
    assert [frame.index for _, _, frame in kept.frames] == [4]
    assert watched.status().dropped == 4
    watched.ask_to_stop()
    is_over.set()
    assert watched.join(60)


def test_events_are_told_before_the_pictures_of_frames(recognizer: Recognizer) -> None:
    class Order:
        def __init__(self) -> None:
            self.told: list[str] = []

        def frame(self, _camera: Camera, _recognition: Recognition | None, frame: Frame) -> None:
            self.told.append(f"frame {frame.index}")

        def group(self, _camera: Camera, picture: GroupPicture) -> None:
            self.told.append(picture.group.state)

        def close(self) -> None:
            pass

    order, plan = Order(), make_plan()
    video = replace(plan.video, groups=replace(plan.video.groups, preview=True))
    frames = [*passing(), *[street()] * 9]
    watcher, _, _ = watch(recognizer, [replace(plan, video=video)], {"gate.mp4": lambda: iter(frames)}, order)
    assert watcher.wait(60)
    watcher.close()
    assert order.told[:2] == ["preview", "frame 0"]
    assert order.told.index("closed") == order.told.index("frame 11") - 1  # by which it is known to be gone
    assert [told for told in order.told if told.startswith("frame")] == [f"frame {index}" for index in range(15)]


def test_a_report_whose_picture_is_a_frames_comes_after_that_frame(recognizer: Recognizer) -> None:
    kept, plan = Keeping(), make_plan()
    order: list[str] = []
    kept.frame = lambda _camera, _recognition, frame: order.append(f"frame {frame.index}")  # type: ignore[method-assign]
    kept.group = lambda _camera, picture: order.append(picture.group.state)  # type: ignore[method-assign]
    groups = replace(plan.video.groups, max_plates_to_group=1)
    plan = replace(plan, video=replace(plan.video, groups=groups))
    watcher, _, _ = watch(recognizer, [plan], {"gate.mp4": lambda: iter(passing())}, kept)
    assert watcher.wait(60)
    watcher.close()
    assert order[:2] == ["frame 0", "closed"]
