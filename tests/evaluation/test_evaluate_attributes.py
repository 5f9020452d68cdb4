"""Attributes measured on vehicles whose numbers are worked out by hand; lists, plots, the command."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import pytest
from labelled import scene_line
from scripts.record_results import numbers

from cli_helpers import CAR, Bench, save_street
from openplate.datatypes import UNKNOWN, Box, Guess, MakeModel, VehicleAttributes
from openplate.errors import DatasetError
from openplate.evaluation import (
    VehicleCrop,
    attribute_mistakes,
    evaluate_attributes,
    read_vehicle_crops,
    write_plots,
)
from openplate.evaluation.attribute_truth import QUESTIONS, Truth, guesses_of, model_name, truth_of
from openplate.evaluation.attributes import AnswerScores, AttributesReport
from openplate.evaluation.plots import MOST_LABELS, draw_confusion
from openplate.evaluation.report import Confusion, Share


def make_crop(set_name: str = "lot", **labels: Any) -> VehicleCrop:
    return VehicleCrop(Path("crop.webp"), 100, 80, set_name, "val", **labels)


def guesses(*pairs: tuple[str, float]) -> tuple[Guess, ...]:
    return tuple(Guess(value, confidence) for value, confidence in pairs)


def scores_of(report: AttributesReport, question: str) -> AnswerScores:
    return next(each.scores for each in report.questions if each.name == question)


def test_four_colors_by_hand() -> None:
    crops = [
        make_crop(color="red"),
        make_crop(color="red"),
        make_crop("color_vehicles", color="silver"),
        make_crop(color="silver"),
        make_crop(type="suv"),
    ]
    answers = [
        VehicleAttributes(colors=guesses(("red", 0.9), ("blue", 0.1))),
        VehicleAttributes(colors=guesses((UNKNOWN, 0.5), ("blue", 0.5), ("green", 0.3), ("red", 0.2))),
        VehicleAttributes(colors=guesses(("grey", 0.8))),
        VehicleAttributes(colors=guesses(("grey", 0.7), ("silver", 0.3))),
        VehicleAttributes(),
    ]
    report = evaluate_attributes(crops, answers)
    scores = scores_of(report, "color")
    assert (scores.top_1, scores.top_3) == (Share(2, 4), Share(4, 4))
    assert (scores.balanced, scores.labels) == (pytest.approx((1 / 2 + 1 / 2) / 2), 2)
    assert (scores.told, scores.right_where_told) == (Share(3, 4), Share(2, 3))
    # Each in a bin of its own: 0.9 and 0.8 right, 0.5 and 0.7 wrong.
    assert scores.ece == pytest.approx((0.1 + 0.5 + 0.2 + 0.7) / 4)
    assert scores_of(report, "type").top_1 == Share(0, 1)
    (color,) = (each for each in report.questions if each.name == "color")
    assert color.counts.wrong == (Confusion("red", "blue", 1), Confusion("silver", "grey", 1))
    assert [(part.name, part.scores.top_1) for part in color.sets] == [
        ("color_vehicles", Share(1, 1)),
        ("lot", Share(1, 3)),
    ]
    assert ("color", "50.0 %", "2/4", "100.0 %", "50.0 %", "2", "75.0 %", "66.7 %", "0.375") in report.rows()


@pytest.mark.parametrize(
    ("labels", "set_name", "question", "right"),
    [
        ({"type": "suv"}, "lot", "type", {"suv"}),
        ({"type": "car"}, "lot", "type", {"sedan", "suv"}),
        ({"type": "car"}, "type_lowres_zenodo", "type", {"sedan", "suv"}),
        ({"type": "car"}, "vn_fixed_cam_rear", "type", {"sedan", "suv", "van", "pickup truck"}),
        ({"type": "car", "box": CAR}, "lot", "type", {"sedan", "suv", "van", "pickup truck"}),
        ({"type": "truck", "box": CAR}, "lot", "type", {"big truck", "pickup truck", "van"}),
        ({"type": "bus", "box": CAR}, "lot", "type", {"bus"}),
        ({"year": 2012}, "lot", "year", {"2010-2014"}),
        ({"year": 2010}, "lot", "year", {"2010-2014"}),
        ({"year": 1999}, "lot", "year", {"1995-1999"}),
        ({"color": "silver"}, "lot", "color", {"silver"}),
        ({"color": "silver"}, "color_vehicles", "color", {"silver", "grey"}),
        ({"orientation": "side"}, "lot", "orientation", {"side"}),
        ({"orientation": "rear"}, "lot", "front_or_rear", {"rear"}),
        ({"view": "rear_left"}, "lot", "view", {"rear_left"}),
        ({"make": "SEAT", "model": "Leon"}, "lot", "make", {"SEAT"}),
        ({"make": "SEAT", "model": "Leon"}, "lot", "make_model", {"SEAT Leon"}),
        ({"body_type": "coupe"}, "lot", "body_type", {"coupe"}),
    ],
)
def test_table_of_right_answers(labels: dict[str, Any], set_name: str, question: str, right: set[str]) -> None:
    truth = truth_of(make_crop(set_name, **labels), question, {"SEAT Leon"})
    assert truth is not None
    assert truth.right == right


def test_what_is_not_labelled_is_not_asked() -> None:
    for question in QUESTIONS:
        assert truth_of(make_crop(), question, ()) is None
    assert truth_of(make_crop(orientation="side"), "front_or_rear", ()) is None
    assert truth_of(make_crop(make="SEAT"), "make_model", ()) is None
    with pytest.raises(ValueError, match="no question 'mood'"):
        truth_of(make_crop(), "mood", ())
    with pytest.raises(ValueError, match="no question 'mood'"):
        guesses_of(VehicleAttributes(), "mood")


def test_a_model_without_a_name_counts_as_wrong_but_is_no_lie() -> None:
    crops = [make_crop(make="SEAT", model="Leon"), make_crop(make="SEAT", model="Ibiza")]
    other = VehicleAttributes(make_models=(MakeModel("SEAT", None, 0.9),), makes=guesses(("SEAT", 0.9)))
    assert truth_of(crops[1], "make_model", {"SEAT Leon"}) == Truth(
        "SEAT Ibiza", frozenset({"SEAT Ibiza"}), frozenset({model_name("SEAT", None)})
    )
    report = evaluate_attributes(crops, [other, other], {"SEAT Leon"})
    scores = scores_of(report, "make_model")
    assert (scores.top_1, scores.unnamed) == (Share(0, 2), 1)
    assert scores.ece == pytest.approx(abs(0.9 - 0.5))
    assert scores_of(report, "make").top_1 == Share(2, 2)
    (mistake,) = attribute_mistakes(crops, [other, other], {"SEAT Leon"})
    assert (mistake.index, mistake.truth, mistake.answer) == (0, "SEAT Leon", "SEAT (other)")
    assert mistake.set_name == "make_model lot"


def test_mistakes_show_the_box_and_how_sure_the_answer_was() -> None:
    crop = make_crop(type="suv", box=Box(1, 2, 30, 40))
    unsure = VehicleAttributes(types=guesses((UNKNOWN, 0.6), ("van", 0.4), ("suv", 0.3)))
    (mistake,) = attribute_mistakes([crop], [unsure])
    assert (mistake.detail, mistake.truth_boxes) == ("not sure: van 0.40, suv 0.30", (Box(1, 2, 30, 40),))
    (nothing,) = attribute_mistakes([crop], [VehicleAttributes()])
    assert nothing.answer == ""


def test_rows_for_the_results() -> None:
    report = evaluate_attributes([make_crop(color="red")], [VehicleAttributes(colors=guesses(("red", 1.0)))])
    found = {(number.metric, number.group): (number.value, number.counted) for number in numbers(report.to_dict())}
    assert found["top_1", "questions/color"] == (1.0, 1)
    assert found["balanced", "questions/color/sets/lot"] == (1.0, None)
    assert all("pairs" not in metric + group for metric, group in found)


# --- lists ---------------------------------------------------------------------------------------------------


def crop_line(**changes: Any) -> dict[str, Any]:
    line = {"image": "a.png", "width": 100, "height": 80, "set": "lot", "split": "val", "type": "suv"}
    unknown = dict.fromkeys(("body_type", "make", "model", "year", "color", "orientation"))
    return {**line, **unknown, **changes}


def write_list(folder: Path, *lines: dict[str, Any]) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "list.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return folder


def test_a_list_of_crops(tmp_path: Path) -> None:
    labels = {"make": "SEAT", "model": "Leon", "model_full": "Leon 5F", "year": 2012, "view": "left"}
    folder = write_list(tmp_path, crop_line(**labels), crop_line(image="b.png", split="train", type=None))
    (crop,) = read_vehicle_crops(folder, "val")
    assert crop == VehicleCrop(
        *(tmp_path / "a.png", 100, 80, "lot", "val"),
        type="suv",
        make="SEAT",
        model="Leon",
        year=2012,
        view="left",
    )
    assert len(list(read_vehicle_crops(folder))) == 2


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"type": "tank"}, "'type' must be one of"),
        ({"view": "above"}, "'view' must be one of"),
        ({"orientation": 3}, "'orientation' must be one of"),
        ({"year": "2012"}, "'year' must be a whole number"),
        ({"year": True}, "'year' must be a whole number"),
        ({"color": ""}, "'color' must be a non-empty string"),
        ({"model": "Leon"}, "'model' is given without 'make'"),
        ({"colour": "red"}, "unknown field 'colour'"),
        ({"image": "../a.png"}, "'image' must be a path below"),
        ({"width": None}, "'width' is missing"),
    ],
)
def test_wrong_lines_are_named(tmp_path: Path, changes: dict[str, Any], expected: str) -> None:
    with pytest.raises(DatasetError, match=rf"list.jsonl:1: {expected}"):
        list(read_vehicle_crops(write_list(tmp_path, crop_line(**changes))))


def test_scenes_give_their_sure_large_vehicles(tmp_path: Path) -> None:
    sure = {"box": [0, 0, 200, 150], "type": "truck", "label": "human"}
    others = [
        {**sure, "box": [0, 0, 20, 150]},
        {**sure, "type": None},
        {**sure, "label": "teacher", "score": 0.4},
        {**sure, "label": "teacher", "score": 0.8, "type": "bus"},
    ]
    folder = write_list(tmp_path, scene_line(vehicles=[sure, *others]))
    assert [(crop.type, crop.box) for crop in read_vehicle_crops(folder)] == [
        ("truck", Box(0, 0, 200, 150)),
        ("bus", Box(0, 0, 200, 150)),
    ]
    with pytest.raises(DatasetError, match="no vehicle of at least 32 pixels has a type"):
        list(read_vehicle_crops(write_list(tmp_path, scene_line(vehicles=others[:3]))))


def test_an_empty_list_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="empty"):
        list(read_vehicle_crops(write_list(tmp_path)))


# --- pictures of the numbers ----------------------------------------------------------------------------------


def test_plots_of_everything_and_of_each_large_set(tmp_path: Path) -> None:
    crops = [make_crop("many", color="red", type="suv") for _ in range(12)] + [make_crop("few", color="red")]
    answers = [VehicleAttributes(colors=guesses(("red", 0.05 * n)), types=guesses(("bus", 0.5))) for n in range(13)]
    assert write_plots(tmp_path / "plots", evaluate_attributes(crops, answers)) == 6
    assert {path.name for path in (tmp_path / "plots").iterdir()} == {
        f"{kind}_{name}.png" for kind in ("confusion", "calibration") for name in ("color", "color-many", "type")
    }
    for path in (tmp_path / "plots").iterdir():
        assert cv2.imread(str(path)) is not None


def test_right_answers_are_green_and_wrong_ones_red() -> None:
    pairs = [Confusion("car", "suv", 3), Confusion("car", "bus", 1)]
    pixels = draw_confusion("type", pairs, pairs[1:]).pixels.astype(int)
    is_red = (pixels[..., 0] - pixels[..., 1] > 60) & (pixels[..., 0] - pixels[..., 2] > 60)
    is_green = (pixels[..., 1] - pixels[..., 0] > 60) & (pixels[..., 1] - pixels[..., 2] > 60)
    assert is_red.sum() > 500
    assert is_green.sum() > 500


@pytest.mark.parametrize("count", [1, MOST_LABELS, MOST_LABELS + 30])
def test_any_number_of_odd_words_is_drawn(count: int) -> None:
    pairs = [Confusion(f"{number} Škoda 日本 " + "x" * number, "", number + 1) for number in range(count)]
    image = draw_confusion("make model", pairs, pairs)
    assert image.width <= 40 * 34 + 400


# --- the command ----------------------------------------------------------------------------------------------


def test_the_command_measures_crops_and_scenes(tmp_path: Path) -> None:
    save_street(tmp_path / "crops" / "a.png")
    line = crop_line(width=320, height=240, type="sedan", color="grey", make="SEAT", model="Leon", view="left")
    crops = write_list(tmp_path / "crops", line)
    out = tmp_path / "out"
    out.mkdir()
    result = Bench().run(
        *("evaluate", "attributes", crops, "--json", out / "r.json", "--errors", out / "errors"),
        *("--plots", out / "plots"),
    )
    assert result.exit_code == 0, result.output
    report = json.loads((out / "r.json").read_text())
    top_1 = {question["name"]: question["scores"]["top_1"]["value"] for question in report["questions"]}
    assert top_1 == {"type": 0.0, "make": 1.0, "make_model": 1.0, "color": 1.0, "view": 1.0}
    assert "1 pictures with mistakes" in result.stdout
    assert len(list((out / "plots").glob("*.png"))) == 10
    save_street(tmp_path / "scenes" / "a.png")
    vehicle = {"box": list(CAR.as_tuple()), "type": "car", "label": "human"}
    scenes = write_list(
        tmp_path / "scenes", scene_line(image="a.png", width=320, height=240, plates=[], ignore=[], vehicles=[vehicle])
    )
    shown = Bench().run("evaluate", "attributes", scenes)
    assert shown.exit_code == 0, shown.output
    assert "type      100.0 %  1/1" in shown.stdout


def test_the_command_is_told_early_where_plots_cannot_go(tmp_path: Path) -> None:
    (tmp_path / "taken").touch()
    result = Bench().run("evaluate", "attributes", tmp_path, "--plots", tmp_path / "taken")
    assert result.exit_code == 2
    assert "is not a folder" in result.output
