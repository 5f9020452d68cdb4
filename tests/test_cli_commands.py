"""``openplate regions``, ``models``, ``settings`` and ``evaluate``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cli_helpers import CAR, PLATE, TEXTS, Bench, save_street
from openplate.models.catalog import names
from openplate.regions import all_regions


def test_regions() -> None:
    everything = Bench().run("regions")
    assert len(everything.stdout.splitlines()) == len(all_regions())
    assert "no template" in everything.stdout
    one = Bench().run("regions", "US")
    assert "United States" in one.stdout
    assert "us-ny" in one.stdout
    assert Bench().run("regions", "xq").exit_code == 2


def test_models() -> None:
    listed = Bench().run("models", "--json")
    assert [json.loads(line)["name"] for line in listed.stdout.splitlines()] == list(names())
    assert all(name in Bench().run("models").stdout for name in names())
    assert Bench().run("models", "nonsense").exit_code == 1


def test_settings_with_their_origin() -> None:
    assert "device = auto  (default)" in Bench().run("settings").stdout
    assert Bench().run("settings", "show").stdout == Bench().run("settings").stdout
    assert Bench().run("settings", "hide").exit_code == 2


def test_settings_show_no_secrets(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_text('[smtp]\npassword = "geheim"\n[storage]\nurl = "postgresql://a:geheim@db/x"\n')
    for form in ((), ("--json",)):
        shown = Bench().run("settings", "show", "--settings", file, *form)
        assert shown.exit_code == 0
        assert "******" in shown.stdout
        assert "geheim" not in shown.stdout


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Two scenes, the second with a text other than is painted."""
    entries = []
    for number, text in enumerate((TEXTS[0], "XX00000")):
        save_street(tmp_path / f"{number}.png", number)
        plate = {"box": PLATE.as_tuple(), "label": "human", "text": text, "text_label": "human"}
        car = {"box": CAR.as_tuple(), "type": "car", "label": "human"}
        entry = {"image": f"{number}.png", "width": 320, "height": 240, "set": f"s{number}", "split": "val"}
        entries.append({**entry, "plates": [plate], "vehicles": [car]})
        entries[-1] |= {"plates_exhaustive": True, "vehicles_exhaustive": True}
    (tmp_path / "scenes.jsonl").write_text("".join(json.dumps(e) + "\n" for e in entries))
    return tmp_path


def test_evaluate_plates(data: Path, tmp_path: Path) -> None:
    report, wrong = tmp_path / "report.json", tmp_path / "wrong"
    result = Bench().run("evaluate", "plates", data, "--split", "val", "--json", report, "--errors", wrong)
    assert result.exit_code == 0, result.output
    recall = json.loads(report.read_text())["scores"]["recall"]
    assert (recall["count"], recall["of"]) == (1, 2)
    assert "Plates by set" in result.stdout
    assert len(list(wrong.glob("*.jpg"))) == 1


def test_evaluate_detection_of_one_set(data: Path, tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    result = Bench().run("evaluate", "detection", data, "--set", "s1", "--json", report)
    assert result.exit_code == 0, result.output
    assert json.loads(report.read_text())["plates"]["found_human"]["of"] == 1


@pytest.mark.parametrize("task", ["detection", "reading", "region", "plates"])
def test_evaluate_says_what_is_wrong_with_data(tmp_path: Path, task: str) -> None:
    result = Bench().run("evaluate", task, tmp_path / "gone")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "no such file or folder" in result.stderr


def test_evaluate_crops_needs_crops(data: Path) -> None:
    result = Bench().run("evaluate", "reading", data)
    assert result.exit_code == 1
    assert "not of plate crops" in result.stderr
