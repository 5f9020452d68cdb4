"""The shipped networks on real clips, as `openplate watch FILE` tells them; skipped where these are missing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.accuracy


@pytest.mark.parametrize(
    ("clip", "texts", "most"),
    [
        ("tollgate_720p_parkpow.mp4", ["34A36837", "34A23126", "89C20339"], 4),  # a fourth one far away in its lane
        ("scooter_plate_352x640.mp4", ["KL31K3137"], 1),
        ("dashcam_india_552x530.mp4", ["KA22P3368"], 1),
        ("highway_it_320x240.avi", [], 0),
    ],
)
def test_each_vehicle_of_a_clip_is_told_once_with_its_text(
    clip: str, texts: list[str], most: int, shared_data: Path
) -> None:
    file = shared_data / "videos" / clip
    if not file.exists():
        pytest.skip(f"no {clip}")
    command = [sys.executable, "-m", "openplate", "watch", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    told = [line.split()[1] for line in done.stdout.splitlines()]
    assert [text for text in told if text in texts] == texts
    assert len(told) <= most
