"""The attribute network: which labels are taught, which answers are right, samples and losses."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from drawn_data import draw_street, draw_vehicle, make_vehicle, write_list
from openplate.attributes import HEADS, stretch
from openplate_training.attributes_data import (
    COLORS,
    NOTHING,
    TYPES,
    VIEWS,
    AttributeSampler,
    attribute_labels,
    degraded,
    is_held_for_calibration,
    mirrored,
    right_words,
    scene_vehicles,
    shaken,
    to_indices,
    year_span,
)
from openplate_training.attributes_model import HEIGHT, WIDTH, AttributeNetwork
from openplate_training.attributes_train import WEIGHTS, attribute_losses, head_loss
from openplate_training.data import pack_pictures
from openplate_training.losses import SMOOTHING
from still import StillRandom

LEON = make_vehicle(make="SEAT", model="Leon", type="sedan", year=2013)
LABELS = attribute_labels([LEON] * 3 + [make_vehicle(make="SEAT", model="Toledo"), make_vehicle(make="Audi")])


@pytest.mark.parametrize("is_training", [True, False])
def test_the_network_answers_each_question_of_each_crop(is_training: bool) -> None:
    network = AttributeNetwork([7, 5, 3, 2, 4, 8]).train(is_training)
    answers = network(torch.randint(0, 256, (2, HEIGHT, WIDTH, 3), dtype=torch.uint8))
    assert [tuple(answer.shape) for answer in answers] == [(2, 7), (2, 5), (2, 3), (2, 2), (2, 4), (2, 8)]


def test_rare_models_become_other_models_of_their_make() -> None:
    assert LABELS["model"] == ("Audi|", "SEAT|", "SEAT|Leon")
    assert LABELS["year"] == ("2010-2014",)
    assert attribute_labels([make_vehicle(make="Audi", split="val")])["model"] == ()


@pytest.mark.parametrize(
    ("year", "span"), [(1991, "1990-1994"), (1994, "1990-1994"), (1995, "1995-1999"), (2012, "2010-2014")]
)
def test_spans_of_years(year: int, span: str) -> None:
    assert year_span(year) == span


@pytest.mark.parametrize(
    ("known", "head", "expected"),
    [
        ({"type": "car"}, "type", ("sedan", "suv")),
        ({"type": "bus"}, "type", ("bus",)),
        ({}, "type", ()),
        ({"make": "SEAT", "model": "Leon"}, "model", ("SEAT|Leon",)),
        ({"make": "SEAT", "model": "Toledo"}, "model", ("SEAT|",)),
        ({"make": "SEAT"}, "model", ("SEAT|", "SEAT|Leon")),
        ({"make": "Lada"}, "model", ()),
        ({"body_type": "coupe", "type": "sedan"}, "body", ("coupe",)),
        ({"type": "van"}, "body", ("van", "minivan")),
        ({"type": "motorcycle"}, "body", ()),
        ({"color": "silver", "set": "color_vehicles"}, "color", ("silver", "grey")),
        ({"color": "silver"}, "color", ("silver",)),
        ({"orientation": "rear"}, "view", ("rear", "rear_left", "rear_right")),
        ({"orientation": "rear", "view": "rear_left"}, "view", ("rear_left",)),
        ({"year": 2012}, "year", ("2010-2014",)),
    ],
)
def test_right_words_of_table(known: dict[str, Any], head: str, expected: tuple[str, ...]) -> None:
    assert right_words(make_vehicle(**known), LABELS)[head] == expected


def test_left_and_right_change_places_in_the_mirror() -> None:
    seen = [mirrored({"view": (view,)})["view"][0] for view in VIEWS]
    assert seen == ["front", "front_right", "right", "rear_right", "rear", "rear_left", "left", "front_left"]
    assert mirrored({"color": ("red",)}) == {"color": ("red",), "view": ()}


def test_a_few_crops_are_held_for_calibration_and_never_sampled() -> None:
    held = [is_held_for_calibration(make_vehicle(image=f"images/{n}.webp")) for n in range(4000)]
    assert 0.03 < np.mean(held) < 0.05


def make_sampler(folder: Path) -> AttributeSampler:
    cars = [(draw_vehicle((190, 20, 20)), make_vehicle(type="sedan", color="red", view="left", orientation="side"))]
    write_list(folder / "crops" / "crops.jsonl", cars * 4)
    write_list(folder / "scenes" / "scenes.jsonl", [draw_street("KL123", 30, 40)])
    crops = pack_pictures(folder / "crops" / "crops.jsonl", folder / "crops_cache")
    scenes = pack_pictures(folder / "scenes" / "scenes.jsonl", folder / "scenes_cache")
    return AttributeSampler(crops, scenes, attribute_labels(crops.records))


def test_an_unshaken_sample_is_nearly_what_serving_cuts(tmp_path: Path) -> None:
    sampler = make_sampler(tmp_path)
    pixels, allowed = sampler.sample(StillRandom())
    served = stretch(draw_vehicle((190, 20, 20)), WIDTH, HEIGHT)
    assert np.abs(pixels.astype(int) - served).mean() < 1.5
    assert allowed == to_indices(
        {
            "type": ("sedan",),
            "color": ("red",),
            "view": ("left",),
            "body": ("sedan", "coupe", "convertible", "hatchback", "wagon"),
        },
        sampler.labels,
    )


def test_samples_have_the_networks_size_and_mirrored_views(tmp_path: Path) -> None:
    sampler, random = make_sampler(tmp_path), np.random.default_rng(1)
    views = set()
    for _ in range(60):
        pixels, allowed = sampler.sample(random)
        assert pixels.shape == (HEIGHT, WIDTH, 3)
        assert pixels.dtype == np.uint8
        if allowed != NOTHING:
            views |= set(allowed[HEADS.index("view")])
    assert {VIEWS[view] for view in views} == {"left", "right"}


def test_vehicles_of_scenes_are_large_and_sure_enough(tmp_path: Path) -> None:
    car = {"box": [10, 10, 80, 60], "type": "bus", "label": "teacher", "score": 0.7}
    others = [car | {"score": 0.5}, car | {"type": None}, car | {"box": [10, 10, 40, 60]}]
    pixels, record = draw_street("KL123", 30, 40)
    write_list(tmp_path / "scenes.jsonl", [(pixels, record | {"vehicles": [car, *others]})])
    found = scene_vehicles(pack_pictures(tmp_path / "scenes.jsonl", tmp_path / "cache"))
    assert [(vehicle.box, vehicle.kind) for vehicle in found] == [((10, 10, 80, 60), "bus")]


@pytest.mark.parametrize("size", [(1, 1), (2, 300), (64, 96), (700, 40)])
def test_crops_of_any_size_can_be_shaken_and_degraded(size: tuple[int, int]) -> None:
    random = np.random.default_rng(2)
    for _ in range(10):
        pixels = degraded(shaken(np.full((*size, 3), 90, np.uint8), random), random)
        assert pixels.shape == (HEIGHT, WIDTH, 3)


def test_the_loss_of_a_head_by_hand() -> None:
    logits = torch.tensor([[0.0, 1.0, 2.0]] * 3, dtype=torch.float64)
    p = logits[0].softmax(0).numpy()
    even = float(-np.log(p).mean())
    expected = [(1 - SMOOTHING) * -math.log(p[1] + p[2]) + SMOOTHING * even, 0.0, even]
    assert head_loss(logits, [(1, 2), (), None]).tolist() == pytest.approx(expected)


def test_crops_without_a_vehicle_teach_that_nothing_is_known() -> None:
    answers = [torch.zeros(1, len(LABELS[head]), requires_grad=True) for head in HEADS]
    losses = attribute_losses(answers, [NOTHING], torch.ones(1))
    assert set(losses) == set(WEIGHTS) == set(HEADS)
    torch.autograd.backward(torch.stack(tuple(losses.values())).sum())
    for answer in answers:  # all labels alike is the best answer
        assert answer.grad is not None
        assert answer.grad.abs().max() < 1e-6


def test_few_labelled_crops_do_not_weigh_as_a_whole_batch() -> None:
    answers = [torch.zeros(8, len(LABELS[head])) for head in HEADS]
    red = to_indices({"color": ("red",)}, LABELS)
    unknown = to_indices({}, LABELS)
    one = attribute_losses(answers, [red] + [unknown] * 7, torch.ones(8))
    all_of_them = attribute_losses(answers, [red] * 8, torch.ones(8))
    assert one["color"].item() == pytest.approx(all_of_them["color"].item() / 2)
    assert one["type"].item() == 0.0
    assert all_of_them["color"].item() == pytest.approx(WEIGHTS["color"] * math.log(len(COLORS)), rel=1e-4)
    assert len(TYPES) == 7
