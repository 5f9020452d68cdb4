"""``openplate evaluate tracking`` on a sequence of painted streets."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import pytest

from cli_helpers import TEXTS, Bench
from openplate.datatypes import Box
from stand_ins import paint_street


@pytest.fixture
def sequences(tmp_path: Path) -> Path:
    """A car that drives from left to right, in ten frames."""
    folder = tmp_path / "sequences" / "one"
    folder.mkdir(parents=True)
    lines = []
    for index in range(10):
        car, plate = (box.shift(30.0 * index, 0) for box in (Box(40, 60, 240, 220), Box(100, 150, 180, 174)))
        pixels = paint_street(640, 240, [car], [(plate, 0)])
        assert cv2.imwrite(str(folder / f"{index}.png"), cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR))
        vehicle = {"id": 1, "text": TEXTS[0], "box": car.as_tuple(), "plate_box": plate.as_tuple()}
        line = {"frame": f"{index}.png", "at_s": index / 5, "width": 640, "height": 240, "vehicles": [vehicle]}
        lines.append(json.dumps(line) + "\n")
    (folder / "truth.jsonl").write_text("".join(lines))
    return folder.parent


@pytest.mark.parametrize(("sample", "frames"), [(1, 10), (2, 5)])
def test_evaluate_tracking(sequences: Path, tmp_path: Path, sample: int, frames: int) -> None:
    report = tmp_path / "report.json"
    result = Bench().run("evaluate", "tracking", sequences, "--sample", str(sample), "--mode", "fast", "--json", report)
    assert result.exit_code == 0, result.output
    scores = json.loads(report.read_text())
    assert scores["frames"] == frames
    assert scores["reports"]["once"]["count"] == scores["reports"]["right"]["count"] == 1
    assert scores["plates"]["idf1"] > 0.85
    assert "exactly one report" in result.stdout
    assert "HOTA" in result.stdout


def test_it_says_what_is_wrong_before_it_begins(sequences: Path, tmp_path: Path) -> None:
    missing = Bench().run("evaluate", "tracking", tmp_path / "gone")
    assert missing.exit_code == 1
    assert "no sequence" in missing.stderr
    nowhere = Bench().run("evaluate", "tracking", sequences, "--json", tmp_path / "gone" / "x.json")
    assert nowhere.exit_code == 2
