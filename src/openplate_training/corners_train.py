"""Trains the corner network.

python -m openplate_training.corners_train --data DATA --cache CACHE --output FOLDER --minutes 15
"""

from __future__ import annotations

import cv2
import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812

from openplate_training.arguments import training_parser
from openplate_training.checkpoint import load_start, seed_for
from openplate_training.corners_data import CornerSampler, known_plates
from openplate_training.corners_model import CornerNetwork
from openplate_training.data import pack_pictures
from openplate_training.layers import channels_last
from openplate_training.loop import LoopConfig, train


def corner_loss(offsets: torch.Tensor, truth: torch.Tensor, aspects: torch.Tensor) -> torch.Tensor:
    """Mean distance of the corners in heights of the plate, smooth near nought; offsets (N, 8), truth (N, 4, 2)."""
    error = offsets.view(-1, 4, 2) - truth
    error = torch.stack((error[..., 0] * aspects[:, None], error[..., 1]), -1).norm(dim=-1)
    return F.smooth_l1_loss(error, torch.zeros_like(error), beta=0.05)


def main() -> None:
    options = training_parser(__doc__, "scenes/ and plate_crops/", minutes=15, batch=64, rate=2e-3).parse_args()
    cv2.setNumThreads(1)
    seed = seed_for(options.output, options.seed)
    torch.manual_seed(sum(seed))
    random = np.random.default_rng(seed)
    scenes = pack_pictures(options.data / "scenes" / "scenes.jsonl", options.cache / "scenes")
    crops = pack_pictures(options.data / "plate_crops" / "plate_crops.jsonl", options.cache / "plate_crops")
    sampler = CornerSampler([*known_plates(scenes), *known_plates(crops)])
    print(f"{len(sampler.plates)} plates", flush=True)
    network = CornerNetwork()
    if options.start is not None:
        load_start(network, options.start)
    channels_last(network)

    def step(number: int, progress: float) -> dict[str, torch.Tensor]:  # noqa: ARG001
        views, truth, aspects = zip(*(sampler.sample(random) for _ in range(options.batch)), strict=True)
        offsets = network(torch.from_numpy(np.stack(views)))
        return {"corners": corner_loss(offsets, torch.from_numpy(np.stack(truth)), torch.tensor(aspects))}

    config = LoopConfig(
        options.output,
        options.minutes,
        options.rate,
        clip=5.0,
        threads=options.threads,
        report_every_steps=100,
        bfloat16=options.bfloat16,
    )
    train(network, step, config)


if __name__ == "__main__":
    main()
