"""The region network: which labels are taught, which answers are right, samples as served."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from drawn_data import REGIONS, draw_crop, make_crop, write_list
from openplate.datatypes import Corners
from openplate_training.data import pack_pictures
from openplate_training.region_model import HEIGHT, WIDTH, RegionNetwork
from openplate_training.region_train import (
    LEAST_EXAMPLES,
    RegionSampler,
    RenderedRegions,
    allowed_for_rendered,
    allowed_labels,
    region_labels,
    region_loss,
    region_of,
)
from served import make_classifier
from still import StillRandom

LABELS = ["de", "us-ca", "us-ny", "us-tx", "vn"]


@pytest.mark.parametrize("is_training", [True, False])
def test_the_network_gives_one_logit_for_each_region(is_training: bool) -> None:
    network = RegionNetwork(7).train(is_training)
    assert network(torch.randint(0, 256, (2, HEIGHT, WIDTH, 3), dtype=torch.uint8)).shape == (2, 7)


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        (make_crop(region="us-ny"), "us-ny"),
        (make_crop(region="in-ka"), "in"),  # the state is in the text, not in the look
        (make_crop(region="vn", region_guess=["Germany", 0.99]), "vn"),
        (make_crop(region=None, region_guess=["Germany", 0.99]), "de"),
        (make_crop(region=None, region_guess=["Spain", 0.99]), None),  # guesses of it are often wrong
        (make_crop(region=None, region_guess=None), None),
        (make_crop(region=None), None),
    ],
)
def test_region_of_table(record: dict[str, Any], expected: str | None) -> None:
    assert region_of(record) == expected


def test_regions_with_enough_examples_become_labels() -> None:
    def crops(region: str, count: int, **others: Any) -> list[dict[str, Any]]:
        return [make_crop(region=region, **others)] * count

    records = [
        *crops("vn", LEAST_EXAMPLES),
        *crops("de", LEAST_EXAMPLES - 1),
        *crops("de", 5, split="val"),
        *crops("us-ny", LEAST_EXAMPLES),
        *crops("us", 100),  # a country that is told by its parts
        *crops("in-ka", LEAST_EXAMPLES // 2),
        *crops("in-mh", LEAST_EXAMPLES // 2),
    ]
    assert region_labels(records) == ["in", "us-ny", "vn"]
    assert region_labels(records, ["br"]) == ["br", "in", "us-ny", "vn"]


def test_rendered_plates_are_taught_as_far_as_they_tell(tmp_path: Path) -> None:
    labels = ["br", "de", "us-ca", "us-ny", "vn"]
    assert allowed_for_rendered("br", labels) == [0]
    assert allowed_for_rendered("us-ny", labels) == [3]
    assert allowed_for_rendered("us-wy", labels) == [2, 3]
    assert allowed_for_rendered("us", labels) == [2, 3]
    assert allowed_for_rendered(None, labels) == [1]
    np.save(tmp_path / "images.npy", np.full((2, HEIGHT, WIDTH, 3), 7, np.uint8))
    (tmp_path / "labels.jsonl").write_text('{"region": "br"}\n{"region": null}\n')
    rendered, random = RenderedRegions(tmp_path), np.random.default_rng(1)
    assert {rendered.sample(random)[1] for _ in range(20)} == {"br", None}
    np.save(tmp_path / "images.npy", np.zeros((2, 64, WIDTH, 3), np.uint8))
    with pytest.raises(ValueError, match="--height 96"):
        RenderedRegions(tmp_path)


@pytest.mark.parametrize(
    ("region", "expected"),
    [("vn", [4]), ("us-ny", [2]), ("us", [1, 2, 3]), ("fr", []), ("u", []), ("us-n", []), ("", [])],
)
def test_allowed_labels_table(region: str, expected: list[int]) -> None:
    assert allowed_labels(region, LABELS) == expected


def test_the_loss_takes_any_allowed_label_for_right() -> None:
    logits = torch.tensor([[0.0, 1.0, 2.0, 0.5, -1.0], [3.0, 0.0, 0.0, 0.0, 0.0]], dtype=torch.float64)
    p = logits.softmax(1).numpy()
    right = -math.log(p[0, 1] + p[0, 2] + p[0, 3]), -math.log(p[1, 0])
    smooth = -np.log(p).mean(1)
    expected = np.mean([0.95 * r + 0.05 * s for r, s in zip(right, smooth, strict=True)])
    assert region_loss(logits, [[1, 2, 3], [0]]).item() == pytest.approx(expected)


def test_the_loss_does_not_care_which_state_of_an_unknown_one() -> None:
    logits = torch.zeros(1, 5, requires_grad=True)
    torch.autograd.backward(region_loss(logits, [[1, 2, 3]]))
    assert logits.grad is not None
    states, others = logits.grad[0, 1:4], logits.grad[0, [0, 4]]
    assert (states < 0).all()
    assert (others > 0).all()
    torch.testing.assert_close(states, states[:1].expand(3))


def test_an_unshaken_sample_is_what_serving_cuts(tmp_path: Path) -> None:
    pixels, corners = draw_crop("KL123", "vn"), [[6.0, 5.0], [114.0, 9.0], [113.0, 36.0], [5.0, 31.0]]
    write_list(tmp_path / "crops.jsonl", [(pixels, make_crop(corners=corners, region="vn"))])
    sampler = RegionSampler(pack_pictures(tmp_path / "crops.jsonl", tmp_path / "crops"), LABELS)
    sample, allowed = sampler.sample(StillRandom())
    np.testing.assert_array_equal(sample, make_classifier().rectify(pixels, Corners.from_points(corners)))
    assert allowed == [4]


def test_samples_are_of_taught_regions(data_folder: Path, tmp_path: Path) -> None:
    crops = pack_pictures(data_folder / "plate_crops" / "plate_crops.jsonl", tmp_path / "crops")
    labels = region_labels(list(crops.records))
    assert labels == sorted(REGIONS)
    sampler, random = RegionSampler(crops, labels), np.random.default_rng(1)
    assert len(sampler.indices) == 24
    drawn = [sampler.sample(random) for _ in range(40)]
    assert {tuple(allowed) for _, allowed in drawn} == {(0,), (1,)}
    assert all(pixels.shape == (HEIGHT, WIDTH, 3) and pixels.dtype == np.uint8 for pixels, _ in drawn)


def test_rare_regions_are_drawn_more_often_than_their_share(tmp_path: Path) -> None:
    crop = draw_crop("KL123", "vn")[:2, :2]
    lines = [make_crop(region="vn")] * 30 + [make_crop(region="de")] * 3
    write_list(tmp_path / "crops.jsonl", [(crop, line) for line in lines])
    sampler = RegionSampler(pack_pictures(tmp_path / "crops.jsonl", tmp_path / "crops"), LABELS)
    assert 3 / 33 < sampler.weights[30:].sum() < 0.5
