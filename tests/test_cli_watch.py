"""``openplate watch`` in this process: videos of painted streets, lines, JSON, drawn videos, what is wrong."""

from __future__ import annotations

import io
import json
import re
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

av = pytest.importorskip("av")

from tests.video.video_helpers import make_video  # noqa: E402

from cli_helpers import TEXTS, Bench  # noqa: E402
from factories import NOON, make_known_street, make_pixels  # noqa: E402
from openplate import RecognitionOptions, Recognizer  # noqa: E402
from openplate.cli.live_picture import LivePicture, half_blocks, nearest_colors  # noqa: E402
from openplate.cli.watch_plans import Wishes, make_plans  # noqa: E402
from openplate.datatypes import Box, Recognition  # noqa: E402
from openplate.errors import InferenceFailed  # noqa: E402
from openplate.imaging import Image  # noqa: E402
from openplate.imaging.frame import Frame  # noqa: E402
from openplate.service.outputs import Camera  # noqa: E402
from openplate.settings import Settings  # noqa: E402
from openplate.settings.watch import WatchSettings  # noqa: E402
from openplate.stages import LateAttributes  # noqa: E402
from stand_ins import paint_street  # noqa: E402


def save_passing(path: Path, number: int = 0, count: int = 8) -> Path:
    """A car drives by from left to right, ten frames a second, and is gone."""
    pictures = [paint_street(640, 360, [], [])]
    for index in range(count):
        x = 20.0 + 40 * index
        plate = Box(x + 60, 200, x + 140, 224)
        pictures.append(paint_street(640, 360, [Box(x, 100, x + 200, 260)], [(plate, number)]))
    return make_video(path, [*pictures, *[pictures[0]] * 60], options={"crf": "1"})


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_passing(tmp_path_factory.mktemp("videos") / "gate.mp4")


def test_a_video_gives_a_line_for_its_vehicle(gate: Path) -> None:
    result = Bench().run("watch", gate)
    assert result.exit_code == 0, result.output
    assert re.fullmatch(r"0:0\d\.\d  1AB2345 +\d+ %  cz \d+ %  right  car\n", result.stdout)
    assert result.stderr == ""


def test_json_is_an_object_on_a_line(gate: Path, tmp_path: Path) -> None:
    other = save_passing(tmp_path / "yard.mp4", number=1)
    result = Bench().run("watch", "--json", gate, other)
    told = {group["camera"]: group["text"] for group in map(json.loads, result.stdout.splitlines())}
    assert told == {"gate.mp4": TEXTS[0], "yard.mp4": TEXTS[1]}
    assert result.exit_code == 0


def test_a_preview_comes_before_the_report(gate: Path) -> None:
    told = [json.loads(line) for line in Bench().run("watch", "--preview", "--json", gate).stdout.splitlines()]
    assert [(group["state"], group["text"]) for group in told] == [("preview", TEXTS[0]), ("closed", TEXTS[0])]
    assert told[0]["group"] == told[1]["group"]
    early, line = Bench().run("watch", "--preview", gate).stdout.splitlines()
    assert early.endswith("  preview")
    assert TEXTS[0] in early
    assert not line.endswith("preview")


@pytest.mark.parametrize("is_wished", [True, False])
def test_previews_are_for_scouts_cameras_too(tmp_path: Path, is_wished: bool) -> None:
    (tmp_path / "stream.d").mkdir()
    (tmp_path / "alprd.conf").write_text("company_id = c\n")
    (tmp_path / "stream.d" / "gate.conf").write_text("camera_id = 7\nstream = rtsp://gate\n")
    settings = Settings(watch=WatchSettings(preview_confidence=0.7))
    plans = make_plans(Wishes(sources=("rtsp://yard",), scout=tmp_path, preview=is_wished), settings)
    assert [plan.video.groups.preview for plan in plans.cameras] == [is_wished] * 2
    if is_wished:
        assert {plan.video.groups.preview_confidence for plan in plans.cameras} == {0.7}


def test_of_several_cameras_each_line_says_which(gate: Path, tmp_path: Path) -> None:
    lines = Bench().run("watch", gate, save_passing(tmp_path / "yard.mp4", 1)).stdout.splitlines()
    assert sorted(line.split()[0] for line in lines) == ["gate.mp4", "yard.mp4"]


def test_missing_files_are_told_and_the_others_watched(gate: Path, tmp_path: Path) -> None:
    gone = tmp_path / "gone.mp4"
    bench = Bench()
    alone = bench.run("watch", gone)
    assert (alone.exit_code, alone.stdout) == (1, "")
    assert alone.stderr == f"openplate: {gone}: there is no such file or folder\n"
    assert bench.asked == []
    both = bench.run("watch", gone, gate)
    assert both.exit_code == 1
    assert TEXTS[0] in both.stdout
    assert str(gone) in both.stderr
    assert len(both.stderr.splitlines()) == 1


def test_a_file_that_is_no_video(tmp_path: Path) -> None:
    path = tmp_path / "notes.mp4"
    path.write_text("no video")
    result = Bench().run("watch", path)
    assert result.exit_code == 1
    assert "not a video" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "complaint"),
    [
        ((), 2, "there is nothing to watch"),
        (("ftp://x",), 2, "no source begins with ftp://"),
        (("--region", "zz", "x.mp4"), 2, "there is no region 'zz'"),
        (("--show", "a.mp4", "b.mp4"), 2, "--show and --video are for one camera"),
        (("--scout", "gone"), 2, "gone cannot be read"),
        (("--stream-config", "gone"), 2, "gone cannot be read"),
    ],
)
def test_wrong_usage(arguments: tuple[str, ...], code: int, complaint: str, tmp_path: Path) -> None:
    for name in ("a.mp4", "b.mp4"):
        (tmp_path / name).touch()
    result = Bench().run("watch", *(tmp_path / each if each in ("a.mp4", "b.mp4") else each for each in arguments))
    assert result.exit_code == code, result.output
    assert complaint in result.stderr


def test_a_folder_without_streams_file_is_given_one_to_fill_in(tmp_path: Path) -> None:
    first = Bench().run("watch", "--stream-config", tmp_path)
    assert first.exit_code == 2
    assert "config.ini was not there and has been written" in first.stderr
    text = (tmp_path / "config.ini").read_bytes()
    assert b"[[camera-1]]" in text
    second = Bench().run("watch", "--stream-config", tmp_path)
    assert "there is nothing to watch" in second.stderr
    assert (tmp_path / "config.ini").read_bytes() == text


def test_a_terminal_is_needed_to_show(gate: Path) -> None:
    result = Bench().run("watch", "--show", gate)
    assert result.exit_code == 2
    assert "--show needs a terminal" in result.stderr


def test_a_missing_library_is_named(gate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    monkeypatch.setattr("openplate.cli.watch_plans.find_spec", lambda name: None if name == "av" else object())
    result = Bench().run("watch", gate)
    assert result.exit_code == 1
    assert "pip install 'openplate[stream]'" in result.stderr


def test_mqtt_without_its_library(gate: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = tmp_path / "settings.toml"
    settings.write_text('[mqtt]\nhost = "127.0.0.1"\n')
    monkeypatch.setattr("openplate.cli.watch_plans.find_spec", lambda name: None if name == "paho" else object())
    result = Bench().run("watch", "--settings", settings, gate)
    assert result.exit_code == 1
    assert "MQTT needs paho-mqtt" in result.stderr
    assert "pip install 'openplate[stream]'" in result.stderr


def test_cameras_of_the_settings_are_watched(gate: Path, tmp_path: Path) -> None:
    settings = tmp_path / "settings.toml"
    settings.write_text(
        f'[cameras.gate]\nurl = "{gate}"\nzones = [[[0, 0], [0.1, 0], [0.1, 1]]]\n[cameras.b]\nurl = "{gate}"\n'
    )
    result = Bench().run("watch", "--json", "--settings", settings)
    assert [json.loads(line)["camera"] for line in result.stdout.splitlines()] == ["b"]


def test_a_drawn_video_is_as_long_as_the_original(gate: Path, tmp_path: Path) -> None:
    drawn = tmp_path / "drawn.mp4"
    bench = Bench()
    result = bench.run("watch", "--video", drawn, gate)
    assert result.exit_code == 0, result.output
    with av.open(str(gate)) as one, av.open(str(drawn)) as other:
        before, after = list(one.decode(video=0)), list(other.decode(video=0))
    assert len(after) == len(before)
    assert [round(frame.time, 2) for frame in after[:20]] == [round(frame.time, 2) for frame in before[:20]]
    assert abs(after[4].to_ndarray(format="rgb24").astype(int) - before[4].to_ndarray(format="rgb24")).max() > 100
    again = bench.run("watch", "--video", drawn, gate)
    assert again.exit_code == 1
    assert "is not written over" in again.stderr


def test_pictures_in_half_blocks_keep_their_shape() -> None:
    lines = half_blocks(Image(make_pixels(1280, 720)), 80, 40)
    assert len(lines) == 22
    assert all(line.count("▄") == 80 for line in lines)
    assert len(half_blocks(Image(make_pixels(100, 2000)), 80, 10)) == 10


def test_colours_of_the_terminal() -> None:
    pixels = [[[255, 0, 0], [0, 0, 0], [255, 255, 255], [128, 128, 128], [95, 135, 175]]]
    import numpy as np

    assert nearest_colors(np.array(pixels, np.uint8)).tolist() == [[196, 16, 231, 244, 67]]


def test_the_live_picture_leaves_the_terminal_as_it_was() -> None:
    terminal = io.StringIO()
    with LivePicture(terminal) as picture:
        street = make_known_street()
        picture.frame(Camera("gate", 1), street, Frame(Image(make_pixels(1280, 720)), "gate", 0, NOON))
    text = terminal.getvalue()
    assert text.startswith("\x1b[?25l")
    assert text.endswith("\x1b[0m\x1b[?25h\n")
    assert "▄" in text


class BenchWithoutAttributes(Bench):
    """There is no network for attributes."""

    def build(self, options: RecognitionOptions, settings: Settings, workers: int) -> Recognizer:
        stages = super().build(options, settings, workers).stages
        return Recognizer.from_stages(replace(stages, late_attributes=LateAttributes(lambda: None)), options)


def test_attributes_that_cannot_be_told_are_left_out_or_refused(gate: Path, tmp_path: Path) -> None:
    settings = tmp_path / "settings.toml"
    settings.write_text(f'[cameras.gate]\nurl = "{gate}"\nattributes = true\n')
    told = BenchWithoutAttributes().run("watch", "--settings", settings)
    assert told.exit_code == 0
    assert "they are left out" in told.stderr
    assert TEXTS[0] in told.stdout
    asked = BenchWithoutAttributes().run("watch", "--attributes", gate)
    assert (asked.exit_code, asked.stdout) == (1, "")
    assert "there is no network 'attributes'" in asked.stderr


def test_attributes_are_told_when_asked_for(gate: Path) -> None:
    (line,) = Bench().run("watch", "--json", "--attributes", gate).stdout.splitlines()
    assert json.loads(line)["attributes"]["makes"][0]["value"] == "SEAT"


class Useless(Recognizer):
    """Can do nothing with any picture."""

    def recognize(self, images: Sequence[object], names: Sequence[str] | None = None) -> list[Recognition]:  # noqa: ARG002
        raise InferenceFailed("the network ran and failed")

    def with_options(self, options: RecognitionOptions) -> Useless:
        return Useless.from_stages(self.stages, options, self.limits)  # type: ignore[return-value]


class UselessBench(Bench):
    def build(self, options: RecognitionOptions, settings: Settings, workers: int) -> Recognizer:
        return Useless.from_stages(super().build(options, settings, workers).stages, options)


def test_where_no_frame_can_be_analysed_it_has_failed(gate: Path) -> None:
    result = UselessBench().run("watch", gate)
    assert (result.exit_code, result.stdout) == (1, "")
