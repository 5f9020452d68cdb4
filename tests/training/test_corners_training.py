"""The corner network: samples whose offsets lead to the truth, and a loss in heights of the plate."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from openplate.corner_refiner import plate_frame
from openplate_training.corners_data import CornerSampler, clockwise, cut_off, known_plates, roughly
from openplate_training.corners_model import HEIGHT, WIDTH, CornerNetwork
from openplate_training.corners_train import corner_loss
from openplate_training.data import pack_pictures

SQUARE = np.array([(10.0, 10.0), (50.0, 10.0), (50.0, 20.0), (10.0, 20.0)])


@pytest.mark.parametrize("is_training", [True, False])
def test_the_network_gives_eight_offsets_for_each_view(is_training: bool) -> None:
    network = CornerNetwork().train(is_training)
    assert network(torch.randint(0, 256, (3, HEIGHT, WIDTH, 3), dtype=torch.uint8)).shape == (3, 8)


def test_rough_corners_are_around_the_plate() -> None:
    random = np.random.default_rng(1)
    drawn = np.stack([roughly(SQUARE, random) for _ in range(300)])
    np.testing.assert_allclose(drawn.mean((0, 1)), SQUARE.mean(0), atol=1.5)
    errors = np.linalg.norm(drawn - SQUARE, axis=-1).max(1) / 10
    assert 0.1 < np.median(errors) < 1.0


def test_only_plates_with_known_corners_are_taken(data_folder: Path, tmp_path: Path) -> None:
    scenes = pack_pictures(data_folder / "scenes" / "scenes.jsonl", tmp_path / "scenes")
    plates = known_plates(scenes)
    assert plates
    assert all(scenes.records[plate.index]["split"] == "train" for plate in plates)
    assert all(clockwise(plate.corners) for plate in plates)


def test_the_offsets_lead_to_the_truth(data_folder: Path, tmp_path: Path) -> None:
    scenes = pack_pictures(data_folder / "scenes" / "scenes.jsonl", tmp_path / "scenes")
    sampler, random = CornerSampler(known_plates(scenes)), np.random.default_rng(2)
    for _ in range(20):
        view, offsets, aspect = sampler.sample(random)
        assert view.shape == (HEIGHT, WIDTH, 3)
        assert view.dtype == np.uint8
        assert 0.5 < aspect < 12
        start, size = plate_frame(WIDTH, HEIGHT)
        assert clockwise(start + offsets * size)


def test_beyond_a_cut_there_is_only_its_edge() -> None:
    view = np.random.default_rng(3).integers(0, 255, (HEIGHT, WIDTH, 3), np.uint8)
    cut = cut_off(view, np.random.default_rng(4))
    assert cut.shape == view.shape
    np.testing.assert_array_equal(cut[0], cut[1])
    start, _ = plate_frame(WIDTH, HEIGHT)
    middle = start.mean(0).astype(int)
    np.testing.assert_array_equal(cut[middle[1], middle[0]], view[middle[1], middle[0]])


def test_the_loss_counts_in_heights_of_the_plate() -> None:
    """A tenth of the width of a plate four times as wide as high is four tenths of its height."""
    truth = torch.zeros(1, 4, 2)
    along, across = torch.zeros(1, 8), torch.zeros(1, 8)
    along[0, 0::2], across[0, 1::2] = 0.1, 0.4
    aspect = torch.tensor([4.0])
    assert corner_loss(along, truth, aspect).item() == pytest.approx(corner_loss(across, truth, aspect).item())
    assert corner_loss(along, truth, aspect).item() == pytest.approx(0.4 - 0.025)


def test_it_learns_one_plate() -> None:
    torch.manual_seed(1)
    picture = np.full((120, 200, 3), 60, np.uint8)
    cv2.fillConvexPoly(picture, np.array([(60, 50), (130, 56), (130, 78), (60, 72)]), (230, 230, 230))
    truth = np.array([(60.0, 50.0), (130.0, 56.0), (130.0, 78.0), (60.0, 72.0)])
    random, network = np.random.default_rng(5), CornerNetwork()
    from openplate_training.data import PackedPictures

    shape = np.array([picture.shape[:2]], np.int64)
    record = {"split": "train", "set": "drawn", "corners": truth.tolist()}
    packed = PackedPictures((record,), picture.reshape(-1), np.zeros(1, np.int64), shape)
    sampler, optimizer = CornerSampler(known_plates(packed)), torch.optim.Adam(network.parameters(), 2e-3)
    losses = []
    for _ in range(40):
        views, offsets, aspects = zip(*(sampler.sample(random) for _ in range(16)), strict=True)
        loss = corner_loss(
            network(torch.from_numpy(np.stack(views))), torch.from_numpy(np.stack(offsets)), torch.tensor(aspects)
        )
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        optimizer.step()
        losses.append(loss.item())
    assert np.mean(losses[-5:]) < 0.6 * np.mean(losses[:5])
