"""Counted ratios, tables and plain values; the gallery of wrong answers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from labelled import OTHER, PLATE

from factories import make_pixels
from openplate.datatypes import Box
from openplate.evaluation import ErrorGallery, Mistake, Table, draw_mistake
from openplate.evaluation.gallery import LIST_NAME, safe_name
from openplate.evaluation.report import Confusion, Rate, Share, confusions_of, count_skipped, plain
from openplate.imaging import Image

STREET = Image(make_pixels(640, 480))


def mistake(truth: str = "AB12", answer: str = "AB1Z", set_name: str = "streets", *boxes: Box) -> Mistake:
    return Mistake(3, Path("images/a.webp"), set_name, truth, answer, truth_boxes=boxes, answer_boxes=boxes[:1])


def test_wilson_intervals_by_table() -> None:
    # Wilson's 95 % limits for 8 of 10 and 0 of 20.
    assert Share(8, 10).interval == pytest.approx((0.4902, 0.9433), abs=1e-4)
    assert Share(0, 20).interval == pytest.approx((0.0, 0.1611), abs=1e-4)
    assert Share(0, 0).interval is None


@given(st.integers(0, 500), st.integers(1, 500))
def test_an_interval_holds_its_share(count: int, more: int) -> None:
    share = Share(count, count + more)
    assert share.interval is not None
    assert share.value is not None
    assert 0 <= share.interval[0] <= share.value <= share.interval[1] <= 1


def test_ratios_are_printed_as_people_write_them() -> None:
    assert [str(each) for each in (Share(2, 3), Share(0, 0), Rate(5, 4), Rate(0, 0))] == ["66.7 %", "-", "1.250", "-"]


def test_a_table_refuses_rows_of_another_length() -> None:
    with pytest.raises(ValueError, match="a row of 1 cells under 2 headings"):
        Table("Title", ("a", "b"), (("1",),))


def test_plain_values_are_what_json_takes() -> None:
    value = {"share": Share(1, 2), "rate": Rate(3, 2), "path": Path("a/b"), "box": (Box(0, 0, 1, 2), None)}
    result = plain(value)
    assert json.loads(json.dumps(result)) == result
    assert result == {
        "share": {"value": 0.5, "count": 1, "of": 2, "interval_95": pytest.approx([0.0945, 0.9055], abs=1e-4)},
        "rate": {"value": 1.5, "count": 3, "of": 2},
        "path": str(Path("a/b")),
        "box": [{"x1": 0, "y1": 0, "x2": 1, "y2": 2}, None],
    }
    with pytest.raises(TypeError, match="bytes has no place in a report"):
        plain(b"")


def test_confusions_come_most_frequent_first_and_reasons_are_counted() -> None:
    pairs = {("0", "O"): 1, ("8", "B"): 3, ("0", "D"): 1}
    assert confusions_of(pairs) == (Confusion("8", "B", 3), Confusion("0", "D", 1), Confusion("0", "O", 1))
    assert [str(each) for each in count_skipped("crops", ["", "odd", ""])] == ["skipped: 1 of 3 of crops, odd"]


def test_the_gallery_holds_numbered_pictures_sheets_and_a_list(tmp_path: Path) -> None:
    folder = tmp_path / "errors"
    with ErrorGallery(folder) as gallery:
        first = gallery.add(STREET, mistake("AB12", "AB1Z", "streets", PLATE, OTHER))
        gallery.add(Image(make_pixels(40, 12)), mistake("皖A1", "", "crops"))
    assert gallery.count == 2
    assert first.name == "0001_streets_AB12_AB1Z.jpg"
    names = {path.name for path in folder.iterdir()}
    assert names == {
        "0001_streets_AB12_AB1Z.jpg",
        "0002_crops_A1_nothing.jpg",
        "sheet_streets_1.png",
        "sheet_crops_1.png",
        LIST_NAME,
    }
    assert all(Image.from_path(folder / name).width > 0 for name in names - {LIST_NAME})
    entries = [json.loads(line) for line in (folder / LIST_NAME).read_text("utf-8").splitlines()]
    assert (entries[1]["truth"], entries[1]["answer"], entries[1]["image"]) == ("皖A1", "", str(Path("images/a.webp")))


def test_an_earlier_gallery_goes_and_other_files_stay(tmp_path: Path) -> None:
    with ErrorGallery(tmp_path) as gallery:
        gallery.add(STREET, mistake())
    (tmp_path / "holiday.jpg").write_bytes(b"mine")
    with (tmp_path / LIST_NAME).open("a", encoding="utf-8") as file:
        file.write('{"file": "holiday.jpg"}\n{"file": "../0001_up.jpg"}\nnot json\n[1]\n')
    with ErrorGallery(tmp_path) as gallery:
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["holiday.jpg"]


def test_sheets_are_started_anew_when_full(tmp_path: Path) -> None:
    tile = Image(make_pixels(16, 8))
    with ErrorGallery(tmp_path) as gallery:
        for _ in range(49):
            gallery.add(tile, mistake())
    assert sorted(path.name for path in tmp_path.glob("sheet_*")) == ["sheet_streets_1.png", "sheet_streets_2.png"]


@given(st.text(max_size=200))
def test_every_text_gives_a_safe_piece_of_a_file_name(text: str) -> None:
    name = safe_name(text)
    assert 1 <= len(name) <= 24
    assert name.isascii()
    assert name.replace("-", "").isalnum()


@pytest.mark.parametrize("size", [(1, 1), (3, 900), (900, 3), (144, 60), (640, 480)])
@pytest.mark.parametrize("boxes", [(), (Box(-5, -5, 3, 2),), tuple(PLATE.shift(20 * n, 0) for n in range(9))])
def test_any_mistake_can_be_drawn_on_any_picture(size: tuple[int, int], boxes: tuple[Box, ...]) -> None:
    drawn = draw_mistake(Image(make_pixels(*size)), mistake("x" * 300, "\x00ü皖", "streets", *boxes), 320)
    assert drawn.width == 320


def test_truth_and_answer_are_drawn_in_their_colours() -> None:
    grey = Image.from_array(STREET.pixels // 8 + 100)
    pixels = draw_mistake(grey, Mistake(0, Path("a"), "s", "A", "B", "", (PLATE,), (OTHER,)), 640).pixels.astype(int)
    green = (pixels[..., 1] > 100) & (pixels[..., 0] < 40) & (pixels[..., 2] < 40)
    red = (pixels[..., 0] > 180) & (pixels[..., 1] < 40) & (pixels[..., 2] < 40)
    assert green.sum() > 300
    assert red.sum() > 300
