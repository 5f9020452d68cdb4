"""``openplate alpr`` on painted streets: what OpenALPR's own command line would have printed."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from cli_helpers import CAR, PLATE, TEXTS, Bench, save_street
from factories import make_picture
from stand_ins import paint_street

KEYS = [
    "version",
    "data_type",
    "epoch_time",
    "img_width",
    "img_height",
    "processing_time_ms",
    "regions_of_interest",
    "results",
]


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    monkeypatch.chdir(tmp_path)
    return Bench()


@pytest.fixture
def streets(bench: Bench) -> None:  # noqa: ARG001 (it enters the folder)
    """streets/a.png with the first text, b.png with the second, c.png without a plate, and what is no picture."""
    save_street(Path("streets/a.png"), 0)
    save_street(Path("streets/b.png"), 1)
    save_street(Path("streets/c.png"), plates=())
    Path("streets/notes.txt").write_text("x")


@pytest.mark.usefixtures("streets")
def test_text(bench: Bench) -> None:
    result = bench.run("alpr", "streets/a.png")
    assert result.exit_code == 0
    head, first, *others = result.stdout.splitlines()
    found = re.fullmatch(r"plate0: (\d+) results", head)
    assert found
    assert int(found[1]) == 1 + len(others)
    assert re.fullmatch(rf"    - {TEXTS[0]}\t confidence: [0-9.]{{1,7}}", first)
    assert bench.options.top_n == 10
    assert bench.options.regions == ()


@pytest.mark.usefixtures("streets")
def test_clock_and_region(bench: Bench) -> None:
    head, state, first, *_ = bench.run("alpr", "--clock", "-d", "-n", "2", "streets/a.png").stdout.splitlines()
    assert re.fullmatch(r"plate0: [12] results -- Processing Time = [0-9.e-]+ms\.", head)
    assert re.fullmatch(r"State ID: cz \(\d+% confidence\)", state)
    assert re.fullmatch(rf"    - {TEXTS[0]}\t confidence: [0-9.]+\t pattern_match: [01]", first)
    assert bench.options.top_n == 2


@pytest.mark.usefixtures("streets")
def test_a_pattern_is_a_region(bench: Bench) -> None:
    result = bench.run("alpr", "-c", "eu", "-p", "cz", "streets/a.png")
    assert f"    - {TEXTS[0]}\t confidence: " in result.stdout
    assert "\t pattern_match: 1\n" in result.stdout
    assert "State ID" not in result.stdout
    assert bench.options.regions == ("cz",)
    assert not bench.options.strict
    bench.run("alpr", "-p", "mo", "streets/a.png")
    assert bench.options.regions == ("us-mo",)
    Path("openalpr.conf").write_text("[common]\nmust_match_pattern = 1\n")
    bench.run("alpr", "-p", "mo", "--config", "openalpr.conf", "streets/a.png")
    assert bench.options.strict


@pytest.mark.usefixtures("streets")
def test_json_is_compact_in_its_order_and_there_even_for_nothing(bench: Bench) -> None:
    result = bench.run("alpr", "-j", "streets/a.png", "streets/c.png")
    assert result.exit_code == 0
    with_plate, without = result.stdout.splitlines()
    assert with_plate.startswith('{"version":2,"data_type":"alpr_results","epoch_time":1772712000123,"img_width":320,')
    (plate,) = json.loads(with_plate)["results"]
    assert list(json.loads(with_plate)) == KEYS
    assert (plate["plate"], plate["region"], plate["region_confidence"], plate["matches_template"]) == (
        TEXTS[0],
        "",
        0,
        0,
    )
    assert json.loads(without)["results"] == []
    (plate,) = json.loads(bench.run("alpr", "-j", "-d", "streets/a.png").stdout)["results"]
    assert plate["region"] == "cz"


@pytest.mark.usefixtures("streets")
def test_a_folder_tells_each_name_before_its_plates(bench: Bench) -> None:
    lines = bench.run("alpr", "streets").stdout.splitlines()
    assert [line for line in lines if line.startswith("streets")] == ["streets/a.png", "streets/b.png", "streets/c.png"]
    assert lines[0] == "streets/a.png"
    assert lines[-1] == "streets/c.png"


@pytest.mark.usefixtures("streets")
def test_nothing_found_is_told_for_a_picture_that_was_named(bench: Bench) -> None:
    result = bench.run("alpr", "streets/c.png")
    assert (result.exit_code, result.stdout) == (0, "No license plates found.\n")
    assert bench.run("alpr", "stdin", stdin=b"streets/c.png\n").stdout == ""


@pytest.mark.usefixtures("streets")
def test_standard_input_holds_a_picture_or_names(bench: Bench) -> None:
    one = bench.run("alpr", "-", stdin=Path("streets/a.png").read_bytes())
    assert TEXTS[0] in one.stdout
    names = bench.run("alpr", "stdin", "-j", stdin=b"streets/a.png\n\ngone.png\nstreets/b.png\n")
    assert [json.loads(line)["results"][0]["plate"] for line in names.stdout.splitlines()] == list(TEXTS)
    assert names.stderr == "Image file not found: gone.png\n"


@pytest.mark.usefixtures("streets")
def test_a_missing_file_is_told_and_no_failure(bench: Bench) -> None:
    result = bench.run("alpr", "gone.jpg", "gone.mp4", "streets/b.png")
    assert result.exit_code == 0
    assert result.stderr == "Image file not found: gone.jpg\nVideo file not found: gone.mp4\n"
    assert TEXTS[1] in result.stdout


@pytest.mark.usefixtures("streets")
def test_an_unknown_kind_ends_all(bench: Bench) -> None:
    result = bench.run("alpr", "streets/a.png", "streets/notes.txt", "streets/b.png")
    assert (result.exit_code, result.stderr) == (1, "Unknown file type\n")
    assert TEXTS[0] in result.stdout
    assert TEXTS[1] not in result.stdout


def test_a_broken_picture_is_told(bench: Bench) -> None:
    Path("bad.jpg").write_bytes(make_picture()[:200])
    result = bench.run("alpr", "bad.jpg")
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr.startswith("bad.jpg: ")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "Missing argument"),
        (("-n", "x", "a.png"), "-n"),
        (("-n", "0", "a.png"), "-n"),
        (("--speed", "a.png"), "--speed"),
        (("-c", "xx", "a.png"), "there is no country 'xx'"),
        (("-c", "kr", "a.png"), "no network here reads Korean letters: there is none for kr"),
        (("-p", "zz", "a.png"), "there is no region 'zz' of us"),
        (("--config", "gone.conf", "a.png"), "gone.conf cannot be read"),
    ],
)
def test_wrong_arguments_end_with_one(bench: Bench, arguments: tuple[str, ...], words: str) -> None:
    result = bench.run("alpr", *arguments)
    assert result.exit_code == 1
    assert words in " ".join(result.stderr.replace("│", " ").split())


@pytest.mark.parametrize(
    "country", ["us", "eu", "au", "auwide", "br", "br2", "fr", "gb", "in", "mx", "sg", "vn2", "de"]
)
@pytest.mark.usefixtures("streets")
def test_countries_of_the_original_are_accepted(bench: Bench, country: str) -> None:
    assert bench.run("alpr", "-c", country, "streets/a.png").exit_code == 0


def test_version_and_help(bench: Bench) -> None:
    version = bench.run("alpr", "--version")
    assert version.exit_code == 0
    assert re.fullmatch(r"openplate alpr version: [0-9.]+\S*\n", version.stdout)
    assert bench.run("alpr", "-h").exit_code == 0


def save_video(path: Path, frames: int = 6, moves_at: int | None = None) -> Path:
    """A video of ten frames a second; the plate is the first text's, from ``moves_at`` on somewhere else."""
    av = pytest.importorskip("av")
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mjpeg", rate=10)
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuvj444p"
        stream.options = {"q": "2"}
        for number in range(frames):
            has_moved = moves_at is not None and number >= moves_at
            plate = PLATE.shift(30, -40) if has_moved else PLATE
            pixels = paint_street(320, 240, [CAR], [(plate, 0)])
            for packet in stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)
    return path


def test_a_video_counts_its_frames(bench: Bench) -> None:
    save_video(Path("gate.avi"))
    lines = bench.run("alpr", "gate.avi").stdout.splitlines()
    assert [line for line in lines if line.startswith("Frame")] == [f"Frame: {number}" for number in range(6)]
    as_json = bench.run("alpr", "-j", "gate.avi", "--seek", "250").stdout.splitlines()
    assert len(as_json) == 3
    assert all(list(json.loads(line)) == KEYS for line in as_json)


def test_frames_without_motion_are_not_searched(bench: Bench) -> None:
    save_video(Path("gate.avi"), frames=12)
    answers = [json.loads(line) for line in bench.run("alpr", "-j", "--motion", "gate.avi").stdout.splitlines()]
    assert len(answers) == 12
    assert all(answer["processing_time_ms"] == 0 for answer in answers[4:])
    assert (answers[-1]["img_width"], answers[-1]["img_height"]) == (320, 240)
