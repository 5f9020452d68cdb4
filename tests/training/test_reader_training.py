"""The reader: its network, its samples (as served, bit for bit), its loss, and eight texts learned by heart."""

from __future__ import annotations

import itertools
import math
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from drawn_data import draw_crop, make_crop, taught_texts, write_list, write_rendered
from openplate.datatypes import Corners
from openplate.ocr import spell
from openplate.text import normalise
from openplate_training.data import pack_pictures
from openplate_training.reader_data import (
    CALIBRATION_SHARE,
    ReaderSampler,
    RenderedPlates,
    degrade_crop,
    encode_text,
    is_held_for_calibration,
    is_readable,
    moved,
    rectified,
    shaken_corners,
    true_corners,
)
from openplate_training.reader_model import (
    ALPHABET,
    COLUMNS,
    HEIGHT,
    ROWS,
    WIDTH,
    Bottleneck,
    Mixing,
    ReaderNetwork,
)
from openplate_training.reader_train import ctc_loss
from served import make_reader
from still import StillRandom

SMALL = (8, 16, 32, 48, 64)


# --- network ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("is_training", [True, False])
def test_the_network_gives_distributions_for_each_column(is_training: bool) -> None:
    network = ReaderNetwork().train(is_training)
    answers = network(torch.randint(0, 256, (3, HEIGHT, WIDTH, 3), dtype=torch.uint8))
    assert answers.shape == (3, ROWS * COLUMNS, len(ALPHABET) + 1)
    torch.testing.assert_close(answers.exp().sum(2), torch.ones(3, ROWS * COLUMNS))


def test_a_new_block_and_a_new_attention_layer_change_nothing() -> None:
    """So weights of a shallower reader are a start for a deeper one."""
    maps, tokens = torch.rand(2, 8, 4, 10), torch.rand(2, 12, 16)
    with torch.no_grad():
        torch.testing.assert_close(Bottleneck(8).eval()(maps), maps)
        torch.testing.assert_close(Mixing(16, 4)(tokens), tokens)


def test_light_contrast_and_tint_change_next_to_nothing() -> None:
    """The crop is made grey and its contrast evened out before anything is looked at."""
    network = ReaderNetwork(SMALL).eval()
    crop = rectified(draw_crop("KL123", "vn"), np.array(((4, 4), (116, 4), (116, 36), (4, 36)), np.float64))
    grey = np.repeat((crop @ (0.299, 0.587, 0.114))[..., None], 3, 2)
    variants = np.stack([grey, grey * 0.5 + 60]).round().astype(np.uint8)
    bright, pale = network(torch.from_numpy(variants))
    torch.testing.assert_close(bright, pale, atol=0.15, rtol=0)


# --- loss ---------------------------------------------------------------------------------------------------------


def probability_by_hand(probabilities: NDArray[np.float64], text: str) -> float:
    """The sum over all paths that spell the text."""
    nothing = len(ALPHABET)
    symbols = [*sorted({ALPHABET.index(c) for c in text}), nothing]
    total = 0.0
    for path in itertools.product(symbols, repeat=len(probabilities)):
        spelled = "".join(ALPHABET[s] for s, _ in itertools.groupby(path) if s != nothing)
        if spelled == text:
            total += math.prod(probabilities[column, s] for column, s in enumerate(path))
    return total


@pytest.mark.parametrize("texts", [["A"], ["AB"], ["AA"], ["A1A"], ["AB", "AA"], ["A", "BCD"]])
def test_the_loss_is_the_sum_over_all_paths(texts: list[str]) -> None:
    logits = torch.randn(len(texts), 5, len(ALPHABET) + 1, dtype=torch.float64)
    probabilities = logits.softmax(-1).numpy()
    expected = [-math.log(probability_by_hand(p, text)) for p, text in zip(probabilities, texts, strict=True)]
    loss = ctc_loss(logits.log_softmax(-1), texts)
    assert loss.item() == pytest.approx(sum(expected) / len(texts), rel=1e-6)


def test_a_text_that_does_not_fit_costs_nothing() -> None:
    """Three like characters need five columns; with four, there is no path, and no infinite loss."""
    logits = torch.randn(1, 4, len(ALPHABET) + 1, requires_grad=True)
    loss = ctc_loss(logits.log_softmax(-1), ["AAA"])
    torch.autograd.backward(loss)
    assert loss.item() == 0
    assert logits.grad is not None
    assert logits.grad.isfinite().all()


# --- which crops --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        (make_crop("AB123"), True),
        (make_crop(None), False),
        (make_crop(""), False),
        (make_crop("A"), False),
        (make_crop("AB"), True),
        (make_crop("ABCDE12345"), True),
        (make_crop("ABCDE123456"), False),
        (make_crop("AB 123-C"), True),
        (make_crop("AB123", suspect=True), False),
        (make_crop("AB123", set="eg_ealpr"), False),
        (make_crop("AB123", text_label="teacher", min_char=0.95), True),
        (make_crop("AB123", text_label="teacher", min_char=0.85), False),
        (make_crop("AB123", text_label="teacher", min_char=None), False),
    ],
)
def test_which_crops_are_taught(record: dict[str, Any], expected: bool) -> None:
    assert is_readable(record) is expected


def test_about_the_stated_share_of_texts_is_held_for_calibration() -> None:
    random = np.random.default_rng(1)
    texts = ["".join(random.choice(list(ALPHABET), 7)) for _ in range(4000)]
    held = [is_held_for_calibration(make_crop(text)) for text in texts]
    assert np.mean(held) == pytest.approx(CALIBRATION_SHARE, abs=0.01)
    assert held == [is_held_for_calibration(make_crop(text, set="other")) for text in texts]


def test_texts_are_encoded_by_their_place_in_the_alphabet() -> None:
    assert encode_text("0AZ") == [0, 10, 35]
    assert "".join(ALPHABET[i] for i in encode_text("KL42")) == "KL42"


# --- samples ------------------------------------------------------------------------------------------------------

LEANING = [[6.0, 5.0], [114.0, 9.0], [113.0, 36.0], [5.0, 31.0]]


@pytest.mark.parametrize("corners", [None, LEANING])
def test_an_unshaken_sample_is_what_serving_cuts(tmp_path: Path, corners: list[list[float]] | None) -> None:
    pixels, record = draw_crop("KL123", "us-ny"), make_crop("kl-123", corners=corners)
    write_list(tmp_path / "crops.jsonl", [(pixels, record)])
    sampler = ReaderSampler(pack_pictures(tmp_path / "crops.jsonl", tmp_path / "crops"), None)
    sample, text = sampler.sample(StillRandom(), 0.0)
    assert text == "KL123"
    quad = Corners.from_points(corners or [[4, 4], [116, 4], [116, 36], [4, 36]])
    np.testing.assert_array_equal(sample, make_reader().rectify(pixels, quad))


def test_shaken_corners_stay_near_the_plate_and_differ() -> None:
    record, random = make_crop(corners=LEANING), np.random.default_rng(3)
    shaken = np.stack([shaken_corners(record, random) for _ in range(300)])
    errors = shaken - true_corners(record)
    assert (np.abs(errors) < (50, 25)).all()
    assert np.abs(errors.mean(0)).max() < 3
    assert (errors.std(0) > 1).all()
    np.testing.assert_array_equal(true_corners(record), LEANING)


def test_samples_are_of_the_served_form_and_of_taught_texts(data_folder: Path, tmp_path: Path) -> None:
    crops = pack_pictures(data_folder / "plate_crops" / "plate_crops.jsonl", tmp_path / "crops")
    rendered = RenderedPlates(data_folder / "rendered")
    assert rendered.refresh() == 12
    sampler, random = ReaderSampler(crops, rendered), np.random.default_rng(1)
    assert len(sampler.indices) == 24
    assert all(crops.records[i]["split"] == "train" for i in sampler.indices)
    taught = {normalise(crops.records[i]["text"]) for i in sampler.indices}
    assert not any(is_held_for_calibration({"text": text}) for text in taught)
    for share in (0.0, 0.5, 1.0):
        for _ in range(15):
            pixels, text = sampler.sample(random, share)
            assert pixels.shape == (HEIGHT, WIDTH, 3)
            assert pixels.dtype == np.uint8
            assert text in taught


def test_small_sets_are_drawn_more_often_than_their_share(tmp_path: Path) -> None:
    crop = draw_crop("KL123", "vn")
    names = ["large"] * 40 + ["small"] * 2
    lines = [make_crop(text, set=name) for text, name in zip(taught_texts(42), names, strict=True)]
    write_list(tmp_path / "crops.jsonl", [(crop[:2, :2], line) for line in lines])
    sampler = ReaderSampler(pack_pictures(tmp_path / "crops.jsonl", tmp_path / "crops"), None)
    sets = np.array([sampler.crops.records[i]["set"] for i in sampler.indices])
    share = sampler.weights[sets == "small"].sum()
    assert 2 / 42 < share < 0.5
    assert sampler.weights.sum() == pytest.approx(1)


def test_rendered_plates_that_appear_later_are_found(tmp_path: Path) -> None:
    rendered = RenderedPlates(tmp_path)
    assert rendered.refresh() == 0
    write_rendered(tmp_path / "chunk_00", ["AB12", "CD34"])
    assert rendered.refresh() == 2
    write_rendered(tmp_path / "more" / "chunk_01", ["EF56"])
    assert rendered.refresh() == 3
    assert rendered.refresh() == 3
    random = np.random.default_rng(1)
    texts = [rendered.sample(random)[1] for _ in range(60)]
    assert set(texts) == {"AB12", "CD34", "EF56"}
    pixels, _ = rendered.sample(random)
    pixels[:] = 0  # a copy, not the file


def test_a_moved_plate_is_about_where_it_was_and_never_quite_the_same() -> None:
    pixels = np.full((64, 160, 3), 200, np.uint8)
    pixels[24:40, 60:100] = 0
    centers = []
    for seed in range(20):
        after = moved(pixels, np.random.default_rng(seed))
        assert after.shape == pixels.shape
        rows, columns = np.nonzero(after[..., 0] < 100)
        centers.append((columns.mean(), rows.mean()))
        assert after[0, 0, 0] == after[-1, -1, 0] == 200  # nothing black comes in from outside
    spread = np.ptp(np.array(centers), axis=0)
    assert (np.abs(np.mean(centers, axis=0) - (79.5, 31.5)) < 1).all()
    assert 1 < spread[0] < 10
    assert 0.5 < spread[1] < 6


def test_degrading_keeps_the_form_and_leaves_the_original() -> None:
    pixels = draw_crop("KL123", "us-ny")
    before, random = pixels.copy(), np.random.default_rng(1)
    degraded = [degrade_crop(pixels, random, grey=0.5) for _ in range(60)]
    assert all(d.shape == pixels.shape and d.dtype == np.uint8 for d in degraded)
    assert sum(not np.array_equal(d, pixels) for d in degraded) > 40
    np.testing.assert_array_equal(pixels, before)
    grey = [degrade_crop(pixels, random, 0.0, grey=1.0) for _ in range(5)]
    assert all((d == d[..., :1]).all() for d in grey)


# --- learning -----------------------------------------------------------------------------------------------------

TEXTS = ["KL123", "AB12CD", "7XYZ890", "W1", "NOP4567", "HH88", "QRS22T", "35MUVG"]
MOST_STEPS, BETWEEN_LOOKS = 300, 10


def test_eight_texts_are_learned_and_spelled() -> None:
    """Through the search that serves; one of them has two lines, one the same character twice running."""
    crops = np.full((len(TEXTS), HEIGHT, WIDTH, 3), 230, np.uint8)
    for crop, text in zip(crops, TEXTS, strict=True):
        lines = [text[:2], text[2:]] if text == "35MUVG" else [text]
        for row, line in enumerate(lines):
            bottom = 45 if len(lines) == 1 else 28 + 32 * row
            cv2.putText(crop, line, (8, bottom), cv2.FONT_HERSHEY_SIMPLEX, 0.95, (20, 20, 90), 2)
    network, batch = ReaderNetwork(SMALL), torch.from_numpy(crops)
    optimizer = torch.optim.AdamW(network.parameters(), lr=4e-3, betas=(0.9, 0.98))
    for step in range(1, MOST_STEPS + 1):
        loss = ctc_loss(network.train()(batch), TEXTS)
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(network.parameters(), 5.0)
        optimizer.step()
        if step % BETWEEN_LOOKS == 0:
            with torch.no_grad():
                answers = network.eval()(batch).numpy()
            readings = [spell([answer], ALPHABET).reading for answer in answers]
            if [reading.text for reading in readings] == TEXTS and min(r.confidence for r in readings) > 0.5:
                return
    raise AssertionError(f"not learned in {MOST_STEPS} steps: {[reading.text for reading in readings]}")
