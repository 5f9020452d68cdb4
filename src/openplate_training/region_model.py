"""The region network: who issued a plate, judged by its look (colours, bands, emblems, lettering, state names)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from openplate_training.backbone import MobileNetV2

WIDTH, HEIGHT = 160, 96


class RegionNetwork(nn.Module):
    """uint8 RGB crops (N, 96, 160, 3) to one logit per region (N, regions)."""

    def __init__(self, regions: int) -> None:
        super().__init__()
        self.backbone = MobileNetV2()
        self.drop = nn.Dropout(0.3)
        self.classify = nn.Linear(sum(MobileNetV2.widths), regions)

    def forward(self, crops: Tensor) -> Tensor:
        x = (crops.permute(0, 3, 1, 2).float() - 127.5) * (1 / 127.5)
        middle, last = self.backbone(x.contiguous(memory_format=torch.channels_last) if self.training else x)
        # The finer map keeps small lettering, its maximum finds it wherever it stands.
        features = torch.cat((middle.amax((2, 3)), last.mean((2, 3))), 1)
        logits: Tensor = self.classify(self.drop(features))
        return logits
