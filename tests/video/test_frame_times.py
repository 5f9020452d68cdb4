"""Frames as values, the time of live ones, and the delays of a camera that is down."""

from __future__ import annotations

import contextlib
import itertools
import logging
import random
from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from video_helpers import draw, jpeg
from web_cameras import part

from openplate.imaging import Image
from openplate.imaging.frame import Frame
from openplate.video.backoff import Backoff
from openplate.video.clock import SteadyClock
from openplate.video.multipart import MultipartParser
from openplate.video.source import without_password

START = datetime(2026, 3, 5, 12, 0, tzinfo=UTC).timestamp()


# --- frames -------------------------------------------------------------------------------------------


def test_a_frame_has_its_time_in_utc() -> None:
    image = Image(draw(64, 48, 0))
    at = datetime(2026, 3, 5, 14, 0, tzinfo=timezone(timedelta(hours=2)))
    frame = Frame(image, "gate", 7, at)
    assert frame.captured_at == at
    assert frame.captured_at.tzinfo is UTC
    assert frame.image is image
    assert frame.position_s is None
    assert (frame.width, frame.height) == (64, 48)
    assert "gate" in repr(frame)
    with pytest.raises(ValueError, match="time zone"):
        Frame(image, "gate", 7, datetime(2026, 3, 5))


def test_the_brightness_of_a_picture_in_colours() -> None:
    luma = Frame(Image(draw(64, 48, 0)), "gate", 0, datetime.now(UTC)).luma
    assert luma.shape == (48, 64)
    assert luma.dtype == np.uint8
    assert not luma.flags.writeable


@pytest.mark.parametrize(
    ("where", "shown"),
    [
        ("rtsp://user:p@ss@camera:554/cam?token=x#y", "rtsp://camera:554/cam"),
        ("http://[::1]:80/a", "http://[::1]:80/a"),
        ("video.mp4", "video.mp4"),
        ("a@b:c.mp4", "a@b:c.mp4"),
    ],
)
def test_addresses_are_shown_without_their_secrets(where: str, shown: str) -> None:
    assert without_password(where) == shown


# --- time ---------------------------------------------------------------------------------------------


class Clocks:
    """The machine's two clocks, set by hand."""

    def __init__(self) -> None:
        self.monotonic_s, self.wall_s = 1000.0, START
        self.clock = SteadyClock(lambda: self.monotonic_s, lambda: self.wall_s)

    def pass_by(self, seconds: float) -> float:
        """What a frame's time is after so long, in seconds since the start."""
        self.monotonic_s += seconds
        self.wall_s += seconds
        return self.now_s()

    def now_s(self) -> float:
        return self.clock.now().timestamp() - START


def test_time_passes_as_on_the_machine() -> None:
    clocks = Clocks()
    assert [round(clocks.pass_by(0.2), 6) for _ in range(3)] == [0.2, 0.4, 0.6]
    assert clocks.clock.steps == 0


def test_a_clock_set_forward_is_followed_at_once(caplog: pytest.LogCaptureFixture) -> None:
    clocks = Clocks()
    clocks.pass_by(1)
    clocks.wall_s += 3600
    with caplog.at_level(logging.WARNING, "openplate.video"):
        assert clocks.pass_by(1) == pytest.approx(3602)
        assert clocks.pass_by(1) == pytest.approx(3603)
    assert [record.getMessage() for record in caplog.records] == [
        "the machine's clock was set forward by 1:00:00; frames' times follow"
    ]
    assert clocks.clock.steps == 1


def test_a_clock_set_back_a_little_makes_time_run_slower_until_they_agree() -> None:
    clocks = Clocks()
    clocks.pass_by(1)
    clocks.wall_s -= 10
    times = [clocks.pass_by(0.5) for _ in range(50)]
    assert all(later > earlier for earlier, later in itertools.pairwise(times))
    assert times[1] - times[0] == pytest.approx(0.25)
    assert times[-1] == pytest.approx(1 - 10 + 25)
    assert clocks.clock.steps == 1


def test_a_clock_set_back_far_is_followed_once() -> None:
    clocks = Clocks()
    clocks.pass_by(1)
    clocks.wall_s -= 7200
    assert clocks.pass_by(1) == pytest.approx(2 - 7200)
    assert clocks.pass_by(1) == pytest.approx(3 - 7200)
    assert clocks.clock.steps == 1


def test_clocks_that_drift_apart_are_kept_together_without_a_step() -> None:
    clocks = Clocks()
    for _ in range(10_000):
        clocks.wall_s += 0.005  # half a percent faster
        clocks.pass_by(1)
    assert clocks.now_s() == pytest.approx(clocks.wall_s - START, abs=0.1)
    assert clocks.clock.steps == 0


@given(st.lists(st.tuples(st.floats(0, 100), st.floats(-59, 59)), max_size=30))
def test_time_never_goes_back_over_small_steps(moves: list[tuple[float, float]]) -> None:
    clocks = Clocks()
    last = clocks.now_s()
    ahead_s = 0.0
    for passed, step in moves:
        ahead_s = max(last - (clocks.wall_s - START), 0)
        if ahead_s - step > 59:
            continue
        clocks.wall_s += step
        now = clocks.pass_by(passed)
        assert now >= last
        last = now


# --- delays -------------------------------------------------------------------------------------------


def test_delays_double_up_to_a_limit_and_differ_from_camera_to_camera() -> None:
    backoff = Backoff(1, 60, random.Random(4))
    delays = [backoff.failed(0) for _ in range(10)]
    for delay, middle in zip(delays, (1, 2, 4, 8, 16, 32, 60, 60, 60, 60), strict=True):
        assert middle * 0.75 <= delay <= min(middle * 1.25, 60)
    assert len({round(Backoff(1, 60, random.Random(seed)).failed(0), 4) for seed in range(10)}) == 10


def test_delays_start_anew_once_a_connection_has_held() -> None:
    backoff = Backoff(1, 60, random.Random(4))
    for _ in range(5):
        backoff.failed(0)
    assert backoff.failed(5) > 20  # it held for less than the delay
    assert backoff.failed(3600) < 1.3


# --- multipart ----------------------------------------------------------------------------------------


@given(data=st.data(), length=st.sampled_from([-1, None, 5, 10**9]))
def test_pictures_are_the_same_however_the_bytes_are_cut(data: st.DataObject, length: int | None) -> None:
    pictures = [jpeg(draw(16, 8, number)) for number in range(3)]
    stream = b"preamble\r\n--frame\r\n" + b"".join(part(picture, length) for picture in pictures)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=20)))
    parser = MultipartParser("frame", 10**6)
    found: list[bytes] = []
    for start, stop in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        found += parser.feed(stream[start:stop])
    assert found == pictures


@given(st.lists(st.binary(max_size=200), max_size=20))
def test_no_bytes_make_the_parser_fail_but_by_its_own_error(chunks: list[bytes]) -> None:
    parser = MultipartParser("x", 1000)
    for chunk in chunks:
        with contextlib.suppress(ValueError):
            parser.feed(b"--x\r\n\r\n" + chunk)


def test_endless_headers_are_refused() -> None:
    parser = MultipartParser("x", 10**6)
    with pytest.raises(ValueError, match="endless headers"):
        parser.feed(b"--x\r\n" + b"X-More: 1\r\n" * 2000)
