"""Rendered plates: always the same for a seed, always what their labels say."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import chain
from pathlib import Path

import cv2
import numpy as np
import pytest

from openplate import regions
from openplate.text import ALPHABET
from openplate_training import fonts, plate_painter
from openplate_training.fonts import PACKAGES, find_families, glyph
from openplate_training.layouts import BAND_WORDS, LAYOUTS, SMALL_WORDS
from openplate_training.letterforms import DrawnFont
from openplate_training.lettering import faded, line_mask
from openplate_training.plate_painter import PLATE_WIDTH, Frame, PlatePainter, rounded
from openplate_training.plate_texts import fill_form, pick_part, pick_text, read_text
from openplate_training.reader_data import LONGEST
from openplate_training.synthesize import photograph, write_plates


@pytest.fixture(scope="module")
def families() -> list[list[Path]]:
    try:
        return find_families([])
    except FileNotFoundError as error:
        pytest.skip(str(error))


def test_every_layout_names_a_region_of_the_table_and_forms_that_can_be_read() -> None:
    random = np.random.default_rng(1)
    for layout in LAYOUTS:
        assert layout.region is None or regions.get(layout.region).code == layout.region
        assert layout.weight > 0
        assert layout.aspects[0] < layout.aspects[1]
        for form in layout.forms:
            text = read_text(fill_form(form, random))
            assert 2 <= len(text) <= LONGEST
            assert set(text) <= set(ALPHABET)


@pytest.mark.parametrize(
    ("printed", "read"),
    [("ABC-1234", "ABC1234"), ("59-X1|123.45", "59X112345"), ("B 1234 XYZ", "B1234XYZ"), ("ABC·12:3", "ABC123")],
)
def test_separators_and_line_breaks_are_not_read(printed: str, read: str) -> None:
    assert read_text(printed) == read


def test_a_form_is_filled_with_letters_and_digits_where_it_says() -> None:
    text = fill_form("LLDD-TD", np.random.default_rng(3))
    assert text[:2].isalpha()
    assert text[2:4].isdigit()
    assert text[4:6] == "-T"
    assert text[6].isdigit()


def test_texts_begin_with_the_letters_that_were_issued() -> None:
    random = np.random.default_rng(4)
    firsts = {fill_form("LL-DDD", random, "AB")[0] for _ in range(40)}
    assert firsts == {"A", "B"}
    assert fill_form("7L", random, "A")[0] == "7"
    layout = next(layout for layout in LAYOUTS if layout.region == "br")
    begun = "".join(pick_text(layout, random)[0] for _ in range(1500))
    assert 0.5 < sum(c in "STUVWXYZ" for c in begun) / sum(c in "ABCDEFGH" for c in begun) * 3 < 1.6


def test_characters_that_are_easily_mistaken_come_more_often() -> None:
    random = np.random.default_rng(8)
    text = "".join(fill_form("LLLLDDDD", random) for _ in range(800))
    assert text.count("O") + text.count("Q") > 1.4 * (text.count("X") + text.count("Y"))
    assert text.count("8") + text.count("6") > 1.4 * (text.count("2") + text.count("4"))


def test_a_white_rim_goes_round_dark_plates_that_have_one(
    families: list[list[Path]], monkeypatch: pytest.MonkeyPatch
) -> None:
    layout = next(layout for layout in LAYOUTS if layout.rim)
    edges = {}
    for share in (0.0, 1.0):
        monkeypatch.setattr(plate_painter, "LAYOUTS", (replace(layout, rim=share),))
        painter, random = PlatePainter(families), np.random.default_rng(3)
        edges[share] = float(np.mean([painter.draw(random).pixels[:, :4].mean() for _ in range(15)]))
    assert edges[0.0] < 110
    assert edges[1.0] > 150


@pytest.mark.parametrize("style", ["mandatory", "din"])
def test_some_dies_have_brazil_s_q_with_an_upright_tick(style: str) -> None:
    feet = []
    for variant in range(12):
        mask = glyph(DrawnFont(style, variant), "Q").mask
        foot = np.flatnonzero(mask[-2] > 100)
        feet.append(foot.max() / mask.shape[1])
    assert min(feet) < 0.87
    assert max(feet) > 0.95


def test_most_dies_of_brazil_draw_i_as_they_draw_1() -> None:
    flags = []
    for variant in range(12):
        bar, one = (glyph(DrawnFont("mandatory", variant), character).mask for character in "I1")
        assert bar.shape[1] <= one.shape[1] * 1.1
        foot = np.flatnonzero(bar[-3] > 100)
        flags.append(foot.min() > 0.3 * bar.shape[1])
    assert 4 <= sum(flags) < 12


def test_a_state_is_printed_on_plates_that_tell_it(families: list[list[Path]]) -> None:
    random, painter = np.random.default_rng(5), PlatePainter(families)
    drawn = {painter.draw(random).region for _ in range(150)}
    codes = {region.code for region in regions.subdivisions("us")}
    assert len(drawn & codes) > 5
    assert all(code is None or regions.get(code).code == code for code in drawn)


def test_plates_of_named_countries_only(families: list[list[Path]]) -> None:
    random, painter = np.random.default_rng(5), PlatePainter(families, ["br", "ar"])
    assert {painter.draw(random).region for _ in range(40)} == {"br", "ar"}


def test_indian_texts_begin_with_the_code_of_a_state() -> None:
    random = np.random.default_rng(6)
    layout = next(layout for layout in LAYOUTS if layout.region == "in")
    states = {region.code.split("-")[1].upper() for region in regions.subdivisions("in")}
    texts = [pick_text(layout, random, pick_part(layout, random)) for _ in range(200)]
    begun = [text for text in texts if text[:2] in states]
    assert len(begun) > 120


def test_fonts_that_are_missing_are_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(fonts, "DEBIAN_FOLDERS", (tmp_path,))
    with pytest.raises(FileNotFoundError, match="apt-get install fonts-roadgeek"):
        find_families([tmp_path])


def test_every_font_package_states_its_licence() -> None:
    assert all(package.licence and package.patterns for package in PACKAGES)
    assert len({package.package for package in PACKAGES}) == len(PACKAGES)


def test_a_line_is_cut_to_its_ink(families: list[list[Path]]) -> None:
    mask = line_mask(families[0][0], "AB-12", 0.1, np.random.default_rng(1))
    assert mask[0].max() > 40
    assert mask[-1].max() > 40
    assert mask[:, 0].max() > 40
    assert mask[:, -1].max() > 40
    wider = line_mask(families[0][0], "AB-12", 0.4, np.random.default_rng(1))
    assert wider.shape[1] > mask.shape[1]


def test_narrow_characters_have_as_much_room_as_others_in_an_even_line(families: list[list[Path]]) -> None:
    random = np.random.default_rng(1)
    widths = [
        line_mask(DrawnFont("mandatory"), text, 0.2, random, is_even=True).shape[1] for text in ("HH", "H1", "11")
    ]
    assert widths[0] == widths[1] == widths[2]
    assert line_mask(families[0][0], "11", 0.2, random).shape[1] < 0.8 * widths[0]
    middle = line_mask(DrawnFont("mandatory"), "1", 0.2, random, is_even=True)
    columns = np.flatnonzero(middle.max(0) > 100)
    assert abs(columns[0] - (middle.shape[1] - 1 - columns[-1])) <= 2


def test_a_bolted_line_has_more_ink_where_its_characters_begin(families: list[list[Path]]) -> None:
    for seed in range(5):
        plain = line_mask(families[0][0], "AB 12", 0.3, np.random.default_rng(seed))
        bolted = line_mask(families[0][0], "AB 12", 0.3, np.random.default_rng(seed), bolts=1.0)
        assert bolted.shape[0] == plain.shape[0]  # bolts do not stand out above or below
        assert (bolted[:, -plain.shape[1] :] >= plain).all()  # on the left one may
        assert bolted.sum(dtype=int) > plain.sum(dtype=int)


def test_faded_letters_lose_some_of_their_ink_and_none_goes_beside_them(families: list[list[Path]]) -> None:
    random = np.random.default_rng(2)
    mask = line_mask(families[0][0], "AB 12", 0.3, random)
    left = np.mean([faded(mask, random).sum(dtype=int) / mask.sum(dtype=int) for _ in range(20)])
    assert 0.4 < left < 0.95
    assert not faded(mask, random)[mask == 0].any()


def test_a_rounded_outline_stays_in_its_frame_and_leaves_out_its_corners() -> None:
    outline = rounded(Frame(10, 20, 110, 60), 12)
    assert outline.min(0).tolist() == [10, 20]
    assert outline.max(0).tolist() == [110, 60]
    corners = np.array([(x, y) for x in (10, 110) for y in (20, 60)])
    assert np.abs(outline[:, None] - corners).sum(2).min() >= 12 * (2 - 2**0.5) - 2
    square = np.unique(rounded(Frame(0, 0, 9, 5), 0), axis=0)
    assert square.tolist() == [[0, 0], [0, 5], [9, 0], [9, 5]]


def test_every_family_has_every_character(families: list[list[Path]]) -> None:
    for files in families:
        for character in ALPHABET:
            assert glyph(files[0], character).mask.max() > 128, (files[0], character)


def test_a_plate_shows_its_text_in_ink_that_differs_from_the_ground(families: list[list[Path]]) -> None:
    painter, random = PlatePainter(families), np.random.default_rng(5)
    for _ in range(40):
        plate = painter.draw(random)
        assert plate.pixels.shape[1:] == (PLATE_WIDTH, 3)
        assert set(plate.text) <= set(ALPHABET)
        assert plate.lines in (1, 2)
        assert cv2.cvtColor(plate.pixels, cv2.COLOR_RGB2GRAY).std() > 5
        assert photograph(plate, 64, random).shape == (64, 160, 3)


def test_the_same_seed_gives_the_same_plates_and_another_one_others(families: list[list[Path]], tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        write_plates(tmp_path / name, 12, seed, 64, PlatePainter(families))
    images = {name: np.load(tmp_path / name / "images.npy") for name in "abc"}
    labels = {name: (tmp_path / name / "labels.jsonl").read_text() for name in "abc"}
    assert images["a"].shape == (12, 64, 160, 3)
    np.testing.assert_array_equal(images["a"], images["b"])
    assert labels["a"] == labels["b"] != labels["c"]
    assert len([json.loads(line) for line in labels["a"].splitlines()]) == 12


def test_small_words_can_be_drawn_with_any_font(families: list[list[Path]]) -> None:
    for files in families:
        for word in (*chain.from_iterable(SMALL_WORDS.values()), *BAND_WORDS.values()):
            assert line_mask(files[0], word, 0.02, np.random.default_rng(1)).size
