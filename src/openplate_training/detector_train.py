"""Trains the detector on whole pictures.

python -m openplate_training.detector_train --data DATA --cache CACHE --output FOLDER --minutes 75
"""

from __future__ import annotations

import numpy as np
import torch

from openplate_training.arguments import training_parser
from openplate_training.checkpoint import load_start, seed_for
from openplate_training.data import PackedPictures, Record, pack_pictures
from openplate_training.detector_data import Sample, WindowSampler
from openplate_training.detector_loss import DetectorLoss
from openplate_training.detector_model import DetectorNetwork
from openplate_training.layers import channels_last
from openplate_training.loop import LoopConfig, train

# Sets whose pictures say less than their number: near-identical views, or already augmented at their source.
SET_WEIGHTS = {
    "us_mixed_vanity_300": 0.5,
    "det_highway_overhead": 0.5,
    "eg_ealpr": 0.7,
    "nl_delft_video": 0.7,
    # The only ones whose corners people have set.
    "cn_easypr": 2.5,
    "eg_motorcycle": 2.0,
    "es_ulpgc_tgc": 2.5,
    "iwpod_corners": 2.5,
}


def picture_weights(records: list[Record]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    weights = np.array([SET_WEIGHTS.get(r["set"], 1.0) for r in records])
    return np.asarray(weights / weights.sum(), np.float64)


def build_sampler(pictures: PackedPictures, width: int, height: int, mosaic: float) -> WindowSampler:
    indices = pictures.subset(lambda record: record["split"] == "train")
    weights = picture_weights([pictures.records[i] for i in indices])
    return WindowSampler(pictures, indices, weights, width, height, mosaic=mosaic)


def batch_of(samples: list[Sample]) -> torch.Tensor:
    return torch.from_numpy(np.stack([s.pixels for s in samples]))


def main() -> None:
    options = training_parser(__doc__, "scenes/ and backbones/", minutes=75, batch=16, rate=1.2e-3).parse_args()
    seed = seed_for(options.output, options.seed)
    torch.manual_seed(sum(seed))
    random = np.random.default_rng(seed)
    pictures = pack_pictures(options.data / "scenes" / "scenes.jsonl", options.cache / "scenes")
    network = DetectorNetwork()
    small, large = (build_sampler(pictures, *shape) for shape in ((320, 320, 0.3), (576, 448, 0.15)))
    network.backbone.load_imagenet(options.data / "backbones" / "mobilenet_v1_0.5_imagenet_f16.npz")
    first = batch_of([small.sample(random) for _ in range(32)]).permute(0, 3, 1, 2).float()
    network.backbone.settle_norms((first - 127.5) / 127.5)
    if options.start is not None:
        load_start(network, options.start)
    channels_last(network)
    losses = {sampler.width: DetectorLoss(sampler.height, sampler.width) for sampler in (small, large)}

    def step(number: int, progress: float) -> dict[str, torch.Tensor]:
        # Small windows for most of the time: three times as many samples for the same arithmetic. The last fifth
        # sees windows of about the size that is served, so that large vehicles are learned whole.
        late = progress > 0.8 or (progress > 0.3 and number % 8 == 0)
        sampler, count = (large, options.batch // 2) if late else (small, options.batch)
        samples = [sampler.sample(random) for _ in range(count)]
        plates, vehicles = network(batch_of(samples))
        return losses[sampler.width](plates, vehicles, [s.labels for s in samples])

    config = LoopConfig(
        options.output,
        options.minutes,
        options.rate,
        slow_rate=options.rate / 3,
        threads=options.threads,
        bfloat16=options.bfloat16,
    )
    train(network, step, config, slow="backbone")


if __name__ == "__main__":
    main()
