"""Several processes train one network: the same weights in all, one checkpoint, all stop after the same step."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from openplate_training import workers
from openplate_training.checkpoint import load_checkpoint, seed_for

PROGRAM = """
import json, sys
from pathlib import Path
import torch
from torch import nn
from openplate_training import workers
from openplate_training.checkpoint import seed_for
from openplate_training.loop import LoopConfig, train

folder = Path(sys.argv[1])
torch.manual_seed(sum(seed_for(folder, 1)))
network = nn.Linear(2, 1)
spoiled = workers.rank() == 1
seen = []

def step(number, progress):
    seen.append(number)
    inputs = torch.full((4, 2), 1.0 + workers.rank())
    error = (network(inputs) - 1).square().mean()
    return {"error": error * (torch.nan if spoiled and number == 3 else 1.0)}

train(network, step, LoopConfig(folder, 0.01, 0.01, report_every_steps=10))
told = {"steps": len(seen), "weights": [v.tolist() for v in network.state_dict().values()]}
(folder / f"{workers.rank()}.json").write_text(json.dumps(told))
"""


def test_workers_keep_the_same_weights_and_stop_together(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(PROGRAM)
    run = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    done = subprocess.run(
        [*run, "program.py", str(tmp_path)], cwd=tmp_path, capture_output=True, text=True, timeout=100, check=False
    )
    assert done.returncode == 0, done.stderr
    first, second = (json.loads((tmp_path / f"{rank}.json").read_text()) for rank in (0, 1))
    assert first == second
    state = load_checkpoint(tmp_path)
    assert state is not None
    assert state["step"] == first["steps"] > 4
    assert done.stdout.count("step 10 ") == (first["steps"] >= 10)


def test_one_process_alone_needs_no_others() -> None:
    network = nn.Linear(2, 1)
    network(torch.ones(1, 2)).sum().backward()
    before = network.weight.grad
    assert before is not None
    kept = before.clone()
    workers.join(network)
    workers.average_gradients(network)
    assert torch.equal(before, kept)
    assert workers.agreed(12.5) == 12.5
    assert workers.are_all_finite(torch.tensor(1.0))
    assert not workers.are_all_finite(torch.tensor(float("inf")))


def test_every_worker_has_samples_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seeds = []
    for rank in range(3):
        monkeypatch.setenv("RANK", str(rank))
        seeds.append(tuple(seed_for(tmp_path, 7)))
    assert seeds[0] == (7, 0)
    assert len(set(seeds)) == 3
