"""For the tests of training: one thread, and a small made-up data folder; all are skipped where torch is not."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable
from pathlib import Path

import cv2
import pytest

HAS_TORCH = importlib.util.find_spec("torch") is not None


class _NeedsTorch(pytest.Module):
    def collect(self) -> Iterable[pytest.Item]:
        pytest.skip("torch is not installed (CONTRIBUTING.md says how)", allow_module_level=True)


# Skipping here, at the top, would stop a run that names this folder.
def pytest_pycollect_makemodule(module_path: Path, parent: pytest.Collector) -> pytest.Module | None:
    return None if HAS_TORCH else _NeedsTorch.from_parent(parent, path=module_path)


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> None:
    """What these networks compute is small: more threads only wait for each other."""
    import torch

    torch.set_num_threads(1)
    cv2.setNumThreads(1)


@pytest.fixture(autouse=True)
def _same_weights() -> None:
    import torch

    torch.manual_seed(1)


@pytest.fixture(scope="session")
def data_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of the form that the trainings take, its pictures drawn by code."""
    from drawn_data import write_data

    folder = tmp_path_factory.mktemp("data")
    write_data(folder)
    return folder
