"""The backbones: maps of known sizes, stored weights, norms that start as if they were not there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from drawn_data import BACKBONE_V1, BACKBONE_V2
from openplate_training.backbone import InvertedResidual, MobileNetV1, MobileNetV2, SameConv
from openplate_training.layers import members

WIDTH, HEIGHT = 96, 64


def convolutions(backbone: MobileNetV1 | MobileNetV2) -> list[SameConv]:
    return backbone.convolutions() if isinstance(backbone, MobileNetV2) else members(backbone.layers, SameConv)


def plain(layer: SameConv, x: Tensor) -> Tensor:
    """A layer as it is stored: SAME padding, convolution, ReLU6 where it has one; no norm."""
    kernel, stride = layer.conv.kernel_size[0], layer.conv.stride[0]
    before = (kernel - stride) // 2 if kernel > 1 else 0
    after = max(0, kernel - stride) - before
    x = F.conv2d(
        F.pad(x, (before, after, before, after)), layer.conv.weight, layer.conv.bias, stride, 0, 1, layer.conv.groups
    )
    return x if layer.linear else x.clamp(0, 6)


def plain_v1(backbone: MobileNetV1, x: Tensor) -> list[Tensor]:
    maps = []
    for number, layer in enumerate(members(backbone.layers, SameConv)):
        x = plain(layer, x)
        maps += [x] if number in (10, 22, 26) else []
    return maps


def plain_v2(backbone: MobileNetV2, x: Tensor) -> list[Tensor]:
    x, maps = plain(backbone.first, x), []
    for block in members(backbone.blocks, InvertedResidual):
        y = x
        for layer in block.convolutions():
            y = plain(layer, y)
        x = x + y if y.shape == x.shape else y
        maps.append(x)
    return [maps[12], plain(backbone.last, x)]


def test_the_first_backbone_gives_three_maps() -> None:
    maps = MobileNetV1()(torch.zeros(1, 3, HEIGHT, WIDTH))
    assert [tuple(m.shape) for m in maps] == [(1, 128, 8, 12), (1, 256, 4, 6), (1, 512, 2, 3)]


def test_the_second_backbone_gives_two_maps() -> None:
    maps = MobileNetV2()(torch.zeros(1, 3, HEIGHT, WIDTH))
    assert [tuple(m.shape) for m in maps] == [(1, 96, 4, 6), (1, 1280, 2, 3)]


@pytest.mark.parametrize(("kind", "file"), [(MobileNetV1, BACKBONE_V1), (MobileNetV2, BACKBONE_V2)])
def test_stored_weights_are_loaded_in_order(
    kind: type[MobileNetV1] | type[MobileNetV2], file: Path, data_folder: Path
) -> None:
    backbone = kind()
    backbone.load_imagenet(data_folder / file)
    with np.load(data_folder / file) as arrays:
        layers = convolutions(backbone)
        assert len(arrays.files) == 2 * len(layers)
        for number, layer in enumerate(layers):
            stored = arrays[f"conv_{number:02d}_w"].astype(np.float32)
            np.testing.assert_array_equal(layer.conv.weight.detach().numpy(), stored)


@pytest.mark.parametrize("is_second", [False, True])
def test_norms_settle_without_changing_what_the_stored_network_does(is_second: bool, data_folder: Path) -> None:
    backbone = MobileNetV2() if is_second else MobileNetV1()
    backbone.load_imagenet(data_folder / (BACKBONE_V2 if is_second else BACKBONE_V1))
    pictures = torch.rand(4, 3, HEIGHT, WIDTH) * 2 - 1
    with torch.no_grad():
        expected = plain_v2(backbone, pictures) if isinstance(backbone, MobileNetV2) else plain_v1(backbone, pictures)
        backbone.settle_norms(pictures)
        assert backbone.training
        found = backbone.eval()(pictures)
    for ours, theirs in zip(found, expected, strict=True):
        assert theirs.std() > 0.01
        torch.testing.assert_close(ours, theirs, atol=2e-4, rtol=2e-3)


@pytest.mark.parametrize("kind", [MobileNetV1, MobileNetV2])
def test_the_layers_up_to_stride_four_are_frozen_and_nothing_else(kind: type[MobileNetV1] | type[MobileNetV2]) -> None:
    """Those are the layers without a norm of their own."""
    backbone = kind()
    frozen = [layer for layer in convolutions(backbone) if not layer.conv.weight.requires_grad]
    assert frozen == [layer for layer in convolutions(backbone) if layer.norm is None]
    assert len(frozen) == (7 if kind is MobileNetV1 else 9)
    torch.autograd.backward(torch.stack([m.square().sum() for m in backbone(torch.rand(2, 3, HEIGHT, WIDTH))]).sum())
    learning = {id(value) for value in backbone.parameters() if value.grad is not None}
    assert learning == {id(value) for value in backbone.parameters()} - {
        id(value) for layer in frozen for value in layer.parameters()
    }


def test_a_shortcut_stands_where_sizes_allow() -> None:
    x = torch.rand(1, 8, 4, 4)
    for outputs, stride, has_shortcut in ((8, 1, True), (8, 2, False), (16, 1, False)):
        block = InvertedResidual(8, outputs, 2, stride, norm=False)
        for layer in block.convolutions():
            nn.init.zeros_(layer.conv.weight)
            assert layer.conv.bias is not None
            nn.init.zeros_(layer.conv.bias)
        assert torch.equal(block(x), x) is has_shortcut
