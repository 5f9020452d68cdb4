"""Runs the programs in ``samples``: those of the documentation, which find the host where the variable HOST says."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

SAMPLES = Path(__file__).parent / "samples"
PROGRAMS = {".sh": ("sh",), ".py": (sys.executable,), ".php": ("php",), ".js": ("node",)}


def samples(*names: str) -> list[str]:
    """Those of these names, in all languages."""
    return sorted(file.name for file in SAMPLES.iterdir() if file.stem in names)


@cache
def missing(suffix: str) -> str | None:
    """Why programs of a language cannot be run here."""
    program = "curl" if suffix == ".sh" else PROGRAMS[suffix][0]
    if shutil.which(program) is None:
        return f"{program} is not installed"
    if suffix == ".py" and importlib.util.find_spec("requests") is None:
        return "requests is not installed"
    if suffix == ".php" and "curl" not in subprocess.run(["php", "-m"], capture_output=True, text=True).stdout.split():
        return "PHP has no curl extension"
    return None


def run(name: str, host: str, argument: object, token: str = "my-token") -> Any:
    """The answer that a sample prints; skips where its language is missing."""
    suffix = Path(name).suffix
    if reason := missing(suffix):
        pytest.skip(reason)
    surroundings = {
        "HOST": host,
        "TOKEN": token,
        "PATH": os.environ["PATH"],
        "LANG": "C.UTF-8",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    line = [*PROGRAMS[suffix], str(SAMPLES / name), str(argument)]
    ran = subprocess.run(line, env=surroundings, capture_output=True, text=True, timeout=120)
    assert (ran.returncode, ran.stderr) == (0, "")
    return json.loads(ran.stdout)
