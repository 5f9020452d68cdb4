"""Trains the attribute network.

python -m openplate_training.attributes_train --data DATA --cache CACHE --output FOLDER --minutes 90
"""

from __future__ import annotations

import json
from collections.abc import Sequence

import cv2
import numpy as np
import torch

from openplate.attributes import HEADS
from openplate_training.arguments import training_parser
from openplate_training.attributes_data import NOTHING, Allowed, AttributeSampler, attribute_labels
from openplate_training.attributes_model import AttributeNetwork
from openplate_training.augment import as_pixels
from openplate_training.checkpoint import load_start, seed_for
from openplate_training.data import pack_pictures
from openplate_training.layers import channels_last
from openplate_training.loop import LoopConfig, train
from openplate_training.losses import sets_loss

WEIGHTS = {"type": 0.6, "model": 0.8, "body": 0.4, "year": 0.3, "color": 1.0, "view": 1.2}


def head_loss(logits: torch.Tensor, allowed: Sequence[tuple[int, ...] | None]) -> torch.Tensor:
    """The loss of each crop (N,); an empty tuple teaches nothing, None wants all labels alike."""
    every = range(logits.shape[1])
    right = sets_loss(logits, [columns or every for columns in allowed])
    even = -logits.log_softmax(1).mean(1)
    is_nothing = torch.tensor([columns is None for columns in allowed])
    is_known = torch.tensor([columns is None or len(columns) > 0 for columns in allowed])
    return torch.where(is_known, torch.where(is_nothing, even, right), torch.zeros_like(right))


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
    options = training_parser(
        __doc__, "vehicle_crops/, scenes/ and backbones/", minutes=90, batch=48, rate=2e-3
    ).parse_args()
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
        bfloat16=options.bfloat16,
    )
    train(network, step, config, slow="backbone")


if __name__ == "__main__":
    main()
