"""The detector learns two pictures by heart, and serving finds what is in them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from drawn_data import BACKBONE_V1, Pixels, draw_street
from openplate.datatypes import Box, Detection
from openplate.detection import Thresholds, from_output, without_repeats
from openplate_training.data import Record
from openplate_training.detector_data import labels_of
from openplate_training.detector_loss import DetectorLoss
from openplate_training.detector_model import DetectorNetwork

SIZE = 128
MOST_STEPS, BETWEEN_LOOKS = 240, 10
HALF = Thresholds(plate=0.5, vehicle=0.5)


def served(network: DetectorNetwork, batch: torch.Tensor) -> list[tuple[list[Detection], list[Detection]]]:
    """What serving makes of the network's raw answers, for each picture: plates and vehicles."""
    network.eval()
    with torch.no_grad():
        plates, vehicles = network(batch)
    network.train()
    found = [from_output(p.numpy(), v.numpy(), SIZE, SIZE, HALF) for p, v in zip(plates, vehicles, strict=True)]
    return [(without_repeats(p, 0.4), without_repeats(v, 0.6)) for p, v in found]


def is_right(found: tuple[list[Detection], list[Detection]], record: Record) -> bool:
    """One plate and one car, where they are drawn; the corners to within a quarter of the plate's height."""
    (plate,), (vehicle,) = record["plates"], record["vehicles"]
    plates, vehicles = found
    if len(plates) != 1 or len(vehicles) != 1 or plates[0].corners is None:
        return False
    errors = np.linalg.norm(np.array(plates[0].corners.as_tuple()) - plate["corners"], axis=1)
    return (
        plates[0].box.iou(Box(*plate["box"])) > 0.5
        and errors.max() < 0.25 * 14
        and vehicles[0].label == vehicle["type"]
        and vehicles[0].box.iou(Box(*vehicle["box"])) > 0.5
    )


def test_two_pictures_are_learned_and_served(data_folder: Path) -> None:
    drawn: list[tuple[Pixels, Record]] = [
        draw_street("KL123", 12, 30, SIZE, SIZE),
        draw_street("HZ987", 40, 60, SIZE, SIZE),
    ]
    batch = torch.from_numpy(np.stack([pixels for pixels, _ in drawn]))
    labels = [labels_of(record) for _, record in drawn]
    network, loss = DetectorNetwork(), DetectorLoss(SIZE, SIZE)
    network.backbone.load_imagenet(data_folder / BACKBONE_V1)
    network.backbone.settle_norms((batch.permute(0, 3, 1, 2).float() - 127.5) / 127.5)
    optimizer = torch.optim.AdamW(network.parameters(), lr=2e-3, betas=(0.9, 0.98))
    for step in range(1, MOST_STEPS + 1):
        losses = loss(*network(batch), labels)
        optimizer.zero_grad()
        torch.autograd.backward(torch.stack(list(losses.values())).sum())
        torch.nn.utils.clip_grad_norm_(network.parameters(), 10.0)
        optimizer.step()
        if step % BETWEEN_LOOKS == 0:
            answers = served(network, batch)
            if all(is_right(found, record) for found, (_, record) in zip(answers, drawn, strict=True)):
                return
    raise AssertionError(f"not learned in {MOST_STEPS} steps: {answers}")
