"""Checkpoints: the weights, their running mean, the optimiser and the whole configuration, replaced atomically."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from openplate_training import workers


class RunningMean:
    """An exponential mean of a network's weights, which generalises better than the last step's
    (Polyak and Juditsky 1992). Early on it forgets faster.
    """

    def __init__(self, network: nn.Module, decay: float = 0.999) -> None:
        self.decay, self.steps = decay, 0
        self.values = {name: value.detach().clone() for name, value in network.state_dict().items()}

    @torch.no_grad()
    def update(self, network: nn.Module) -> None:
        self.steps += 1
        keep = min(self.decay, (1 + self.steps) / (20 + self.steps))
        for name, value in network.state_dict().items():
            mean = self.values[name]
            if mean.dtype.is_floating_point:
                mean.lerp_(value, 1 - keep)
            else:
                mean.copy_(value)


def current_commit() -> str:
    """The commit the code stands at, or "unknown" outside a checkout."""
    answer = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parent,
    )
    return answer.stdout.strip() or "unknown"


def save_checkpoint(folder: Path, state: dict[str, Any], config: dict[str, Any]) -> None:
    """Writes ``checkpoint.pt`` and ``config.json``; a crash in the middle leaves the old ones."""
    folder.mkdir(parents=True, exist_ok=True)
    torch.save(state, folder / "checkpoint.tmp")
    text = json.dumps({**config, "commit": current_commit()}, indent=1, default=str)
    (folder / "config.tmp").write_text(text, encoding="utf-8")
    (folder / "checkpoint.tmp").replace(folder / "checkpoint.pt")
    (folder / "config.tmp").replace(folder / "config.json")


def load_checkpoint(folder: Path) -> dict[str, Any] | None:
    """The state saved there, or None."""
    file = folder / "checkpoint.pt"
    return torch.load(file, weights_only=True) if file.exists() else None


def seed_for(folder: Path, seed: int) -> list[int]:
    """A seed that differs after each resumption, so that a resumed run does not see the same samples again, and for
    each worker.
    """
    state = load_checkpoint(folder)
    steps = 0 if state is None else int(state["step"])
    return [seed, steps, workers.rank()] if workers.rank() else [seed, steps]


def load_mean(network: nn.Module, folder: Path) -> None:
    """Puts the running mean of a checkpoint into ``network``."""
    state = load_checkpoint(folder)
    if state is None:
        raise FileNotFoundError(f"no checkpoint in {folder}")
    values: dict[str, Tensor] = state["mean"]
    network.load_state_dict(values)


def save_start(network: nn.Module, file: Path) -> None:
    """Writes the weights, halved in precision, as a start for further training; kept in the repository."""
    file.parent.mkdir(parents=True, exist_ok=True)
    arrays = {name: value.detach().numpy() for name, value in network.state_dict().items()}
    np.savez_compressed(file, **{n: a.astype(np.float16) if a.dtype == np.float32 else a for n, a in arrays.items()})


def load_start(network: nn.Module, file: Path) -> None:
    """Takes the weights that ``save_start`` wrote, wherever name and shape agree (a classifier's rows may not)."""
    network.load_state_dict({**network.state_dict(), **_fitting(network, file)})


def average_with_start(network: nn.Module, file: Path) -> None:
    """The mean of the network's weights and those it was trained on from, wherever name and shape agree: what was
    learned anew, and what might have been forgotten (Wortsman et al. 2022).
    """
    state = network.state_dict()
    means = {n: (state[n] + v) / 2 for n, v in _fitting(network, file).items() if v.is_floating_point()}
    network.load_state_dict({**state, **means})


def _fitting(network: nn.Module, file: Path) -> dict[str, Tensor]:
    state = network.state_dict()
    with np.load(file) as arrays:
        return {
            name: torch.from_numpy(arrays[name]).to(state[name].dtype)
            for name in arrays.files
            if name in state and state[name].shape == arrays[name].shape
        }
