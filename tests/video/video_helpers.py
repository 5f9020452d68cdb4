"""Videos drawn by code, a real RTSP server, and waiting for what takes its time."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray

SERVER = Path(__file__).parent / "rtsp_server.py"
SYSTEM_PYTHON = "/usr/bin/python3"
PATIENCE_S = 90.0  # of tests on a loaded machine


def draw(width: int, height: int, number: int, background: int = 90) -> NDArray[np.uint8]:
    """RGB: a bright block that moves to the right with the number, 8 pixels each time; red left, blue right."""
    picture = np.full((height, width, 3), background, np.uint8)
    picture[:, : width // 4] = (200, 40, 40)
    picture[:, -(width // 4) :] = (40, 40, 200)
    left = (8 * number) % max(width - 16, 1)
    picture[height // 3 : 2 * height // 3, left : left + 16] = 240
    return picture


def make_video(
    path: Path,
    pictures: Sequence[NDArray[np.uint8]],
    *,
    times_s: Sequence[float] | None = None,
    codec: str = "libx264",
    pixel_format: str = "yuv420p",
    options: dict[str, str] | None = None,
    metadata: dict[str, str] | None = None,
) -> Path:
    """A video file; ``times_s``: when each picture is shown, 10 a second if not given."""
    with av.open(str(path), "w", options=options or {}) as container:
        container.metadata.update(metadata or {})
        stream = container.add_stream(codec, rate=10)
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt = pixel_format
        stream.time_base = stream.codec_context.time_base = Fraction(1, 1000)
        for number, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts = round(1000 * (times_s[number] if times_s else number / 10))
            frame.time_base = Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def jpeg(picture: NDArray[np.uint8], quality: int = 90) -> bytes:
    _, data = cv2.imencode(".jpg", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality])
    return data.tobytes()


def wait_until(condition: Callable[[], object], what: Callable[[], object] = str, within_s: float = PATIENCE_S) -> None:
    """Until the condition holds; ``what`` describes the state in which it never did."""
    until = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < until, f"still not after {within_s:g} s: {what()}"
        time.sleep(0.01)


def make_certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate of its own for 127.0.0.1 by openssl, and its key."""
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    making = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=camera -addext subjectAltName=IP:127.0.0.1"
    subprocess.run([*making.split(), "-keyout", key, "-out", certificate], check=True, capture_output=True)
    return certificate, key


def rtsp_server_is_missing(*arguments: str) -> bool:
    if sys.platform != "linux" or not Path(SYSTEM_PYTHON).exists():
        return True
    command = [SYSTEM_PYTHON, SERVER, "--check", *arguments]
    return subprocess.run(command, capture_output=True, check=False).returncode != 0


class RtspServer:
    """GStreamer's RTSP server in a process of its own, with one camera at ``url``."""

    def __init__(self, process: subprocess.Popen[str], port: int) -> None:
        self._process, self.port = process, port

    @property
    def url(self) -> str:
        return f"rtsp://127.0.0.1:{self.port}/cam"

    def tell(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def freeze(self) -> None:
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()


@contextmanager
def rtsp_server(*arguments: Any, port: int = 0) -> Iterator[RtspServer]:
    process = subprocess.Popen(
        [SYSTEM_PYTHON, SERVER, "--port", str(port), *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert process.stdout is not None
        word, _, number = process.stdout.readline().partition(" ")
        assert word == "port", "the RTSP server did not start"
        yield RtspServer(process, int(number))
    finally:
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()
