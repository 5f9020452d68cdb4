"""The reader's network: a rectified plate to characters, one- and two-line plates alike.

Convolutions to two rows of forty columns, two attention layers that let each column see the whole plate, and a
distribution over the alphabet and "nothing" for each column (connectionist temporal classification, CTC, Graves
et al. 2006). The two rows are read one after the other, so a second line follows the first.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from openplate_training.layers import convolution

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
WIDTH, HEIGHT = 160, 64
COLUMNS, ROWS = 40, 2
LUMA = (0.299, 0.587, 0.114)


class Bottleneck(nn.Module):
    """A residual block: 1x1, 3x3 and 1x1 convolutions on half the channels (He et al. 2015). A new one changes
    nothing (Goyal et al. 2017), so a trained network can be made deeper and goes on from where it was.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        middle = channels // 2
        self.body = nn.Sequential(convolution(channels, middle), convolution(middle, middle, 3))
        norm = nn.BatchNorm2d(channels)
        nn.init.zeros_(norm.weight)
        self.widen = nn.Sequential(nn.Conv2d(middle, channels, 1, bias=False), norm)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(x + self.widen(self.body(x)))


def step_down(inputs: int, outputs: int, stride: tuple[int, int]) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)
    )


class Mixing(nn.Module):
    """A transformer encoder layer over all columns (Vaswani et al. 2017), norms first. A new one changes nothing."""

    def __init__(self, channels: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm_in, self.norm_out = nn.LayerNorm(channels), nn.LayerNorm(channels)
        self.to_qkv, self.project = nn.Linear(channels, 3 * channels), nn.Linear(channels, channels)
        narrow = nn.Linear(2 * channels, channels)
        self.feed = nn.Sequential(nn.Linear(channels, 2 * channels), nn.ReLU(inplace=True), narrow)
        for last in (self.project, narrow):
            nn.init.zeros_(last.weight)
            nn.init.zeros_(last.bias)

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = self.to_qkv(self.norm_in(x)).unflatten(2, (3, self.heads, -1)).permute(2, 0, 3, 1, 4).unbind(0)
        weights = (q @ k.transpose(-2, -1) * (q.shape[-1] ** -0.5)).softmax(-1)
        x = x + self.project((weights @ v).transpose(1, 2).flatten(2))
        mixed: Tensor = x + self.feed(self.norm_out(x))
        return mixed


class ReaderNetwork(nn.Module):
    """uint8 RGB crops (N, 64, 160, 3) to log probabilities (N, 80, 37): 2 x 40 columns, "nothing" last.

    Colour carries no text: the crop is made grey and its contrast is evened out, so that dark, pale and tinted
    plates look alike.
    """

    luma: Tensor

    def __init__(self, widths: tuple[int, int, int, int, int] = (16, 40, 80, 128, 160)) -> None:
        super().__init__()
        a, b, c, d, e = widths
        self.register_buffer("luma", torch.tensor(LUMA).view(1, 3, 1, 1), persistent=False)
        self.body = nn.Sequential(
            step_down(1, a, (2, 2)),
            step_down(a, b, (2, 2)),
            Bottleneck(b),
            step_down(b, c, (2, 1)),
            Bottleneck(c),
            Bottleneck(c),
            step_down(c, d, (2, 1)),
            Bottleneck(d),
            Bottleneck(d),
            Bottleneck(d),
            nn.Conv2d(d, e, (2, 1), (2, 1), bias=False),
            nn.BatchNorm2d(e),
            nn.ReLU(inplace=True),
        )
        self.place = nn.Parameter(torch.randn(1, ROWS * COLUMNS, e) * 0.02)
        self.mixing = nn.Sequential(Mixing(e, 4), Mixing(e, 4))
        self.drop = nn.Dropout(0.1)
        self.norm = nn.LayerNorm(e)
        self.classify = nn.Linear(e, len(ALPHABET) + 1)
        nn.init.constant_(self.classify.bias[-1:], 2.0)

    def forward(self, crops: Tensor) -> Tensor:
        grey = (crops.permute(0, 3, 1, 2).float() * self.luma).sum(1, keepdim=True)
        grey = grey - grey.mean((2, 3), keepdim=True)
        grey = grey / ((grey * grey).mean((2, 3), keepdim=True).sqrt() + 4.0)
        tokens = self.body(grey).flatten(2).transpose(1, 2)
        tokens = self.mixing(tokens + self.place)
        logits: Tensor = self.classify(self.norm(self.drop(tokens)))
        return logits.log_softmax(-1)
