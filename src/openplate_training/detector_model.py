"""The detector's network: one pass finds vehicles and plates, plates with their four corners.

Anchor-free: each cell of three maps (strides 8, 16, 32) may answer for one plate and for one vehicle.
"""

from __future__ import annotations

from typing import cast

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from openplate_training.backbone import MobileNetV1
from openplate_training.layers import convolution, members, separable

STRIDES = (8, 16, 32)
VEHICLE_CLASSES = 5
PLATE_CHANNELS = 1 + 4 + 8
VEHICLE_CHANNELS = VEHICLE_CLASSES + 4


class PooledContext(nn.Module):
    """Widens the view of the coarsest map by repeated max pooling (spatial pyramid pooling, He et al. 2014)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.squeeze = convolution(channels, channels // 2)
        self.mix = convolution(2 * channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        views = [self.squeeze(x)]
        for _ in range(3):
            views.append(F.max_pool2d(views[-1], 5, 1, 2))
        mixed: Tensor = self.mix(torch.cat(views, 1))
        return mixed


class Neck(nn.Module):
    """Mixes the three maps down and up again (FPN, Lin et al. 2017; PAN, Liu et al. 2018)."""

    def __init__(self, inputs: tuple[int, int, int], widths: tuple[int, int, int]) -> None:
        super().__init__()
        self.lateral = nn.ModuleList(convolution(i, w) for i, w in zip(inputs, widths, strict=True))
        self.context = PooledContext(widths[2])
        self.down4 = convolution(widths[2], widths[1])
        self.down3 = convolution(widths[1], widths[0])
        self.mix4, self.mix3 = separable(widths[1], widths[1]), separable(widths[0], widths[0])
        self.up4, self.up5 = separable(widths[0], widths[1], 2), separable(widths[1], widths[2], 2)

    def forward(self, maps: tuple[Tensor, Tensor, Tensor]) -> tuple[Tensor, Tensor, Tensor]:
        c3, c4, c5 = (lateral(m) for lateral, m in zip(self.lateral, maps, strict=True))
        p5 = self.context(c5)
        p4 = self.mix4(c4 + F.interpolate(self.down4(p5), scale_factor=2.0, mode="nearest"))
        p3 = self.mix3(c3 + F.interpolate(self.down3(p4), scale_factor=2.0, mode="nearest"))
        n4 = p4 + self.up4(p3)
        return p3, n4, p5 + self.up5(n4)


class DetectorNetwork(nn.Module):
    """uint8 RGB pictures (N, H, W, 3), H and W multiples of 32, to raw answers per cell.

    Output ``plates`` (N, 13, A): score (logit), box (centre offset and log size, in strides), four corner offsets in
    strides. Output ``vehicles`` (N, 9, A): five class logits in the order of ``datatypes.VEHICLE_LABELS``, box. A runs
    over the cells of strides 8, 16 and 32, each row by row. ``openplate.detection`` turns this into detections.
    """

    def __init__(self, widths: tuple[int, int, int] = (64, 96, 128)) -> None:
        super().__init__()
        self.backbone = MobileNetV1()
        self.neck = Neck(MobileNetV1.widths, widths)
        self.plate_heads = nn.ModuleList(
            nn.Sequential(separable(w, 64), separable(64, 64), nn.Conv2d(64, PLATE_CHANNELS, 1)) for w in widths
        )
        self.vehicle_heads = nn.ModuleList(
            nn.Sequential(separable(w, 64), nn.Conv2d(64, VEHICLE_CHANNELS, 1)) for w in widths
        )
        for heads, scores in ((self.plate_heads, 1), (self.vehicle_heads, VEHICLE_CLASSES)):
            for head in members(heads, nn.Sequential):
                start_rare(cast("nn.Conv2d", head[-1]), scores)

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        x = (pictures.permute(0, 3, 1, 2).float() - 127.5) * (1 / 127.5)
        maps = self.neck(self.backbone(x.contiguous(memory_format=torch.channels_last) if self.training else x))
        plates = [head(m).flatten(2) for head, m in zip(self.plate_heads, maps, strict=True)]
        vehicles = [head(m).flatten(2) for head, m in zip(self.vehicle_heads, maps, strict=True)]
        return torch.cat(plates, 2), torch.cat(vehicles, 2)


@torch.no_grad()
def start_rare(answers: nn.Conv2d, scores: int) -> None:
    """Lets a head's last convolution start where objects are rare: its first channels are ``scores`` (logits)."""
    answers.weight.normal_(std=0.01)
    if answers.bias is not None:
        answers.bias.zero_()
        answers.bias[:scores] = -4.6  # a prior of one percent (Lin et al. 2017)


def cell_centers(height: int, width: int) -> tuple[Tensor, Tensor]:
    """Centres (A, 2) as x, y in pixels and strides (A,) of the cells of an input of that size."""
    centers, strides = [], []
    for stride in STRIDES:
        ys, xs = torch.meshgrid(
            (torch.arange(height // stride) + 0.5) * stride,
            (torch.arange(width // stride) + 0.5) * stride,
            indexing="ij",
        )
        centers.append(torch.stack((xs, ys), -1).reshape(-1, 2))
        strides.append(torch.full((xs.numel(),), float(stride)))
    return torch.cat(centers), torch.cat(strides)


def decode_boxes(raw: Tensor, centers: Tensor, strides: Tensor) -> Tensor:
    """Raw (..., A, 4) to boxes x1, y1, x2, y2 in pixels."""
    middle = centers + raw[..., :2] * strides[:, None]
    half = raw[..., 2:].clamp(-6, 6).exp() * strides[:, None] / 2
    return torch.cat((middle - half, middle + half), -1)


def decode_corners(raw: Tensor, centers: Tensor, strides: Tensor) -> Tensor:
    """Raw (..., A, 8) to corners (..., A, 4, 2) in pixels."""
    offsets = torch.unflatten(raw, -1, (4, 2))
    return centers[:, None] + offsets * strides[:, None, None]
