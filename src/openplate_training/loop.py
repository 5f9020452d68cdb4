"""The training loop that all networks share: a budget of minutes, a warm-up, a cosine to nothing, checkpoints."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from openplate_training.checkpoint import RunningMean, load_checkpoint, save_checkpoint

Step = Callable[[int, float], dict[str, Tensor]]


@dataclass(frozen=True)
class LoopConfig:
    """``minutes`` is the whole budget of training time; a resumed run goes on where its checkpoint stood.

    A budget, not a number of steps: machines differ, and the learning rate must have come down when time is up.
    """

    folder: Path
    minutes: float
    rate: float
    slow_rate: float = 0.0
    weight_decay: float = 0.02
    warm_up_steps: int = 200
    clip: float = 10.0
    mean_decay: float = 0.999
    save_every_minutes: float = 4.0
    report_every_steps: int = 50
    final_share: float = 0.01
    threads: int = 1


def schedule(progress: float, step: int, config: LoopConfig) -> float:
    """The learning rate as a share of its peak: linear warm-up by steps, then a cosine by progress (0 to 1)."""
    warm = min(1.0, (step + 1) / config.warm_up_steps)
    cosine = 0.5 * (1 + math.cos(math.pi * min(1.0, progress)))
    return warm * (config.final_share + (1 - config.final_share) * cosine)


def parameter_groups(network: nn.Module, slow: str, config: LoopConfig) -> list[dict[str, object]]:
    """Weights with decay, norms and biases without; parameters whose name starts with ``slow`` at the slow rate."""
    groups: dict[tuple[bool, bool], list[nn.Parameter]] = {}
    for name, parameter in network.named_parameters():
        if parameter.requires_grad:
            key = (bool(slow) and name.startswith(slow), parameter.ndim > 1)
            groups.setdefault(key, []).append(parameter)
    return [
        {
            "params": parameters,
            "peak": config.slow_rate if is_slow else config.rate,
            "weight_decay": config.weight_decay if decays else 0.0,
        }
        for (is_slow, decays), parameters in groups.items()
    ]


def train(network: nn.Module, step: Step, config: LoopConfig, slow: str = "") -> None:
    """Runs ``step(number, progress) -> named losses`` until the budget is spent; saves as it goes."""
    torch.set_num_threads(config.threads)
    optimizer = torch.optim.AdamW(parameter_groups(network, slow, config), lr=config.rate, betas=(0.9, 0.98))
    mean = RunningMean(network, config.mean_decay)
    number, spent = 0, 0.0
    state = load_checkpoint(config.folder)
    if state is not None:
        network.load_state_dict(state["network"])
        optimizer.load_state_dict(state["optimizer"])
        mean.values, mean.steps = state["mean"], state["step"]
        number, spent = state["step"], state["spent_s"]
        for group, fresh in zip(optimizer.param_groups, parameter_groups(network, slow, config), strict=True):
            group["peak"], group["weight_decay"] = fresh["peak"], fresh["weight_decay"]
    budget, saved, last = config.minutes * 60, spent, time.monotonic()
    sums: dict[str, float] = {}

    def save() -> None:
        state = {
            "network": network.state_dict(),
            "mean": mean.values,
            "optimizer": optimizer.state_dict(),
            "step": number,
            "spent_s": spent,
        }
        save_checkpoint(config.folder, state, asdict(config))

    network.train()
    while spent < budget:
        progress = spent / budget
        for group in optimizer.param_groups:
            group["lr"] = group["peak"] * schedule(progress, number, config)
        losses = step(number, progress)
        total = torch.stack(tuple(losses.values())).sum()
        if torch.isfinite(total):
            optimizer.zero_grad(set_to_none=True)
            total.backward()
            nn.utils.clip_grad_norm_(network.parameters(), config.clip)
            optimizer.step()
            mean.update(network)
        number += 1
        for name, value in losses.items():
            sums[name] = sums.get(name, 0.0) + float(value.detach())
        if number % config.report_every_steps == 0:
            shown = " ".join(f"{k} {v / config.report_every_steps:.3f}" for k, v in sums.items())
            print(f"step {number} {spent / 60:.1f} min {shown}", flush=True)
            sums = {}
        now = time.monotonic()
        spent, last = spent + now - last, now
        if spent - saved > config.save_every_minutes * 60:
            save()
            saved = spent
    save()
