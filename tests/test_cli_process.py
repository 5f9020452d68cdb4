"""The command as its own process: versions, pipes, interruptions, damaged weights."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest

import openplate
from cli_helpers import save_street
from openplate.models.catalog import WEIGHTS

COMMAND = (sys.executable, "-m", "openplate")


def run(*arguments: str | Path, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *arguments], capture_output=True, text=True, timeout=120, env={**os.environ, **variables}
    )


def test_version() -> None:
    result = run("--version")
    assert (result.returncode, result.stdout, result.stderr) == (0, f"openplate {openplate.__version__}\n", "")


def test_a_picture_and_a_missing_one(tmp_path: Path) -> None:
    street = save_street(tmp_path / "street.png")
    result = run("recognize", street, tmp_path / "gone.jpg")
    assert result.returncode == 1
    assert f"{street} (320x240): " in result.stdout
    assert result.stderr == f"openplate: {tmp_path / 'gone.jpg'}: there is no such file\n"


def test_changed_weights_are_told_and_nothing_is_recognized(tmp_path: Path) -> None:
    weights = shutil.copytree(WEIGHTS, tmp_path / "weights")
    for file in (weights / "reader").glob("*.onnx"):
        file.write_bytes(file.read_bytes()[:-1] + b"\0\0")
    result = run("recognize", save_street(tmp_path / "street.png"), OPENPLATE_WEIGHTS=str(weights))
    assert (result.returncode, result.stdout) == (1, "")
    assert "is not the file that its card describes" in result.stderr
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.skipif(os.name != "posix", reason="closes a pipe as Unix does")
def test_a_reader_that_goes_away_ends_it_quietly() -> None:
    with subprocess.Popen([*COMMAND, "regions"], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(60) == 141


@pytest.mark.skipif(os.name != "posix", reason="sends a signal as Unix does")
def test_an_interruption_ends_it_at_once_with_one_line(tmp_path: Path) -> None:
    street = save_street(tmp_path / "0.png")
    for number in range(1, 2000):
        (tmp_path / f"{number}.png").symlink_to(street)
    arguments = [*COMMAND, "recognize", str(tmp_path), "--mode", "redaction"]
    # Shells start background jobs with the signal ignored, and whoever runs the tests may be one.
    heard = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    pipe = subprocess.PIPE
    with subprocess.Popen(arguments, stdout=pipe, stderr=pipe, text=True, preexec_fn=heard) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        start = time.monotonic()
        _, complaints = process.communicate(timeout=60)
        assert time.monotonic() - start < 10
    assert process.returncode == 130
    assert complaints == "openplate: interrupted\n"
