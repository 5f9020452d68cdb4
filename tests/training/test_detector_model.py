"""The detector's network: shapes, where it starts, and cells that training and serving decode alike."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from openplate.datatypes import VEHICLE_LABELS
from openplate.detection import STRIDES as SERVED_STRIDES
from openplate.detection import Thresholds, from_output
from openplate_training.detector_model import (
    PLATE_CHANNELS,
    STRIDES,
    VEHICLE_CHANNELS,
    VEHICLE_CLASSES,
    DetectorNetwork,
    cell_centers,
    decode_boxes,
    decode_corners,
)
from openplate_training.layers import channels_first, channels_last

EVERYTHING = Thresholds(plate=0.0, vehicle=0.0)
WIDTH, HEIGHT = 96, 64
CELLS = 12 * 8 + 6 * 4 + 3 * 2


def random_pixels(*shape: int) -> torch.Tensor:
    return torch.randint(0, 256, shape, dtype=torch.uint8)


@pytest.mark.parametrize("is_training", [True, False])
def test_the_network_answers_for_each_cell(is_training: bool) -> None:
    network = DetectorNetwork().train(is_training)
    plates, vehicles = network(random_pixels(2, HEIGHT, WIDTH, 3))
    assert plates.shape == (2, PLATE_CHANNELS, CELLS)
    assert vehicles.shape == (2, VEHICLE_CHANNELS, CELLS)


def test_an_untrained_network_takes_each_cell_for_empty_to_one_percent() -> None:
    plates, vehicles = DetectorNetwork().eval()(random_pixels(1, HEIGHT, WIDTH, 3))
    for scores in (plates[:, 0], vehicles[:, :VEHICLE_CLASSES]):
        torch.testing.assert_close(scores.sigmoid(), torch.full_like(scores, 0.01), atol=2e-3, rtol=0)


def test_the_first_layers_are_frozen_and_nothing_else() -> None:
    network = DetectorNetwork()
    frozen = {name for name, value in network.named_parameters() if not value.requires_grad}
    assert frozen == {f"backbone.layers.{i}.conv.{kind}" for i in range(7) for kind in ("weight", "bias")}
    plates, vehicles = network(random_pixels(2, HEIGHT, WIDTH, 3))
    torch.autograd.backward(plates.square().sum() + vehicles.square().sum())
    learning = {name for name, value in network.named_parameters() if value.grad is not None}
    assert learning == {name for name, _ in network.named_parameters()} - frozen


def test_the_layout_of_weights_changes_no_answer() -> None:
    network, pictures = DetectorNetwork().eval(), random_pixels(1, HEIGHT, WIDTH, 3)
    before = network(pictures)
    assert channels_last(network) is network
    weight = network.plate_heads.get_parameter("0.2.weight")
    assert weight.is_contiguous(memory_format=torch.channels_last)
    for ours, theirs in zip(network(pictures), before, strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=1e-4)
    assert all(value.is_contiguous() for value in channels_first(network).parameters())


def test_cells_run_over_the_strides_row_by_row() -> None:
    centers, strides = cell_centers(32, 64)
    assert centers[:9].tolist() == [[4 + 8 * n, 4] for n in range(8)] + [[4, 12]]
    assert centers[32:].tolist() == [[8, 8], [24, 8], [40, 8], [56, 8], [8, 24], [24, 24], [40, 24], [56, 24],
                                     [16, 16], [48, 16]]  # fmt: skip
    assert strides.tolist() == [8.0] * 32 + [16.0] * 8 + [32.0] * 2


def test_training_and_serving_name_the_same_strides_and_classes() -> None:
    assert STRIDES == SERVED_STRIDES
    assert len(VEHICLE_LABELS) == VEHICLE_CLASSES


@pytest.mark.parametrize("size", [(WIDTH, HEIGHT), (64, 128), (32, 32)])
def test_training_decodes_as_serving_does(size: tuple[int, int]) -> None:
    width, height = size
    centers, strides = cell_centers(height, width)
    plates = torch.randn(PLATE_CHANNELS, len(centers)) * 2
    vehicles = torch.randn(VEHICLE_CHANNELS, len(centers)) * 2
    vehicles[7:, 0] = 9.0  # sizes are limited
    found_plates, found_vehicles = from_output(plates.numpy(), vehicles.numpy(), width, height, EVERYTHING)
    assert len(found_plates) == len(found_vehicles) == len(centers)

    by_plate_score = plates[0].argsort(descending=True)
    boxes = decode_boxes(plates[1:5].T, centers, strides)[by_plate_score]
    corners = decode_corners(plates[5:].T, centers, strides)[by_plate_score]
    np.testing.assert_allclose([d.box.as_tuple() for d in found_plates], boxes, atol=1e-3, rtol=1e-5)
    served_corners = [d.corners.as_tuple() for d in found_plates if d.corners is not None]
    np.testing.assert_allclose(served_corners, corners, atol=1e-3)
    confidences = [d.confidence for d in found_plates]
    np.testing.assert_allclose(confidences, plates[0].sigmoid()[by_plate_score], atol=1e-6)

    scores, labels = vehicles[:VEHICLE_CLASSES].max(0)
    order = scores.argsort(descending=True)
    boxes = decode_boxes(vehicles[VEHICLE_CLASSES:].T, centers, strides)[order]
    np.testing.assert_allclose([d.box.as_tuple() for d in found_vehicles], boxes, atol=1e-2, rtol=1e-5)
    assert [d.label for d in found_vehicles] == [VEHICLE_LABELS[i] for i in labels[order].tolist()]
