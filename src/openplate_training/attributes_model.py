"""The attribute network: what a vehicle is, judged by its look, in one pass with a head for each question."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from openplate_training.backbone import MobileNetV2

WIDTH, HEIGHT = 160, 128


class AttributeNetwork(nn.Module):
    """uint8 RGB crops (N, 128, 160, 3) to a tuple of logits (N, labels), one for each head.

    ``sizes`` are the numbers of labels, in the order of ``openplate.attributes.HEADS``.
    """

    def __init__(self, sizes: Sequence[int]) -> None:
        super().__init__()
        self.sizes = list(sizes)
        self.backbone = MobileNetV2()
        self.drop = nn.Dropout(0.25)
        self.classify = nn.Linear(sum(MobileNetV2.widths), sum(self.sizes))

    def forward(self, crops: Tensor) -> tuple[Tensor, ...]:
        x = (crops.permute(0, 3, 1, 2).float() - 127.5) * (1 / 127.5)
        middle, last = self.backbone(x.contiguous(memory_format=torch.channels_last) if self.training else x)
        # The finer map keeps badges and lamps, its maximum finds them wherever they are.
        features = torch.cat((middle.amax((2, 3)), last.mean((2, 3))), 1)
        logits: Tensor = self.classify(self.drop(features))
        return torch.split(logits, self.sizes, 1)
