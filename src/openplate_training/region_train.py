"""Trains the region network.

python -m openplate_training.region_train --data DATA --cache CACHE --rendered DIR --output FOLDER --minutes 60
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import torch

from openplate.datatypes import Corners
from openplate.imaging import rectify
from openplate_training import augment
from openplate_training.arguments import training_parser
from openplate_training.augment import Random, chance
from openplate_training.checkpoint import load_start, seed_for
from openplate_training.data import PackedPictures, Pixels, Record, load_records, pack_pictures
from openplate_training.found_corners import found_corners
from openplate_training.layers import channels_last
from openplate_training.layouts import LAYOUTS
from openplate_training.loop import LoopConfig, train
from openplate_training.losses import sets_loss
from openplate_training.reader_data import degrade_crop, is_held_for_calibration, shaken_corners
from openplate_training.region_model import HEIGHT, WIDTH, RegionNetwork

LEAST_EXAMPLES = 12  # regions with fewer real training crops are not asked for
# Countries that `region_guess` names; it is 98 to 100 % right where the truth is known, Spain (86 %) left out.
GUESSED = {
    "Australia": "au",
    "Austria": "at",
    "Belgium": "be",
    "Brazil": "br",
    "Canada": "ca",
    "France": "fr",
    "Germany": "de",
    "Ireland": "ie",
    "Israel": "il",
    "Italy": "it",
    "Malaysia": "my",
    "Netherlands": "nl",
    "New Zealand": "nz",
    "Poland": "pl",
    "Singapore": "sg",
    "Sweden": "se",
    "United Kingdom": "gb",
    "United States": "us",
}
HARD_SETS = {"us_states_crops": 3.0}  # fifty states alike in size and shape; whole countries are learned soon
RENDERED = ("ar", "br")
"""Regions of which there are rendered plates only: their formats settle look-alike characters."""
RENDERED_SHARE = 0.2
TINTED_SHARE = 0.4  # of the rendered plates: else all that is green at night is Chinese
COUNTRY_ONLY = {"in"}  # states are in the text, not in the look


def region_of(record: Record) -> str | None:
    """The label that is taught: the human one, else a sure guess of the country."""
    region: str | None = record["region"]
    if region is None and record.get("region_guess"):
        region = GUESSED.get(record["region_guess"][0])
    if region is not None and region.split("-")[0] in COUNTRY_ONLY:
        region = region.split("-")[0]
    return region


def region_labels(records: list[Record], rendered: Sequence[str] = ()) -> list[str]:
    """The regions to tell apart, sorted: those with enough training crops, and the ``rendered`` ones."""
    counts = Counter(region_of(r) for r in records if r["split"] == "train")
    enough = {code for code, n in counts.items() if code is not None and n >= LEAST_EXAMPLES and code != "us"}
    return sorted(enough | set(rendered))


def allowed_labels(region: str, labels: list[str]) -> list[int]:
    """The labels that agree with a region: itself, or all parts of a country whose part is not known."""
    if region in labels:
        return [labels.index(region)]
    return [i for i, label in enumerate(labels) if label.startswith(f"{region}-")]


def allowed_for_rendered(region: str | None, labels: list[str]) -> list[int]:
    """The labels that agree with a rendered plate; one of no country is none of those that have rendered plates."""
    if region is not None:
        return allowed_labels(region, labels) or allowed_labels(region.split("-")[0], labels)
    drawn = {layout.region for layout in LAYOUTS}
    return [i for i, label in enumerate(labels) if label.split("-")[0] not in drawn]


@dataclass
class RenderedRegions:
    """The folders that `openplate_training.synthesize --height 96` wrote."""

    folder: Path
    images: list[Pixels] = field(default_factory=list)
    regions: list[list[str | None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        for file in sorted(self.folder.glob("**/labels.jsonl")):
            self.images.append(np.load(file.parent / "images.npy", mmap_mode="r"))
            self.regions.append([record["region"] for record in load_records(file)])
            if self.images[-1].shape[1:] != (HEIGHT, WIDTH, 3):
                raise ValueError(f"{file.parent} was not rendered with --height {HEIGHT}")

    def sample(self, random: Random) -> tuple[Pixels, str | None]:
        """A plate, and who issued it where that is told."""
        chunk = int(random.integers(len(self.images)))
        index = int(random.integers(len(self.regions[chunk])))
        return np.array(self.images[chunk][index]), self.regions[chunk][index]


@dataclass
class RegionSampler:
    """Real crops, regions and sets with few of them more often than their share; and rendered plates."""

    crops: PackedPictures
    labels: list[str]
    rendered: RenderedRegions | None = None
    found: npt.NDArray[np.float64] | None = None
    indices: npt.NDArray[np.int64] = field(init=False)
    weights: npt.NDArray[np.float64] = field(init=False)

    def __post_init__(self) -> None:
        def is_taught(record: Record) -> bool:
            region = region_of(record)
            is_known = region is not None and bool(allowed_labels(region, self.labels))
            return record["split"] == "train" and is_known and not is_held_for_calibration(record)

        self.indices = self.crops.subset(is_taught)
        keys = [(r["set"], region_of(r)) for r in (self.crops.records[i] for i in self.indices)]
        counts = Counter(keys)
        weights = np.array([HARD_SETS.get(name, 1.0) * counts[name, region] ** -0.6 for name, region in keys])
        self.weights = weights / weights.sum()

    def sample(self, random: Random) -> tuple[Pixels, list[int]]:
        if self.rendered is not None and self.rendered.images and chance(random, RENDERED_SHARE):
            pixels, region = self.rendered.sample(random)
            if chance(random, TINTED_SHARE):
                pixels = augment.tint(pixels, random)
            return degrade_crop(pixels, random, 0.4, grey=0.1), allowed_for_rendered(region, self.labels)
        index = int(random.choice(self.indices, p=self.weights))
        record = self.crops.records[index]
        found = None if self.found is None else self.found[index]
        corners = Corners.from_points(shaken_corners(record, random, found))
        pixels = rectify(self.crops.picture(index), corners, WIDTH, HEIGHT)
        if chance(random, 0.7):
            pixels = degrade_crop(pixels, random, 0.6, grey=0.1)
        return pixels, allowed_labels(region_of(record) or "", self.labels)


def region_loss(logits: torch.Tensor, allowed: list[list[int]]) -> torch.Tensor:
    """Negative log of the probability of all labels that would be right, with a little smoothing."""
    return sets_loss(logits, allowed).mean()


def main() -> None:
    parser = training_parser(__doc__, "plate_crops/ and backbones/", minutes=60, batch=48, rate=1.5e-3)
    parser.add_argument("--rendered", type=Path, help="folder of plates rendered with --height 96")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    seed = seed_for(options.output, options.seed)
    torch.manual_seed(sum(seed))
    random = np.random.default_rng(seed)
    list_file = options.data / "plate_crops" / "plate_crops.jsonl"
    crops = pack_pictures(list_file, options.cache / "plate_crops")
    labels = region_labels(load_records(list_file), RENDERED if options.rendered else ())
    rendered = RenderedRegions(options.rendered) if options.rendered else None
    sampler = RegionSampler(crops, labels, rendered, found_corners(crops, options.cache / "plate_crops"))
    print(f"{len(labels)} regions, {len(sampler.indices)} crops", flush=True)
    options.output.mkdir(parents=True, exist_ok=True)
    (options.output / "labels.json").write_text(json.dumps(labels), encoding="utf-8")
    network = RegionNetwork(len(labels))
    network.backbone.load_imagenet(options.data / "backbones" / "mobilenet_v2_1.0_imagenet_f16.npz")
    first = torch.from_numpy(np.stack([sampler.sample(random)[0] for _ in range(64)])).permute(0, 3, 1, 2).float()
    network.backbone.settle_norms((first - 127.5) / 127.5)
    if options.start is not None:
        load_start(network, options.start)
    channels_last(network)

    def step(number: int, progress: float) -> dict[str, torch.Tensor]:  # noqa: ARG001
        samples = [sampler.sample(random) for _ in range(options.batch)]
        pixels, allowed = np.stack([crop for crop, _ in samples]), [labels for _, labels in samples]
        share = float(random.beta(0.3, 0.3)) if progress < 0.9 else 1.0
        # Each crop mixed with its neighbour, labels alike (mixup, Zhang et al. 2018): fifty crops a state are few.
        mixed = cv2.addWeighted(pixels, share, np.roll(pixels, 1, 0), 1 - share, 0)
        logits = network(torch.from_numpy(mixed))
        neighbours = allowed[-1:] + allowed[:-1]
        return {"region": share * region_loss(logits, allowed) + (1 - share) * region_loss(logits, neighbours)}

    config = LoopConfig(
        options.output,
        options.minutes,
        options.rate,
        slow_rate=options.rate / 3,
        clip=5.0,
        threads=options.threads,
        report_every_steps=100,
        bfloat16=options.bfloat16,
    )
    train(network, step, config, slow="backbone")


if __name__ == "__main__":
    main()
