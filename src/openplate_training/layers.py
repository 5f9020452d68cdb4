"""Layers and typed helpers that the networks share."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

import torch
from torch import nn

Network = TypeVar("Network", bound=nn.Module)
Kind = TypeVar("Kind", bound=nn.Module)


def convolution(inputs: int, outputs: int, kernel: int = 1, stride: int = 1, groups: int = 1) -> nn.Sequential:
    """Convolution without bias (odd ``kernel``, zeros around the map), batch norm, ReLU."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )


def separable(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    """A depthwise 3x3 convolution and a pointwise one."""
    return nn.Sequential(convolution(inputs, inputs, 3, stride, groups=inputs), convolution(inputs, outputs))


def members(modules: nn.ModuleList, kind: type[Kind]) -> list[Kind]:  # noqa: ARG001 (binds the type)
    """The modules of a list that was filled with modules of one kind."""
    return cast("list[Kind]", list(modules))


def channels_last(network: Network) -> Network:
    """The network with its weights laid out by pixel, in place: a training step on a CPU is faster so."""
    return _laid_out(network, torch.channels_last)


def channels_first(network: Network) -> Network:
    """The network with its weights laid out by channel again, in place."""
    return _laid_out(network, torch.contiguous_format)


def _laid_out(network: Network, layout: torch.memory_format) -> Network:
    move: Callable[..., nn.Module] = network.to  # torch's annotations leave this argument out
    move(memory_format=layout)
    return network
