"""What the detector is taught: which cells answer for which object, and how wrong the answers are."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from openplate_training.detector_data import Labels, boxes_of
from openplate_training.detector_model import cell_centers, decode_boxes, decode_corners

TOP_CELLS = 10
SCORE_POWER, OVERLAP_POWER = 0.5, 6.0


@dataclass(frozen=True)
class Assignment:
    """For each cell the index of its object (-1: none) and how good an answer is asked of it (0 to 1)."""

    objects: Tensor
    targets: Tensor


def pairwise_iou(a: Tensor, b: Tensor) -> Tensor:
    low = torch.maximum(a[:, None, :2], b[None, :, :2])
    high = torch.minimum(a[:, None, 2:], b[None, :, 2:])
    common = (high - low).clamp(min=0).prod(-1)
    area_a, area_b = (a[:, 2:] - a[:, :2]).prod(-1), (b[:, 2:] - b[:, :2]).prod(-1)
    return common / (area_a[:, None] + area_b[None] - common).clamp(min=1e-6)


def covers(boxes: Tensor, centers: Tensor, least: float) -> Tensor:
    """(G, A): the cell's centre lies in the box, which is taken as at least ``least`` pixels on each side."""
    middle = (boxes[:, :2] + boxes[:, 2:]) / 2
    half = ((boxes[:, 2:] - boxes[:, :2]) / 2).clamp(min=least / 2)
    return ((centers[None] - middle[:, None]).abs() < half[:, None]).all(-1)


@torch.no_grad()
def assign(scores: Tensor, boxes: Tensor, objects: Tensor, centers: Tensor) -> Assignment:
    """Task-aligned assignment (Feng et al. 2021, TOOD): the cells whose score and box already fit best."""
    cells = len(centers)
    if not len(objects):
        return Assignment(torch.full((cells,), -1), torch.zeros(cells))
    overlap = pairwise_iou(objects, boxes)
    fitness = scores**SCORE_POWER * overlap**OVERLAP_POWER + 1e-9 * overlap
    fitness = fitness * covers(objects, centers, least=16.0)
    best = fitness.topk(min(TOP_CELLS, cells), dim=1).indices
    chosen = torch.zeros_like(fitness, dtype=torch.bool).scatter_(1, best, True) & (fitness > 0)
    rivals = torch.where(chosen, overlap, torch.full_like(overlap, -1.0))
    overlap_best, winner = rivals.max(0)
    won = overlap_best >= 0
    owner = torch.where(won, winner, torch.full_like(winner, -1))
    mine = torch.zeros_like(chosen)
    mine[winner[won], won.nonzero().squeeze(1)] = True
    fitness, overlap = fitness * mine, overlap * mine
    scale = overlap.amax(1) / fitness.amax(1).clamp(min=1e-12)
    return Assignment(owner, (fitness * scale[:, None]).amax(0))


def box_loss(predicted: Tensor, true: Tensor) -> Tensor:
    """One minus complete IoU (Zheng et al. 2020) of boxes (n, 4), pair by pair."""
    low = torch.maximum(predicted[:, :2], true[:, :2])
    high = torch.minimum(predicted[:, 2:], true[:, 2:])
    common = (high - low).clamp(min=0).prod(-1)
    size_p, size_t = predicted[:, 2:] - predicted[:, :2], true[:, 2:] - true[:, :2]
    iou = common / (size_p.prod(-1) + size_t.prod(-1) - common).clamp(min=1e-6)
    hull = torch.maximum(predicted[:, 2:], true[:, 2:]) - torch.minimum(predicted[:, :2], true[:, :2])
    apart = ((predicted[:, :2] + predicted[:, 2:] - true[:, :2] - true[:, 2:]) ** 2).sum(-1) / 4
    angle = torch.atan(size_t[:, 0] / size_t[:, 1].clamp(min=1e-3)) - torch.atan(
        size_p[:, 0] / size_p[:, 1].clamp(min=1e-3)
    )
    aspect = 4 / torch.pi**2 * angle**2
    with torch.no_grad():
        weight = aspect / (1 - iou + aspect).clamp(min=1e-6)
    return 1 - iou + apart / (hull**2).sum(-1).clamp(min=1e-6) + weight * aspect


class DetectorLoss:
    """Sums over a batch; the parts are weighted by ``WEIGHTS`` and divided by the number of objects asked for."""

    WEIGHTS = {"plate": 1.0, "plate_box": 4.0, "corners": 5.0, "vehicle": 1.0, "vehicle_box": 4.0}  # noqa: RUF012

    def __init__(self, height: int, width: int) -> None:
        self.centers, self.strides = cell_centers(height, width)

    def __call__(self, plates: Tensor, vehicles: Tensor, labels: list[Labels]) -> dict[str, Tensor]:
        totals: dict[str, Tensor] = {}
        asked = {"plate": torch.tensor(0.0), "vehicle": torch.tensor(0.0)}
        for plate, vehicle, truth in zip(plates.transpose(1, 2), vehicles.transpose(1, 2), labels, strict=True):
            for parts, count, kind in (
                (*self._plates(plate, truth), "plate"),
                (*self._vehicles(vehicle, truth), "vehicle"),
            ):
                asked[kind] += count
                for name, value in parts.items():
                    totals[name] = totals.get(name, torch.tensor(0.0)) + value
        for name in totals:
            kind = "vehicle" if name.startswith("vehicle") else "plate"
            totals[name] = totals[name] * self.WEIGHTS[name] / asked[kind].clamp(min=1.0)
        return totals

    def _plates(self, raw: Tensor, truth: Labels) -> tuple[dict[str, Tensor], Tensor]:
        quads = torch.from_numpy(truth.plates)
        objects = torch.from_numpy(boxes_of(truth.plate_boxes))
        boxes = decode_boxes(raw[:, 1:5], self.centers, self.strides)
        found = assign(raw[:, 0].detach().sigmoid(), boxes.detach(), objects, self.centers)
        mine = found.objects >= 0
        counted = mine | ~self._inside(truth.plate_ignore)
        score = F.binary_cross_entropy_with_logits(raw[:, 0], found.targets, reduction="none")
        parts = {"plate": (score * counted).sum()}
        if mine.any():
            index, weight = found.objects[mine], found.targets[mine]
            parts["plate_box"] = (box_loss(boxes[mine], objects[index]) * weight).sum()
            corners = decode_corners(raw[mine, 5:], self.centers[mine], self.strides[mine])
            height = ((quads[:, 3] - quads[:, 0]).norm(dim=-1) + (quads[:, 2] - quads[:, 1]).norm(dim=-1)) / 2
            error = (corners - quads[index]) / height[index].clamp(min=4.0)[:, None, None]
            error = F.smooth_l1_loss(error, torch.zeros_like(error), beta=0.05, reduction="none").sum(-1).mean(-1)
            parts["corners"] = (error * weight * torch.from_numpy(truth.has_corners)[index]).sum()
        return parts, found.targets.sum()

    def _vehicles(self, raw: Tensor, truth: Labels) -> tuple[dict[str, Tensor], Tensor]:
        objects = torch.from_numpy(boxes_of(truth.vehicles))
        classes = torch.from_numpy(truth.vehicle_classes)
        logits = raw[:, :5]
        boxes = decode_boxes(raw[:, 5:], self.centers, self.strides)
        found = assign(logits.detach().amax(1).sigmoid(), boxes.detach(), objects, self.centers)
        mine = found.objects >= 0
        counted = mine | ~self._inside(truth.vehicle_ignore)
        target = torch.zeros_like(logits)
        if mine.any():
            # A vehicle of unknown type asks only that the likeliest type be likely.
            kind = classes[found.objects[mine]]
            kind = torch.where(kind < 0, logits[mine].detach().argmax(1), kind)
            target[mine, kind] = found.targets[mine]
        score = F.binary_cross_entropy_with_logits(logits, target, reduction="none").sum(1)
        parts = {"vehicle": (score * counted).sum()}
        if mine.any():
            error = box_loss(boxes[mine], objects[found.objects[mine]])
            parts["vehicle_box"] = (error * found.targets[mine]).sum()
        return parts, found.targets.sum()

    def _inside(self, quads: object) -> Tensor:
        boxes = torch.from_numpy(boxes_of(quads))  # type: ignore[arg-type]
        if not len(boxes):
            return torch.zeros(len(self.centers), dtype=torch.bool)
        return covers(boxes, self.centers, least=16.0).any(0)
