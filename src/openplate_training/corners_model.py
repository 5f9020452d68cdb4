"""The corner network: a plate from close up, its corners roughly in place, to where they really are."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from openplate_training.layers import convolution
from openplate_training.reader_model import Bottleneck, step_down

WIDTH, HEIGHT = 112, 64


class CornerNetwork(nn.Module):
    """uint8 RGB views (N, 64, 112, 3) to offsets (N, 8): x and y of each corner, clockwise from the top left, from
    where the view puts it, in widths and heights of the plate.
    """

    def __init__(self, widths: tuple[int, int, int, int] = (16, 32, 64, 96)) -> None:
        super().__init__()
        a, b, c, d = widths
        self.body = nn.Sequential(
            step_down(3, a, (2, 2)),
            step_down(a, b, (2, 2)),
            Bottleneck(b),
            step_down(b, c, (2, 2)),
            Bottleneck(c),
            Bottleneck(c),
            step_down(c, d, (2, 2)),
            Bottleneck(d),
            convolution(d, d // 2),
        )
        # Every corner is a question of place, so the map is kept as it is instead of being pooled.
        self.hidden = nn.Linear(d // 2 * (HEIGHT // 16) * (WIDTH // 16), 128)
        self.locate = nn.Linear(128, 8)
        nn.init.normal_(self.locate.weight, std=0.01)
        nn.init.zeros_(self.locate.bias)

    def forward(self, views: Tensor) -> Tensor:
        x = (views.permute(0, 3, 1, 2).float() - 127.5) * (1 / 127.5)
        features = self.body(x.contiguous(memory_format=torch.channels_last) if self.training else x)
        offsets: Tensor = self.locate(torch.relu(self.hidden(features.flatten(1))))
        return offsets
