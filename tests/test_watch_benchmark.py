"""The benchmark of watching: its scenes, its sums, its rows."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("av")

from benchmarks import results
from benchmarks.watch import __main__ as command
from benchmarks.watch.cost import STAGES, Cost, StageMeter, looped, measure_cost
from benchmarks.watch.live import Delays, LivePlan, run_live
from benchmarks.watch.memory import MemoryPlan, Samples, run_memory
from benchmarks.watch.scenes import HEIGHT, WIDTH, make_clip, pictures
from scripts import measured

from factories import make_plate, make_reading, make_vehicle
from openplate import Recognizer
from openplate.datatypes import Group, Sighting
from openplate.imaging import Image
from openplate.imaging.frame import Frame
from openplate.service.outputs import Camera
from openplate.video import open_source
from openplate.video.motion import MotionGate
from openplate.video_pipeline import GroupPicture


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_clip(tmp_path_factory.mktemp("clips") / "busy.mp4", "busy", 1, 5)


def spin(seconds: float) -> None:
    until = time.thread_time() + seconds
    while time.thread_time() < until:
        pass


def test_a_clip_is_what_a_camera_sends(clip: Path) -> None:
    source = open_source(str(clip))
    frames = list(source)
    source.close()
    assert [(frame.width, frame.height) for frame in frames] == [(WIDTH, HEIGHT)] * 5
    assert [frame.position_s for frame in frames] == pytest.approx([0, 0.2, 0.4, 0.6, 0.8])


def test_something_moves_in_the_busy_scene_only(clip: Path, tmp_path: Path) -> None:
    moved = {}
    for name, path in (("busy", clip), ("quiet", make_clip(tmp_path / "quiet.mp4", "quiet", 2, 5))):
        gate, meter = MotionGate(), StageMeter()
        frames = looped(path, 5, 1, meter)
        moved[name] = [bool(gate.update(frame)) for frame in islice(frames, 15)]
        frames.close()
    assert all(moved["busy"][1:5])
    assert not any(moved["quiet"][-5:])


def test_each_car_of_a_lane_has_a_plate_of_its_own() -> None:
    first, second = islice(pictures("busy", 8.2, 0.25), 2)
    assert np.abs(first.astype(int) - second).max() > 100


def test_stages_within_stages_count_once() -> None:
    meter = StageMeter()
    with meter.stage("track"):
        spin(0.02)
        meter.wrapped("detect", spin)(0.05)
    assert meter.seconds["detect"] == pytest.approx(0.05, rel=0.5)
    assert meter.seconds["track"] == pytest.approx(0.02, rel=0.9)


def test_a_camera_is_measured_by_stage(clip: Path) -> None:
    cost = measure_cost(clip, Recognizer(device="cpu"), seconds=2, frames_per_s=5, sample=1, warm_up_s=0.4)
    assert (cost.seconds, cost.decoded) == (2, 10)
    assert 0 < cost.analysed <= 10
    assert set(cost.stages_s) <= set(STAGES)
    assert all(cost.stages_s[name] > 0 for name in ("decode", "gate", "colors", "detect", "track"))
    assert sum(cost.stages_s.values()) <= cost.process_s


def test_rates_are_for_the_frames_that_they_belong_to() -> None:
    stages = {"decode": 0.5, "gate": 0.1, "detect": 1.0, "track": 0.2}
    columns = Cost(20, 100, 50, 3, 2.0, stages).columns()
    assert (columns["cpu_decoded_ms"], columns["cpu_analysed_ms"]) == ("6.00", "24.00")
    assert (columns["decode_ms"], columns["detect_ms"], columns["cameras_per_core"]) == ("5.00", "20.00", "10.00")
    still = Cost(20, 100, 0, 0, 0.7, {"decode": 0.5, "gate": 0.1, "track": 0.1}).columns()
    assert (still["cpu_decoded_ms"], still["cpu_analysed_ms"]) == ("7.00", "")


def test_live_cameras_are_counted(clip: Path) -> None:
    columns = run_live(LivePlan(clip, 2, 5, 1, 1.0, "cpu", workers=1, settle_s=0.5))
    assert (columns["cameras"], columns["workers"], columns["clocks"]) == ("2", "1", "own")
    assert float(columns["cores_used"]) > 0
    assert float(columns["memory_mb"]) > float(columns["camera_mb"])
    assert {"frames", "dropped", "analysed", "groups", "growth_mb"} <= set(columns) <= set(results.WATCH_COLUMNS)


def test_delays_are_from_the_frame_that_decided() -> None:
    now = datetime.now(UTC)
    delays, camera = Delays(), Camera("gate", 1)
    image = Image(np.zeros((8, 8, 3), np.uint8))

    def show(index: int, ago_s: float) -> None:
        delays.frame(camera, None, Frame(image, "gate", index, now - timedelta(seconds=ago_s)))

    def tell(state: str, best: int, ago_s: float = 0.0) -> None:
        at = now - timedelta(seconds=ago_s)
        seen = Sighting(at, best, make_plate(), make_vehicle(), 0)
        group = Group("1" * 32, "gate", state, at, at, best, best, make_reading(), seen, (seen,))  # type: ignore[arg-type]
        delays.group(camera, GroupPicture(group, image))

    show(0, ago_s=40)
    tell("preview", best=1, ago_s=10)
    show(1, ago_s=10)
    tell("closed", best=1)  # its picture is the last frame
    tell("closed", best=0)  # decided by the frame that follows
    show(2, ago_s=5)
    tell("closed", best=0)  # decided by no frame
    show(3, ago_s=-60)
    assert delays.milliseconds["preview"] == [pytest.approx(10_000, abs=5_000)]
    assert delays.milliseconds["closed"] == [pytest.approx(10_000, abs=4_000), pytest.approx(5_000, abs=4_000)]


def test_memory_is_measured_over_the_whole_of_the_video(clip: Path) -> None:
    columns = run_memory(MemoryPlan(clip, 2, 5, 1, 0.1, "cpu"))
    assert (columns["cameras"], columns["seconds"], columns["frames"]) == ("2", "6", "60")
    assert int(columns["groups"]) >= 1
    assert float(columns["memory_mb"]) > 0
    assert set(columns) <= set(results.WATCH_COLUMNS)


def test_growth_is_from_the_second_part_to_the_last() -> None:
    samples = Samples(1)
    samples.megabytes = [*([50.0] * 10), *([100.0] * 10), *([300.0] * 70), *([104.0] * 10)]
    assert samples.growth() == pytest.approx(4)


def test_cameras_come_in_every_phase_unless_they_are_to_come_at_once() -> None:
    plan = LivePlan(Path("busy.mp4"), 3, 5, 1, 60, "cpu")
    assert [plan.rate_of(camera) for camera in (1, 2, 3)] == pytest.approx([4.9, 5.0, 5.1])
    assert {replace(plan, clocks="same").rate_of(camera) for camera in (1, 2, 3)} == {5}


def test_rows_become_tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measured, "RESULTS", tmp_path)
    assert measured.watch() == "Nothing has been measured yet."
    output = tmp_path / "watch.csv"
    arguments = ["--scene", "quiet", "--device", "cpu", "--camera-fps", "5", "--clip-seconds", "1", "--seconds", "1"]
    command.main([*arguments, "--measure", "cost", "--output", str(output)])
    (row,) = results.read_rows(output)
    assert (row["measure"], row["scene"], row["frames"]) == ("cost", "quiet", "5")
    assert f"| cpu | quiet | 5 | 5 | {row['cameras_per_core']} |" in measured.watch()
    live = {**results.origin(), "measure": "live", "device": "cpu", "cameras": "4", "growth_mb": "0.5"}
    results.append_rows(output, results.WATCH_COLUMNS, [live])
    memory = {**results.origin(), "measure": "memory", "device": "cpu", "cameras": "2", "wall_s": "77"}
    results.append_rows(output, results.WATCH_COLUMNS, [memory])
    assert "| 2 | - | 77 |" in measured.watch()
    assert "| 4 |" + 13 * " - |" + " 0.5 |" in measured.watch()
