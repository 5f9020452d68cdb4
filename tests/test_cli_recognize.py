"""``openplate recognize`` on painted streets: formats, options, failures, drawings."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from cli_helpers import TEXTS, Bench, save_street
from factories import make_picture
from openplate.formats import native
from openplate.imaging import Image


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    monkeypatch.chdir(tmp_path)
    return Bench()


@pytest.fixture
def streets(bench: Bench) -> None:  # noqa: ARG001 (it enters the folder)
    """streets/a.png with the first text, b.png with the second, c.png without a plate."""
    save_street(Path("streets/a.png"), 0)
    save_street(Path("streets/b.png"), 1)
    save_street(Path("streets/c.png"), plates=())


@pytest.mark.usefixtures("streets")
def test_text_for_people(bench: Bench) -> None:
    result = bench.run("recognize", "streets")
    assert result.exit_code == 0
    a, a_plate, b, b_plate, c = result.stdout.splitlines()
    assert a == "streets/a.png (320x240): 1 plate, 1 vehicle"
    assert TEXTS[0] in a_plate
    assert "car 90 %" in a_plate
    assert b.startswith("streets/b.png")
    assert TEXTS[1] in b_plate
    assert c == "streets/c.png (320x240): no plates found, 1 vehicle"
    assert result.stderr == ""


@pytest.mark.usefixtures("streets")
def test_json_is_one_object_per_picture_that_reads_back(bench: Bench) -> None:
    result = bench.run("recognize", "streets", "--format", "json")
    objects = [json.loads(line) for line in result.stdout.splitlines()]
    assert [o["source"] for o in objects] == ["streets/a.png", "streets/b.png", "streets/c.png"]
    recognitions = [native.from_dict(o) for o in objects]
    assert [len(r.plates) for r in recognitions] == [1, 1, 0]
    reading = recognitions[1].plates[0].reading
    assert reading is not None
    assert (reading.text, recognitions[1].plates[0].vehicle_index) == (TEXTS[1], 0)


@pytest.mark.usefixtures("streets")
def test_other_programs_formats(bench: Bench) -> None:
    snapshot = json.loads(bench.run("recognize", "streets/a.png", "--format", "platerecognizer").stdout)
    assert snapshot["results"][0]["plate"] == TEXTS[0].lower()
    assert snapshot["filename"] == "streets/a.png"
    assert snapshot["timestamp"] == "2026-03-05T12:00:00.123456Z"
    alpr = json.loads(bench.run("recognize", "streets/a.png", "--format", "openalpr", "--top", "3").stdout)
    assert list(alpr)[:3] == ["version", "data_type", "epoch_time"]
    assert alpr["results"][0]["plate"] == TEXTS[0]
    assert alpr["results"][0]["requested_topn"] == 3
    table = bench.run("recognize", "streets", "--format", "csv").stdout_bytes.decode()
    assert table.count("\r\n") == 3
    assert "\r\r\n" not in table
    assert [row["text"] for row in csv.DictReader(io.StringIO(table, newline=""))] == list(TEXTS)


@pytest.mark.parametrize("form", ["text", "json", "platerecognizer", "openalpr", "csv"])
@pytest.mark.usefixtures("streets")
def test_failures_are_named_and_the_others_still_done(bench: Bench, form: str) -> None:
    Path("streets/bad.jpg").write_bytes(make_picture()[:200])
    result = bench.run(
        "recognize", "streets/a.png", "streets/bad.jpg", "gone.jpg", "x*y", "streets/b.png", "--format", form
    )
    assert result.exit_code == 1
    for name in ("streets/bad.jpg", "gone.jpg", "x*y"):
        assert result.stderr.count(f"openplate: {name}: ") == 1, "named once, with the reason"
        assert name in result.stdout
    assert result.stdout.casefold().count(TEXTS[1].casefold()) >= 1
    assert "Traceback" not in result.output


@pytest.mark.parametrize("form", ["json", "platerecognizer", "openalpr"])
def test_a_failure_is_never_an_empty_result(bench: Bench, form: str) -> None:
    (line,) = bench.run("recognize", "gone.jpg", "--format", form).stdout.splitlines()
    answer = json.loads(line)
    assert "results" not in answer
    assert "plates" not in answer
    assert "there is no such file" in (answer.get("error") or answer["detail"])


def test_the_error_object_of_the_native_format(bench: Bench) -> None:
    answer = json.loads(bench.run("recognize", "gone.jpg", "--format", "json").stdout)
    assert answer == {"source": "gone.jpg", "error": "there is no such file"}


@pytest.mark.usefixtures("streets")
def test_standard_input(bench: Bench) -> None:
    result = bench.run("recognize", "-", "--format", "json", stdin=Path("streets/a.png").read_bytes())
    answer = json.loads(result.stdout)
    assert answer["source"] == "-"
    assert answer["plates"][0]["text"] == TEXTS[0]
    empty = bench.run("recognize", "-", "--format", "json")
    assert empty.exit_code == 1
    assert json.loads(empty.stdout)["source"] == "-"


@pytest.mark.usefixtures("streets")
def test_limits_are_settings(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENPLATE_LIMITS_MAX_PIXELS", "100")
    result = bench.run("recognize", "streets/a.png")
    assert result.exit_code == 1
    assert "more than the limit of 100" in result.stderr


@pytest.mark.usefixtures("streets")
def test_options_reach_the_recognizer(bench: Bench) -> None:
    bench.run(
        *("recognize", "streets", "--region", "cz", "--region", "PL", "--strict", "--mode", "redaction"),
        *("--threshold-detection", "0.1", "--threshold-reading", "0.5", "--top", "2", "--device", "cpu"),
        *("--workers", "2"),
    )
    options, settings, workers = bench.asked[-1]
    assert (options.regions, options.strict, options.mode) == (("cz", "PL"), True, "redaction")
    assert (options.threshold_detection, options.threshold_reading, options.top_n) == (0.1, 0.5, 2)
    assert (settings.device, settings.workers, workers) == ("cpu", 2, 2)


@pytest.mark.usefixtures("streets")
def test_attributes_where_they_are_asked_for(bench: Bench) -> None:
    a, plate, told = bench.run("recognize", "streets/a.png", "--attributes").stdout.splitlines()
    assert (a, TEXTS[0] in plate) == ("streets/a.png (320x240): 1 plate, 1 vehicle", True)
    assert told.startswith("  car at 40,60 240,220: grey SEAT Leon, suv, 1995-1999, left")
    assert bench.options.attributes
    snapshot = json.loads(bench.run("recognize", "streets/a.png", "--attributes", "--format", "platerecognizer").stdout)
    assert snapshot["results"][0]["model_make"][0]["make"] == "SEAT"
    rows = bench.run("recognize", "streets", "gone.jpg", "--attributes", "--format", "csv").stdout_bytes.decode()
    first, _, gone = csv.DictReader(io.StringIO(rows, newline=""))
    assert (first["vehicle_make_model"], first["vehicle_color"]) == ("SEAT Leon", "grey")
    assert (gone["vehicle_make_model"], gone["error"]) == ("", "there is no such file")
    plain = bench.run("recognize", "streets/a.png", "--format", "csv").stdout
    assert "vehicle_color" not in plain
    bench.run("recognize", "streets/a.png", "--attributes", "--annotate", "drawn")
    bench.run("recognize", "streets/a.png", "--annotate", "plain")
    assert Path("drawn/a.png").read_bytes() != Path("plain/a.png").read_bytes()


@pytest.mark.usefixtures("streets")
def test_strict_drops_what_is_no_plate_of_the_region(bench: Bench) -> None:
    result = bench.run("recognize", "streets", "--region", "cz", "--strict", "--format", "json")
    texts = [[p["text"] for p in json.loads(line)["plates"]] for line in result.stdout.splitlines()]
    assert texts == [[TEXTS[0]], [], []]


@pytest.mark.usefixtures("streets")
def test_more_workers_than_pictures_are_not_started(bench: Bench) -> None:
    bench.run("recognize", "streets/a.png", "--workers", "16")
    assert bench.asked[-1][2] == 1


def test_the_same_with_many_workers(bench: Bench) -> None:
    for number in range(40):
        save_street(Path(f"many/{number:02}.png"), number % 2)
    one, many = (bench.run("recognize", "many", "--format", "csv", "--workers", w).stdout for w in ("1", "4"))
    assert one == many
    assert one.count("\n") == 41


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "PATH"),
        (["a.jpg", "--format", "xml"], "xml"),
        (["a.jpg", "--region", "xq"], "did you mean"),
        (["a.jpg", "--region", "cz", "--threshold-reading", "1.5"], "--threshold-reading"),
        (["a.jpg", "--threshold-detection", "-0.1"], "--threshold-detection"),
        (["a.jpg", "--threshold-detection", "nan"], ""),
        (["a.jpg", "--top", "0"], "--top"),
        (["a.jpg", "--workers", "0"], "--workers"),
        (["a.jpg", "--mode", "slow"], "slow"),
        (["a.jpg", "--device", "tpu"], "tpu"),
        (["a.jpg", "--strict"], "--region"),
        (["-", "-"], "only once"),
        (["a.jpg", "--annotate", "file"], "not a folder"),
        (["folder", "--annotate", "folder"], "another folder"),
        (["a.jpg", "--settings", "file"], "TOML"),
        (["a.jpg", "--nonsense"], "--nonsense"),
    ],
)
def test_wrong_usage(bench: Bench, arguments: list[str], message: str) -> None:
    Path("file").write_text("neither picture nor settings")
    Path("folder").mkdir()
    result = bench.run("recognize", *arguments)
    assert result.exit_code == 2
    assert message in result.stderr
    assert result.stdout == ""
    assert not bench.asked, "nothing is loaded for a wrong command"


@pytest.mark.usefixtures("streets")
def test_drawings_mirror_the_inputs_and_overwrite_nothing(bench: Bench) -> None:
    save_street(Path("streets/deep/a.png"))
    save_street(Path("streets/d.bmp"))
    save_street(Path("streets/e.jpg"))
    for _ in range(2):
        result = bench.run("recognize", "streets", "streets/a.png", "--annotate", "streets/drawn")
        assert result.exit_code == 0, result.output
    drawn = sorted(str(p.relative_to("streets/drawn")) for p in Path("streets/drawn").rglob("*.*"))
    once = ["a", "a-2", "b", "c", "deep/a"]
    twice = ["a-3", "a-4", "b-2", "c-2", "deep/a-2"]
    others = ["d.bmp.jpg", "d.bmp-2.jpg", "e.jpg", "e-2.jpg"]
    assert drawn == sorted([*(f"{name}.png" for name in (*once, *twice)), *others])
    before, after = (Image.from_path(p) for p in ("streets/a.png", "streets/drawn/a.png"))
    assert (before.pixels != after.pixels).any()
    assert (before.width, before.height) == (after.width, after.height)


@pytest.mark.usefixtures("streets")
def test_drawings_from_standard_input(bench: Bench) -> None:
    bench.run("recognize", "-", "--annotate", "drawn", stdin=Path("streets/a.png").read_bytes())
    assert [p.name for p in Path("drawn").iterdir()] == ["stdin.jpg"]


def test_hostile_names_reach_no_terminal_as_they_are(bench: Bench) -> None:
    name = "a\x1b[31m\nb.jpg"
    result = bench.run("recognize", name)
    assert "\x1b" not in result.output
    assert "a\\x1b[31m\\nb.jpg: " in result.stderr
    assert json.loads(bench.run("recognize", name, "--format", "json").stdout)["source"] == name


def test_names_that_are_no_unicode(bench: Bench) -> None:
    save_street(Path("street.png")).rename("stra\udcdfe.png")
    assert "stra\\udcdfe.png (320x240)" in bench.run("recognize", ".").stdout
    answer = json.loads(bench.run("recognize", ".", "--format", "json").stdout)
    assert answer["source"] == "./stra\udcdfe.png"
