"""MobileNet V1 at half width (Howard et al. 2017, arXiv:1704.04861) and MobileNet V2 (Sandler et al. 2018,
arXiv:1801.04381), warm-started from ImageNet weights.

The stored weights have their batch norm folded in. The layers up to stride 4 are kept as they are (frozen: generic
edges and colours, and the costly part of a training step on a CPU); behind each later convolution stands a new
batch norm, set from the statistics of real pictures so that the network's function is the stored one at the start.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 (the name everybody knows)
from torch import Tensor, nn

from openplate_training.layers import members

PAIR_STRIDES = (1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1)
PAIR_WIDTHS = (32, 64, 64, 128, 128, 256, 256, 256, 256, 256, 256, 512, 512)
FROZEN_PAIRS = 3


class SameConv(nn.Module):
    """Convolution with TensorFlow's SAME padding for even sizes, optional batch norm, ReLU6 unless ``linear``."""

    def __init__(
        self, inputs: int, outputs: int, kernel: int, stride: int, groups: int, norm: bool, linear: bool = False
    ) -> None:
        super().__init__()
        self.linear = linear
        padding = kernel // 2 if stride == 1 else 0
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, padding, groups=groups)
        self.norm = nn.BatchNorm2d(outputs) if norm else None

    def forward(self, x: Tensor) -> Tensor:
        x = self.convolve(x)
        x = x if self.norm is None else self.norm(x)
        return x if self.linear else F.relu6(x)

    def convolve(self, x: Tensor) -> Tensor:
        """The convolution alone."""
        answers: Tensor = self.conv(F.pad(x, (0, 1, 0, 1)) if self.conv.stride[0] == 2 else x)
        return answers

    @torch.no_grad()
    def settle_norm(self, maps: Tensor) -> None:
        """Sets the batch norm, where there is one, to undo itself on these inputs."""
        norm = self.norm
        if norm is None or norm.running_mean is None or norm.running_var is None:
            return
        variance, mean = torch.var_mean(self.convolve(maps), (0, 2, 3))
        norm.running_mean.copy_(mean)
        norm.running_var.copy_(variance)
        norm.weight.copy_((variance + norm.eps).sqrt())
        norm.bias.copy_(mean)


@torch.no_grad()
def load_folded(layers: list[SameConv], file: Path) -> None:
    """Takes the stored weights, in forward order, into the layers."""
    with np.load(file) as arrays:
        for i, layer in enumerate(layers):
            for name, parameter in (("w", layer.conv.weight), ("b", layer.conv.bias)):
                if parameter is not None:
                    parameter.copy_(torch.from_numpy(arrays[f"conv_{i:02d}_{name}"].astype(np.float32)))


class MobileNetV1(nn.Module):
    """Pictures scaled to -1..1, (N, 3, H, W) with H and W multiples of 32, to the maps at strides 8, 16, 32."""

    widths = (128, 256, 512)

    def __init__(self) -> None:
        super().__init__()
        layers, inputs = [SameConv(3, 16, 3, 2, 1, norm=False)], 16
        for i, (stride, outputs) in enumerate(zip(PAIR_STRIDES, PAIR_WIDTHS, strict=True)):
            norm = i >= FROZEN_PAIRS
            layers.append(SameConv(inputs, inputs, 3, stride, inputs, norm))
            layers.append(SameConv(inputs, outputs, 1, 1, 1, norm))
            inputs = outputs
        self.layers = nn.ModuleList(layers)
        for layer in layers[: 1 + 2 * FROZEN_PAIRS]:
            layer.requires_grad_(False)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        frozen, layers = 1 + 2 * FROZEN_PAIRS, members(self.layers, SameConv)
        with torch.set_grad_enabled(torch.is_grad_enabled() and layers[0].conv.weight.requires_grad):
            for layer in layers[:frozen]:
                x = layer(x)
        maps = []
        for i, layer in enumerate(layers[frozen:], frozen):
            x = layer(x)
            if i in (10, 22, 26):
                maps.append(x)
        return maps[0], maps[1], maps[2]

    def load_imagenet(self, file: Path) -> None:
        """Takes the folded weights of `mobilenet_v1_0.5_imagenet_f16.npz`."""
        load_folded(members(self.layers, SameConv), file)

    @torch.no_grad()
    def settle_norms(self, pictures: Tensor) -> None:
        """Sets each batch norm to undo itself on ``pictures``, so that it changes nothing at the start."""
        x = pictures
        for layer in members(self.layers, SameConv):
            training = layer.training
            layer.settle_norm(x)
            x = layer.eval()(x)
            layer.train(training)


V2_STAGES = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))
FROZEN_BLOCKS = 3


class InvertedResidual(nn.Module):
    """Widen, filter each channel by itself, project; a shortcut where sizes allow."""

    def __init__(self, inputs: int, outputs: int, factor: int, stride: int, norm: bool) -> None:
        super().__init__()
        middle = inputs * factor
        self.widen = SameConv(inputs, middle, 1, 1, 1, norm) if factor > 1 else None
        self.filter = SameConv(middle, middle, 3, stride, middle, norm)
        self.project = SameConv(middle, outputs, 1, 1, 1, norm, linear=True)
        self.shortcut = stride == 1 and inputs == outputs

    def convolutions(self) -> list[SameConv]:
        """Its convolutions in forward order."""
        return [layer for layer in (self.widen, self.filter, self.project) if layer is not None]

    def forward(self, x: Tensor) -> Tensor:
        y = x
        for layer in self.convolutions():
            y = layer(y)
        return x + y if self.shortcut else y


class MobileNetV2(nn.Module):
    """Pictures scaled to -1..1, (N, 3, H, W) with H and W multiples of 32, to the maps at strides 16 and 32.

    The layers up to stride 4 are frozen, as in ``MobileNetV1``.
    """

    widths = (96, 1280)

    def __init__(self) -> None:
        super().__init__()
        self.first = SameConv(3, 32, 3, 2, 1, norm=False)
        blocks: list[InvertedResidual] = []
        inputs = 32
        for factor, outputs, repeats, stride in V2_STAGES:
            for i in range(repeats):
                norm = len(blocks) >= FROZEN_BLOCKS
                blocks.append(InvertedResidual(inputs, outputs, factor, stride if i == 0 else 1, norm))
                inputs = outputs
        self.blocks = nn.ModuleList(blocks)
        self.last = SameConv(inputs, 1280, 1, 1, 1, norm=True)
        self.first.requires_grad_(False)
        self.blocks[:FROZEN_BLOCKS].requires_grad_(False)

    def convolutions(self) -> list[SameConv]:
        """All convolutions in forward order."""
        inner = [c for block in members(self.blocks, InvertedResidual) for c in block.convolutions()]
        return [self.first, *inner, self.last]

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        x, middle = self.first(x), x
        for i, block in enumerate(members(self.blocks, InvertedResidual)):
            x = block(x)
            if i == 12:
                middle = x
        return middle, self.last(x)

    def load_imagenet(self, file: Path) -> None:
        """Takes the folded weights of `mobilenet_v2_1.0_imagenet_f16.npz`."""
        load_folded(self.convolutions(), file)

    @torch.no_grad()
    def settle_norms(self, pictures: Tensor) -> None:
        """Sets each batch norm to undo itself on ``pictures``, so that it changes nothing at the start."""
        training = self.training
        self.eval()
        hooks = [
            layer.register_forward_pre_hook(lambda module, inputs: module.settle_norm(inputs[0]))
            for layer in self.convolutions()
        ]
        self(pictures)
        for hook in hooks:
            hook.remove()
        self.train(training)
