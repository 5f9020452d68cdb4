"""Trains the attribute network.

python -m openplate_training.attributes_train --data DATA --cache CACHE --output FOLDER --minutes 90
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import torch

from openplate.attributes import HEADS
from openplate_training.attributes_data import NOTHING, Allowed, AttributeSampler, attribute_labels
from openplate_training.attributes_model import AttributeNetwork
from openplate_training.augment import as_pixels
from openplate_training.checkpoint import load_start, seed_for
from openplate_training.data import pack_pictures
from openplate_training.layers import channels_last
from openplate_training.loop import LoopConfig, train

WEIGHTS = {"type": 0.6, "model": 0.8, "body": 0.4, "year": 0.3, "color": 1.0, "view": 1.2}
SMOOTHING = 0.05


def head_loss(logits: torch.Tensor, allowed: Sequence[tuple[int, ...] | None]) -> torch.Tensor:
    """Negative log of the probability of all labels that would be right, a little smoothed, (N,).

    An empty tuple teaches nothing; None wants all labels alike.
    """
    log_probabilities = logits.log_softmax(1)
    even = -log_probabilities.mean(1)
    mask = torch.full_like(logits, -torch.inf)
    for row, columns in enumerate(allowed):
        mask[row, list(columns or range(logits.shape[1]))] = 0.0
    right = -(log_probabilities + mask).logsumexp(1)
    is_nothing = torch.tensor([columns is None for columns in allowed])
    is_known = torch.tensor([columns is None or len(columns) > 0 for columns in allowed])
    losses = torch.where(is_nothing, even, (1 - SMOOTHING) * right + SMOOTHING * even)
    return torch.where(is_known, losses, torch.zeros_like(losses))


def attribute_losses(
    answers: Sequence[torch.Tensor], batch: Sequence[Allowed], shares: torch.Tensor
) -> dict[str, torch.Tensor]:
    """The loss of each head over a batch; ``shares`` (N,) weighs its crops."""
    losses = {}
    for i, (head, logits) in enumerate(zip(HEADS, answers, strict=True)):
        allowed = [None if entry == NOTHING else entry[i] for entry in batch]
        known = sum(columns is None or bool(columns) for columns in allowed)
        # Few labelled crops in a batch say little: they are not blown up to a whole batch's weight.
        scale = WEIGHTS[head] / max(known, len(batch) // 4)
        losses[head] = scale * (shares * head_loss(logits, allowed)).sum()
    return losses


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with vehicle_crops/, scenes/ and backbones/")
    parser.add_argument("--cache", type=Path, required=True, help="where decoded pictures are kept")
    parser.add_argument("--output", type=Path, required=True, help="folder of the checkpoint")
    parser.add_argument("--start", type=Path, help="weights to start from (runs/starts/), unless there is a checkpoint")
    parser.add_argument("--minutes", type=float, default=90)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--batch", type=int, default=48)
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    seed = seed_for(options.output, options.seed)
    torch.manual_seed(sum(seed))
    random = np.random.default_rng(seed)
    crops = pack_pictures(options.data / "vehicle_crops" / "vehicle_crops.jsonl", options.cache / "vehicle_crops")
    scenes = pack_pictures(options.data / "scenes" / "scenes.jsonl", options.cache / "scenes")
    labels = attribute_labels(crops.records)
    sampler = AttributeSampler(crops, scenes, labels)
    print(f"{len(sampler.indices)} crops, {len(sampler.vehicles)} vehicles in scenes", flush=True)
    options.output.mkdir(parents=True, exist_ok=True)
    (options.output / "labels.json").write_text(json.dumps(labels), encoding="utf-8")
    network = AttributeNetwork([len(labels[head]) for head in HEADS])
    network.backbone.load_imagenet(options.data / "backbones" / "mobilenet_v2_1.0_imagenet_f16.npz")
    first = torch.from_numpy(np.stack([sampler.sample(random)[0] for _ in range(64)])).permute(0, 3, 1, 2).float()
    network.backbone.settle_norms((first - 127.5) / 127.5)
    if options.start is not None:
        load_start(network, options.start)
    channels_last(network)

    def step(number: int, progress: float) -> dict[str, torch.Tensor]:  # noqa: ARG001
        samples = [sampler.sample(random) for _ in range(options.batch)]
        pixels, batch = np.stack([crop for crop, _ in samples]), [allowed for _, allowed in samples]
        # Half of the batches are mixed, each crop with its neighbour (mixup, Zhang et al. 2018), until near the end.
        share = float(random.beta(0.3, 0.3)) if progress < 0.85 and random.random() < 0.5 else 1.0
        if share < 1.0:
            pixels = as_pixels(cv2.addWeighted(pixels, share, np.roll(pixels, 1, 0), 1 - share, 0))
        answers = network(torch.from_numpy(pixels))
        losses = attribute_losses(answers, batch, torch.full((len(batch),), share))
        if share < 1.0:
            others = attribute_losses(answers, batch[-1:] + batch[:-1], torch.full((len(batch),), 1 - share))
            losses = {head: losses[head] + others[head] for head in losses}
        return losses

    config = LoopConfig(
        options.output,
        options.minutes,
        options.rate,
        slow_rate=options.rate / 2.5,
        clip=5.0,
        threads=options.threads,
        report_every_steps=100,
    )
    train(network, step, config, slow="backbone")


if __name__ == "__main__":
    main()
