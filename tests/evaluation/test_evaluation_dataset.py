"""Lists of labelled pictures: what is read, and what each wrong line is told."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from labelled import crop_line, scene_line, write_list

from openplate.datatypes import Box, Corners, Guess
from openplate.errors import DatasetError
from openplate.evaluation import PlateCrop, PlateLabel, VehicleLabel, find_list, read_plate_crops, read_scenes


def test_a_scene_is_read_with_all_its_labels(tmp_path: Path) -> None:
    write_list(tmp_path, scene_line())
    (scene,) = read_scenes(tmp_path)
    assert scene.path == tmp_path / "images" / "a.webp"
    assert (scene.width, scene.height, scene.set_name, scene.split) == (640, 480, "streets", "val")
    assert scene.plates == (
        PlateLabel(
            box=Box(10, 20, 70, 40),
            label="human",
            corners=Corners((10, 20), (70, 21), (69, 40), (11, 39)),
            corners_label="human",
            text="AB12",
            text_label="teacher",
            min_char=0.97,
            region="us-ny",
        ),
    )
    assert scene.vehicles == (VehicleLabel(Box(0, 0, 200, 150), "teacher", "car", 0.8),)
    assert scene.plates_exhaustive
    assert not scene.vehicles_exhaustive
    assert scene.ignore == (Box(300, 300, 310, 305),)
    assert scene.ignore_vehicles == ()


def test_a_crop_is_read_with_all_its_labels(tmp_path: Path) -> None:
    path = write_list(tmp_path, crop_line(suspect=True, teacher_text="59A12346", region_guess=["vn", 0.98]))
    (crop,) = read_plate_crops(path)
    assert crop == PlateCrop(
        path=tmp_path / "images" / "c.webp",
        width=100,
        height=40,
        set_name="vn_crops",
        split="train",
        box=Box(0, 0, 100, 40),
        text="59A12345",
        text_label="human",
        region="vn",
        lines=2,
        suspect=True,
        teacher_text="59A12346",
        region_guess=Guess("vn", 0.98),
    )


def test_the_areas_to_ignore_may_be_left_out_and_blank_lines_stand_between(tmp_path: Path) -> None:
    line = scene_line()
    del line["ignore"], line["ignore_vehicles"]
    write_list(tmp_path, line, "", scene_line(image="b.webp"))
    first, second = read_scenes(tmp_path)
    assert first.ignore == first.ignore_vehicles == ()
    assert second.path.name == "b.webp"


def test_split_and_sets_select_in_the_order_of_the_list(tmp_path: Path) -> None:
    lines = [
        crop_line(image=f"{number}.webp", split=split, set=name)
        for number, (split, name) in enumerate([("val", "b"), ("train", "a"), ("val", "a"), ("val", "c")])
    ]
    write_list(tmp_path, *lines)

    def names(**wanted: Any) -> list[str]:
        return [crop.path.stem for crop in read_plate_crops(tmp_path, **wanted)]

    assert names() == ["0", "1", "2", "3"]
    assert names(split="val") == ["0", "2", "3"]
    assert names(split="val", sets=["a", "b"]) == ["0", "2"]


def test_a_selection_of_nothing_says_what_there_is(tmp_path: Path) -> None:
    write_list(tmp_path, crop_line())
    with pytest.raises(DatasetError, match=r"no picture of split 'val'; it has the splits train"):
        list(read_plate_crops(tmp_path, "val"))
    with pytest.raises(DatasetError, match=r"no set nowhere; it has vn_crops"):
        list(read_plate_crops(tmp_path, sets=["nowhere"]))


def test_find_list_takes_the_list_or_the_folder_with_the_only_one(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="found none"):
        find_list(tmp_path)
    first = write_list(tmp_path, crop_line(), name="a.jsonl")
    assert find_list(tmp_path) == find_list(first) == first
    write_list(tmp_path, crop_line(), name="b.jsonl")
    with pytest.raises(DatasetError, match=r"found a\.jsonl, b\.jsonl"):
        find_list(tmp_path)
    with pytest.raises(DatasetError, match="no such file or folder"):
        find_list(tmp_path / "missing")


WRONG_SCENES: list[tuple[dict[str, Any], str]] = [
    ({"width": 0}, r"'width' must be a whole number above 0, not 0"),
    ({"height": True}, r"'height' must be a whole number"),
    ({"set": None}, r"'set' is missing"),
    ({"set": " "}, r"'set' must be a non-empty string"),
    ({"split": "test"}, r"'split' must be one of train, val, eval, not \"test\""),
    ({"image": "/etc/passwd"}, r"'image' must be a path below the folder of the list"),
    ({"image": "../a.webp"}, r"'image' must be a path below the folder of the list"),
    ({"plates": None}, r"'plates' must be a list"),
    ({"plates": [7]}, r"plates\[0\]: must be a JSON object, not 7"),
    ({"plates_exhaustive": 1}, r"'plates_exhaustive' must be true or false, not 1"),
    ({"ignore": [[0, 0, 5, 5], [9, 9, 9, 12]]}, r"ignore\[1\] must be \[x1, y1, x2, y2\] with x1 < x2"),
    ({"plate": []}, r"unknown field 'plate'; known are image, width"),
]
WRONG_PLATES: list[tuple[dict[str, Any], str]] = [
    ({"box": [10, 20, 700, 40]}, r"plates\[0\]: 'box' must be .* inside 640 x 480, not \[10, 20, 700, 40\]"),
    ({"box": [10, 20, 70]}, r"plates\[0\]: 'box' must be"),
    ({"box": [10, 20, 70, "40"]}, r"plates\[0\]: 'box' must be"),
    ({"box": [10, 20, 70, float("nan")]}, r"plates\[0\]: 'box' must be"),
    ({"box": [10, 20, 70, 10**400]}, r"plates\[0\]: 'box' must be"),
    ({"corners": [[1, 2], [3, 4], [5, 6]]}, r"'corners' must be four \[x, y\] pairs"),
    ({"corners": None}, r"'corners_label' is given without 'corners'"),
    ({"corners_label": None}, r"'corners_label' is missing"),
    ({"text": ""}, r"'text' must be a non-empty string"),
    ({"text_label": "machine"}, r"'text_label' must be one of human, teacher"),
    ({"label": None}, r"'label' is missing"),
    ({"score": 1.5}, r"'score' must be a number between 0 and 1, not 1.5"),
    ({"region": "New York"}, r"'region' must be a code such as"),
]


@pytest.mark.parametrize(("change", "message"), WRONG_SCENES)
def test_a_wrong_scene_is_named_with_file_line_and_field(change: dict[str, Any], message: str, tmp_path: Path) -> None:
    path = write_list(tmp_path, scene_line(), scene_line(image="b.webp") | change)
    with pytest.raises(DatasetError, match=message) as caught:
        list(read_scenes(tmp_path))
    assert str(caught.value).startswith(f"{path}:2: ")


@pytest.mark.parametrize(("change", "message"), WRONG_PLATES)
def test_a_wrong_plate_is_named_with_its_place_in_the_line(
    change: dict[str, Any], message: str, tmp_path: Path
) -> None:
    line = scene_line()
    line["plates"][0] |= change
    path = write_list(tmp_path, line)
    with pytest.raises(DatasetError, match=message) as caught:
        list(read_scenes(tmp_path))
    assert str(caught.value).startswith(f"{path}:1: plates[0]: ")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"lines": 3}, r"'lines' must be 1, 2 or null, not 3"),
        ({"lines": True}, r"'lines' must be 1, 2 or null"),
        ({"region_guess": ["vn", 2]}, r"'region_guess' must be \[code, probability\]"),
        ({"region_guess": "vn"}, r"'region_guess' must be \[code, probability\]"),
        ({"min_char": "0.9"}, r"'min_char' must be a number between 0 and 1"),
        ({"text_label": None}, r"'text_label' is missing"),
        ({"suspect": "yes"}, r"'suspect' must be true or false"),
    ],
)
def test_a_wrong_crop_is_named(change: dict[str, Any], message: str, tmp_path: Path) -> None:
    write_list(tmp_path, crop_line() | change)
    with pytest.raises(DatasetError, match=rf"list\.jsonl:1: {message}"):
        list(read_plate_crops(tmp_path))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the list is empty"),
        (b"{not json}\n", r"list\.jsonl:1: not a JSON object"),
        (b"[1, 2]\n", r"list\.jsonl:1: must be a JSON object, not \[1, 2\]"),
        (b'\n{"set": "\xff"}\n', r"list\.jsonl:2: not UTF-8 text"),
        (b"[" * 100_000, r"list\.jsonl:1: not a JSON object"),
    ],
)
def test_what_is_no_list_is_told(content: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / "list.jsonl").write_bytes(content)
    with pytest.raises(DatasetError, match=message):
        list(read_scenes(tmp_path))


def test_the_wrong_kind_of_list_and_a_picture_named_twice_are_told(tmp_path: Path) -> None:
    scenes, crops = tmp_path / "scenes", tmp_path / "crops"
    scenes.mkdir()
    crops.mkdir()
    write_list(scenes, scene_line(), scene_line())
    write_list(crops, crop_line())
    with pytest.raises(DatasetError, match=r":1: this is a list of scenes, not of plate crops"):
        list(read_plate_crops(scenes))
    with pytest.raises(DatasetError, match=r":1: this is a list of crops, not of scenes"):
        list(read_scenes(crops))
    with pytest.raises(DatasetError, match=r":2: 'image' is the same as on line 1"):
        list(read_scenes(scenes))


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(
    line=st.sampled_from([scene_line(), crop_line()]),
    field=st.sampled_from(sorted({*scene_line(), *crop_line()})),
    value=JSON_VALUES,
)
def test_whatever_stands_in_a_field_is_read_or_told(
    tmp_path_factory: pytest.TempPathFactory, line: dict[str, Any], field: str, value: object
) -> None:
    folder = tmp_path_factory.mktemp("list")
    (folder / "list.jsonl").write_text(json.dumps(line | {field: value}), "utf-8")
    for read in (read_scenes, read_plate_crops):
        with suppress(DatasetError):
            assert len(list(read(folder))) == 1
