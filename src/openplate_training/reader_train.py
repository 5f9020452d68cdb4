"""Trains the reader on real and rendered plates.

python -m openplate_training.reader_train --data DATA --cache CACHE --rendered DIR --output FOLDER --minutes 75
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812

from openplate_training.arguments import training_parser
from openplate_training.checkpoint import load_start, seed_for
from openplate_training.data import pack_pictures
from openplate_training.found_corners import found_corners
from openplate_training.layers import channels_last
from openplate_training.loop import LoopConfig, train
from openplate_training.reader_data import ReaderSampler, RenderedPlates, encode_text
from openplate_training.reader_model import ALPHABET, ReaderNetwork

RENDERED_SHARE = 0.6  # to the end: some countries have no other plates


def ctc_loss(log_probabilities: torch.Tensor, texts: list[str]) -> torch.Tensor:
    """Mean over the batch of the negative log probability of each text, over all its alignments."""
    targets = torch.tensor([c for text in texts for c in encode_text(text)])
    lengths = torch.tensor([len(text) for text in texts])
    steps = torch.full((len(texts),), log_probabilities.shape[1])
    loss = F.ctc_loss(
        log_probabilities.transpose(0, 1),
        targets,
        steps,
        lengths,
        blank=len(ALPHABET),
        reduction="none",
        zero_infinity=True,
    )
    return loss.mean()


def main() -> None:
    parser = training_parser(__doc__, "plate_crops/", minutes=75, batch=64, rate=1.5e-3)
    parser.add_argument("--rendered", type=Path, required=True, help="folder of rendered plates; may still grow")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    seed = seed_for(options.output, options.seed)
    torch.manual_seed(sum(seed))
    random = np.random.default_rng(seed)
    crops = pack_pictures(options.data / "plate_crops" / "plate_crops.jsonl", options.cache / "plate_crops")
    rendered = RenderedPlates(options.rendered)
    rendered.refresh()
    sampler = ReaderSampler(crops, rendered, found_corners(crops, options.cache / "plate_crops"))
    network = ReaderNetwork()
    if options.start is not None:
        load_start(network, options.start)
    channels_last(network)

    def step(number: int, progress: float) -> dict[str, torch.Tensor]:  # noqa: ARG001
        if number % 500 == 0:
            print(f"{len(sampler.indices)} real plates, {rendered.refresh()} rendered", flush=True)
        samples = [sampler.sample(random, RENDERED_SHARE) for _ in range(options.batch)]
        log_probabilities = network(torch.from_numpy(np.stack([pixels for pixels, _ in samples])))
        return {"ctc": ctc_loss(log_probabilities, [text for _, text in samples])}

    config = LoopConfig(
        options.output,
        options.minutes,
        options.rate,
        weight_decay=0.03,
        clip=5.0,
        threads=options.threads,
        report_every_steps=100,
        bfloat16=options.bfloat16,
    )
    train(network, step, config)


if __name__ == "__main__":
    main()
