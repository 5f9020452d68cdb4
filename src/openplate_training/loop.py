"""The training loop that all networks share: a budget of minutes, a warm-up, a cosine to nothing, checkpoints."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from openplate_training import workers
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
    bfloat16: bool = False


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


class Run:
    """One training: the network, its optimiser, its running mean, and how far it has come."""

    def __init__(self, network: nn.Module, config: LoopConfig, slow: str = "") -> None:
        self.network, self.config = network, config
        groups = parameter_groups(network, slow, config)
        self.optimizer = torch.optim.AdamW(groups, lr=config.rate, betas=(0.9, 0.98))
        self.mean = RunningMean(network, config.mean_decay)
        self.step, self.spent_s = 0, 0.0
        self._rates = [(group["peak"], group["weight_decay"]) for group in groups]

    @property
    def progress(self) -> float:
        """The share of the budget that is spent, from 0."""
        return self.spent_s / (self.config.minutes * 60)

    def resume(self) -> None:
        """Goes on where the folder's checkpoint stood, if it has one; rates and decay are those asked for now."""
        state = load_checkpoint(self.config.folder)
        if state is None:
            return
        self.network.load_state_dict(state["network"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.mean.values, self.mean.steps = state["mean"], state["step"]
        self.step, self.spent_s = state["step"], state["spent_s"]
        for group, (peak, weight_decay) in zip(self.optimizer.param_groups, self._rates, strict=True):
            group["peak"], group["weight_decay"] = peak, weight_decay

    def save(self) -> None:
        """Writes the folder's checkpoint, once for all workers."""
        if workers.rank() > 0:
            return
        state = {
            "network": self.network.state_dict(),
            "mean": self.mean.values,
            "optimizer": self.optimizer.state_dict(),
            "step": self.step,
            "spent_s": self.spent_s,
        }
        save_checkpoint(self.config.folder, state, asdict(self.config))

    def learn(self, losses: dict[str, Tensor]) -> None:
        """One step down the sum of the losses; a sum that is no number is passed over."""
        total = torch.stack(tuple(losses.values())).sum()
        if workers.are_all_finite(total):
            self.optimizer.zero_grad(set_to_none=True)
            torch.autograd.backward(total)
            workers.average_gradients(self.network)
            nn.utils.clip_grad_norm_(self.network.parameters(), self.config.clip)
            self.optimizer.step()
            self.mean.update(self.network)
        self.step += 1

    def set_rates(self) -> None:
        """The learning rates for the step that comes."""
        share = schedule(self.progress, self.step, self.config)
        for group in self.optimizer.param_groups:
            group["lr"] = group["peak"] * share


class Report:
    """Prints the means of the losses every few steps."""

    def __init__(self, every_steps: int) -> None:
        self._every = every_steps
        self._values: dict[str, list[float]] = {}

    def add(self, run: Run, losses: dict[str, Tensor]) -> None:
        """Takes the losses of one step; prints when it is time."""
        for name, value in losses.items():
            self._values.setdefault(name, []).append(float(value.detach()))
        if run.step % self._every == 0:
            shown = " ".join(f"{name} {sum(values) / len(values):.3f}" for name, values in self._values.items())
            if workers.rank() == 0:
                print(f"step {run.step} {run.spent_s / 60:.1f} min {shown}", flush=True)
            self._values = {}


def train(network: nn.Module, step: Step, config: LoopConfig, slow: str = "") -> None:
    """Runs ``step(number, progress) -> named losses`` until the budget is spent; saves as it goes."""
    torch.set_num_threads(config.threads)
    run, report = Run(network, config, slow), Report(config.report_every_steps)
    run.resume()
    workers.join(network)
    saved_s, last = run.spent_s, time.monotonic()
    network.train()
    while run.spent_s < config.minutes * 60:
        run.set_rates()
        with torch.autocast("cpu", torch.bfloat16, enabled=config.bfloat16):
            losses = step(run.step, run.progress)
        run.learn(losses)
        report.add(run, losses)
        now = time.monotonic()
        run.spent_s, last = workers.agreed(run.spent_s + now - last), now
        if run.spent_s - saved_s > config.save_every_minutes * 60:
            run.save()
            saved_s = run.spent_s
    run.save()
    workers.leave()
