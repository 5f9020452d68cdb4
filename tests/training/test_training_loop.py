"""The loop over time, on a clock of the test's own: rates, budgets, resumptions, steps that go wrong, checkpoints."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from openplate_training import loop
from openplate_training.checkpoint import (
    RunningMean,
    average_with_start,
    current_commit,
    load_checkpoint,
    load_mean,
    save_checkpoint,
    save_start,
    seed_for,
)
from openplate_training.loop import LoopConfig, Report, Run, parameter_groups, schedule, train

STEP_S = 6.0  # a tenth of a minute


class Clock:
    """Every look at it finds it one step later."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        self.now += STEP_S
        return self.now


@pytest.fixture(autouse=True)
def _clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "time", SimpleNamespace(monotonic=Clock().monotonic))


def make_config(folder: Path = Path("unused"), minutes: float = 1.0, **others: Any) -> LoopConfig:
    return LoopConfig(folder, minutes, **{"rate": 0.1, "warm_up_steps": 4, **others})


class Trial:
    """A small network that learns to give one; keeps what each step was told."""

    def __init__(self) -> None:
        self.network = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.BatchNorm1d(3), nn.Linear(3, 1))
        self.told: list[tuple[int, float]] = []
        self.spoiled: set[int] = set()

    def step(self, number: int, progress: float) -> dict[str, Tensor]:
        self.told.append((number, progress))
        error = (self.network(torch.ones(4, 2) + torch.arange(4.0)[:, None]) - 1).square().mean()
        return {"error": error * (torch.nan if number in self.spoiled else 1.0), "nothing": error * 0}


# --- rates --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("progress", "step", "expected"),
    [
        (0.0, 0, 0.25),
        (0.0, 1, 0.5),
        (0.0, 3, 1.0),
        (0.0, 900, 1.0),
        (0.5, 900, 0.505),
        (1.0, 900, 0.01),
        (1.7, 900, 0.01),
        (0.5, 1, 0.2525),
    ],
)
def test_schedule_table(progress: float, step: int, expected: float) -> None:
    assert schedule(progress, step, make_config()) == pytest.approx(expected)


def test_weights_decay_norms_and_biases_do_not_and_a_named_part_learns_slowly() -> None:
    network = nn.ModuleDict({"backbone": nn.Conv2d(1, 2, 1), "head": nn.Conv2d(2, 1, 1), "norm": nn.BatchNorm2d(1)})
    network["head"].get_parameter("bias").requires_grad_(False)
    groups = parameter_groups(network, "backbone", make_config(slow_rate=0.01, weight_decay=0.5))
    found = [(group["peak"], group["weight_decay"], len(group["params"])) for group in groups]  # type: ignore[arg-type]
    assert sorted(found) == [(0.01, 0.0, 1), (0.01, 0.5, 1), (0.1, 0.0, 2), (0.1, 0.5, 1)]


def test_without_a_named_part_all_learn_at_one_rate() -> None:
    assert {group["peak"] for group in parameter_groups(nn.Linear(2, 2), "", make_config())} == {0.1}


# --- the loop -----------------------------------------------------------------------------------------------------


def test_the_budget_is_spent_and_progress_told(tmp_path: Path) -> None:
    trial = Trial()
    train(trial.network, trial.step, make_config(tmp_path))
    assert [number for number, _ in trial.told] == list(range(10))
    assert [progress for _, progress in trial.told] == pytest.approx([0.1 * n for n in range(10)])
    state = load_checkpoint(tmp_path)
    assert state is not None
    assert (state["step"], state["spent_s"]) == (10, pytest.approx(60))


@pytest.mark.parametrize(("bfloat16", "dtype"), [(False, torch.float32), (True, torch.bfloat16)])
def test_what_the_network_multiplies_in(tmp_path: Path, bfloat16: bool, dtype: torch.dtype) -> None:
    trial, seen = Trial(), set()
    trial.network[0].register_forward_hook(lambda _module, _inputs, output: seen.add(output.dtype))
    train(trial.network, trial.step, make_config(tmp_path, bfloat16=bfloat16))
    assert seen == {dtype}
    assert {value.dtype for value in trial.network.parameters()} == {torch.float32}
    assert len(trial.told) == 10


def test_a_resumed_run_goes_on_where_it_stood(tmp_path: Path) -> None:
    """Steps, time, weights, their mean and the optimiser; rates and decay are those asked for now."""
    first, second = Trial(), Trial()
    train(first.network, first.step, make_config(tmp_path, minutes=1.0))
    halfway = load_checkpoint(tmp_path)
    assert halfway is not None
    assert halfway["step"] == 10
    train(second.network, second.step, make_config(tmp_path, minutes=1.5, rate=0.02, weight_decay=0.3))
    assert [number for number, _ in second.told] == list(range(10, 15))
    assert second.told[0][1] == pytest.approx(60 / 90)
    after = load_checkpoint(tmp_path)
    assert after is not None
    assert (after["step"], after["spent_s"]) == (15, pytest.approx(90))
    assert [g["peak"] for g in after["optimizer"]["param_groups"]] == [0.02, 0.02]
    assert [g["weight_decay"] for g in after["optimizer"]["param_groups"]] == [0.3, 0.0]
    assert int(after["optimizer"]["state"][0]["step"]) == 15
    assert int(after["network"]["2.num_batches_tracked"]) == 15


def test_stopping_and_resuming_changes_nothing_of_what_is_learned(tmp_path: Path) -> None:
    torch.manual_seed(3)
    whole, parted = Trial(), Trial()
    parted.network.load_state_dict(whole.network.state_dict())
    config, rates = make_config(tmp_path, minutes=1.0), []
    runs = Run(whole.network, config), Run(parted.network, config)
    for number in range(6):
        if number == 3:
            runs[1].save()
            parted = Trial()
            runs = runs[0], Run(parted.network, config)
            runs[1].resume()
        for run, trial in zip(runs, (whole, parted), strict=True):
            run.set_rates()
            run.learn(trial.step(run.step, run.progress))
            run.spent_s += STEP_S
        rates.append([group["lr"] for run in runs for group in run.optimizer.param_groups])
    assert all(len(set(at_once)) == 1 for at_once in rates)
    for name, value in whole.network.state_dict().items():
        torch.testing.assert_close(parted.network.state_dict()[name], value, msg=name)
        torch.testing.assert_close(runs[1].mean.values[name], runs[0].mean.values[name], msg=name)


def test_a_finished_run_does_no_further_step(tmp_path: Path) -> None:
    trial = Trial()
    train(trial.network, trial.step, make_config(tmp_path))
    train(trial.network, trial.step, make_config(tmp_path))
    assert len(trial.told) == 10


def test_a_loss_that_is_no_number_is_passed_over(tmp_path: Path) -> None:
    trial = Trial()
    trial.spoiled = {2, 3}
    before: list[Tensor] = []

    def step(number: int, progress: float) -> dict[str, Tensor]:
        before.append(trial.network[0].get_parameter("weight").detach().clone())
        return trial.step(number, progress)

    train(trial.network, step, make_config(tmp_path))
    assert len(trial.told) == 10
    torch.testing.assert_close(before[2], before[3])
    torch.testing.assert_close(before[3], before[4])
    assert not torch.equal(before[4], before[5])
    state = load_checkpoint(tmp_path)
    assert state is not None
    assert all(value.isfinite().all() for part in ("network", "mean") for value in state[part].values())


def test_the_network_is_trained_in_training_mode(tmp_path: Path) -> None:
    trial = Trial()
    trial.network.eval()
    train(trial.network, trial.step, make_config(tmp_path, minutes=0.1))
    assert trial.network.training


def test_checkpoints_are_written_on_the_way(tmp_path: Path) -> None:
    """A crash costs no more than the minutes between two of them."""
    trial = Trial()

    def step(number: int, progress: float) -> dict[str, Tensor]:
        if number == 8:
            raise KeyboardInterrupt
        return trial.step(number, progress)

    with pytest.raises(KeyboardInterrupt):
        train(trial.network, step, make_config(tmp_path, save_every_minutes=0.25))
    state = load_checkpoint(tmp_path)
    assert state is not None
    assert state["step"] == 6  # saved after 3 steps and after 6: the first to be more than a quarter of a minute


def test_the_report_gives_means_also_after_a_resumption(capsys: pytest.CaptureFixture[str]) -> None:
    run, report = Run(nn.Linear(1, 1), make_config()), Report(every_steps=4)
    for run.step in range(3, 9):
        run.spent_s = 60.0 * run.step
        report.add(run, {"plate": torch.tensor(float(run.step)), "corners": torch.tensor(0.5)})
    assert capsys.readouterr().out.splitlines() == [
        "step 4 4.0 min plate 3.500 corners 0.500",
        "step 8 8.0 min plate 6.500 corners 0.500",
    ]


# --- checkpoints --------------------------------------------------------------------------------------------------


def test_a_checkpoint_comes_back_with_its_configuration(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "run"
    save_checkpoint(folder, {"step": 3, "mean": {"a": torch.ones(2)}}, {"rate": 0.1, "folder": folder})
    state = load_checkpoint(folder)
    assert state is not None
    assert state["step"] == 3
    torch.testing.assert_close(state["mean"]["a"], torch.ones(2))
    config = json.loads((folder / "config.json").read_text())
    assert config == {"rate": 0.1, "folder": str(folder), "commit": current_commit()}


def test_a_crash_while_saving_leaves_the_old_checkpoint(tmp_path: Path) -> None:
    save_checkpoint(tmp_path, {"step": 3}, {"rate": 0.1})
    with pytest.raises((AttributeError, TypeError, RuntimeError), match=r"pickle|local"):
        save_checkpoint(tmp_path, {"step": 4, "bad": lambda: None}, {"rate": 0.2})
    assert load_checkpoint(tmp_path) == {"step": 3}
    assert json.loads((tmp_path / "config.json").read_text())["rate"] == 0.1


def test_weights_are_averaged_with_their_start_and_what_it_has_not_stays(tmp_path: Path) -> None:
    begun = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
    save_start(begun, tmp_path / "start.npz")
    trained = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2), nn.Linear(2, 2))
    trained[1].num_batches_tracked += 7
    before = {name: value.clone() for name, value in trained.state_dict().items()}
    average_with_start(trained, tmp_path / "start.npz")
    for name, value in trained.state_dict().items():
        expected = before[name]
        if name in begun.state_dict() and value.is_floating_point():
            expected = (expected + begun.state_dict()[name]) / 2
        torch.testing.assert_close(value, expected, atol=1e-3, rtol=0)


def test_no_checkpoint_is_none(tmp_path: Path) -> None:
    assert load_checkpoint(tmp_path) is None


def test_the_seed_differs_after_each_resumption(tmp_path: Path) -> None:
    assert seed_for(tmp_path, 7) == [7, 0]
    save_checkpoint(tmp_path, {"step": 120}, {})
    assert seed_for(tmp_path, 7) == [7, 120]
    save_checkpoint(tmp_path, {"step": 240}, {})
    assert seed_for(tmp_path, 7) == [7, 240]


def test_the_running_mean_forgets_faster_early_on() -> None:
    """Step n keeps (1 + n) / (20 + n) of the mean, later ``decay``; whole numbers are taken as they are."""
    network = nn.BatchNorm1d(1)
    mean = RunningMean(network, decay=0.5)
    expected = 1.0
    for step in range(1, 40):
        with torch.no_grad():
            network.weight.fill_(float(step))
            assert network.num_batches_tracked is not None
            network.num_batches_tracked.fill_(step)
        mean.update(network)
        keep = min(0.5, (1 + step) / (20 + step))
        expected = keep * expected + (1 - keep) * step
        assert mean.values["weight"].item() == pytest.approx(expected, rel=1e-5)
        assert mean.values["num_batches_tracked"].item() == step


def test_the_mean_of_a_constant_is_that_constant() -> None:
    network = nn.Linear(3, 2)
    mean = RunningMean(network)
    for _ in range(10):
        mean.update(network)
    torch.testing.assert_close(mean.values["weight"], network.weight.detach())


def test_the_mean_is_what_is_shipped(tmp_path: Path) -> None:
    trial, other = Trial(), Trial()
    train(trial.network, trial.step, make_config(tmp_path))
    load_mean(other.network, tmp_path)
    state = load_checkpoint(tmp_path)
    assert state is not None
    torch.testing.assert_close(other.network.state_dict(), state["mean"])
    assert not torch.equal(state["mean"]["0.weight"], state["network"]["0.weight"])


def test_a_missing_checkpoint_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=str(tmp_path)):
        load_mean(nn.Linear(1, 1), tmp_path)
