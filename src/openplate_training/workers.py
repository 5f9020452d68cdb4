"""Several processes that train one network together, each on samples of its own.

Started by `torchrun --nproc-per-node N -m openplate_training.NAME_train ...`: after every step their gradients are
averaged, so they keep the same weights, and a batch is N times as large as the one asked for. On a CPU this is faster
than one process with N threads, as only the multiplications of a step are spread over threads.
"""

from __future__ import annotations

import os

import torch
import torch.distributed as dist
from torch import Tensor, nn


def rank() -> int:
    """The number of this process among them, from 0; only the first writes checkpoints and reports."""
    return int(os.environ.get("RANK", "0"))


def count() -> int:
    """How many there are."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def join(network: nn.Module) -> None:
    """Meets the others, where there are any, and takes over the weights of the first."""
    if count() == 1:
        return
    if not dist.is_initialized():
        dist.init_process_group("gloo")
    for value in network.state_dict().values():
        dist.broadcast(value, 0)


def leave() -> None:
    """Parts from the others."""
    if dist.is_initialized():
        dist.destroy_process_group()


def agreed(seconds: float) -> float:
    """The first one's time, so that all of them stop after the same step."""
    if count() == 1:
        return seconds
    told = torch.tensor(seconds, dtype=torch.float64)
    dist.broadcast(told, 0)
    return float(told)


def are_all_finite(total: Tensor) -> bool:
    """Whether every one's loss is a number."""
    finite = torch.isfinite(total.detach()).to(torch.int32)
    if count() > 1:
        dist.all_reduce(finite, dist.ReduceOp.MIN)
    return bool(finite)


def average_gradients(network: nn.Module) -> None:
    """Gives all of them the mean of their gradients."""
    if count() == 1:
        return
    gradients = [p.grad for p in network.parameters() if p.grad is not None]
    joined = torch.cat([gradient.flatten() for gradient in gradients])
    dist.all_reduce(joined)
    joined /= count()
    start = 0
    for gradient in gradients:
        gradient.copy_(joined[start : start + gradient.numel()].view_as(gradient))
        start += gradient.numel()
