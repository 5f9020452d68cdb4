"""USB cameras, without one: a recording stands for the device where FFmpeg would ask the kernel for it.

That is the one call that no machine without a camera can make. The pictures are in the codings that such cameras have.
"""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from video_helpers import draw, make_video, wait_until

from openplate.errors import SourceEnded, SourceUnavailable
from openplate.video import LiveCamera, SourceOptions, SteadyClock, libav

PICTURES = [draw(320, 240, number) for number in range(8)]
CODINGS = [("rawvideo", "yuyv422"), ("mjpeg", "yuvj422p"), ("rawvideo", "nv12"), ("rawvideo", "gray")]
QUICK = SourceOptions(open_timeout_s=10, read_timeout_s=1, reconnect_first_s=0.01, reconnect_most_s=0.05)


class Kernel:
    """PyAV, whose devices are files."""

    def __init__(self) -> None:
        self.opened: list[tuple[str, tuple[float, float]]] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(av, name)

    def open(self, path: str, *, format: str, timeout: tuple[float, float]) -> Any:
        assert format == "video4linux2"
        self.opened.append((path, timeout))
        return av.open(path, timeout=timeout)


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> Kernel:
    kernel = Kernel()
    monkeypatch.setattr(libav, "load_av", lambda: kernel)
    return kernel


@pytest.mark.parametrize(("codec", "pixel_format"), CODINGS)
def test_pictures_of_every_coding_come_with_the_time_of_now(
    tmp_path: Path, kernel: Kernel, codec: str, pixel_format: str
) -> None:
    device = make_video(tmp_path / "video0.nut", PICTURES, codec=codec, pixel_format=pixel_format)
    before = datetime.now(UTC)
    source = libav.open_device(device, QUICK, "usb:0", SteadyClock())
    frames = list(itertools.islice(source, len(PICTURES)))
    assert source.is_live
    assert kernel.opened == [(str(device), (10, 1))]
    assert [(frame.index, frame.width, frame.height, frame.position_s) for frame in frames] == [
        (index, 320, 240, None) for index in range(len(PICTURES))
    ]
    late = timedelta(minutes=2)
    assert before - timedelta(seconds=1) <= frames[0].captured_at <= frames[-1].captured_at <= before + late
    for frame, picture in zip(frames, PICTURES, strict=True):
        expected = picture if pixel_format != "gray" else np.repeat(picture.mean(2, keepdims=True), 3, 2)
        inside = np.s_[40:60, 90:230]  # of one colour
        assert np.abs(frame.image.pixels[inside].astype(int) - expected[inside]).max() < 8
        assert frame.luma.shape == (240, 320)
    source.close()


@pytest.mark.usefixtures("kernel")
def test_one_that_is_pulled_out_is_told_and_taken_up_again_when_it_is_back(tmp_path: Path) -> None:
    device = make_video(tmp_path / "video0.nut", PICTURES, codec="mjpeg", pixel_format="yuvj422p")
    drawer = tmp_path / "drawer.nut"

    def opener(where: str, options: SourceOptions, *, name: str, clock: SteadyClock) -> Any:
        return libav.open_device(Path(where), options, name, clock)

    with LiveCamera(str(device), QUICK, name="door", opener=opener) as camera:
        wait_until(lambda: camera.health().frames > 0, camera.health)
        device.rename(drawer)
        wait_until(lambda: camera.health().state == "offline", camera.health)
        assert "there is no such camera; is it plugged in?" in (camera.health().last_error or "")
        before = camera.health().frames
        drawer.rename(device)
        wait_until(lambda: camera.health().frames > before, camera.health)
        assert camera.health().reconnects >= 1


@pytest.mark.usefixtures("kernel")
def test_a_device_that_ends_is_no_silent_end(tmp_path: Path) -> None:
    device = make_video(tmp_path / "video0.nut", PICTURES[:2], codec="mjpeg", pixel_format="yuvj422p")
    with pytest.raises(SourceEnded, match="the camera closed the connection"):
        list(libav.open_device(device, QUICK, "usb:0", SteadyClock()))


def test_what_is_no_camera_is_told_by_the_kernel() -> None:
    """Without a stand-in."""
    with pytest.raises(SourceUnavailable, match="this is not a camera"):
        libav.open_device(Path("/dev/null"), QUICK, "usb:0", SteadyClock())
