"""Cameras by RTSP, from a real server on loopback that is killed, frozen, restarted and changed."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from video_helpers import RtspServer, make_certificate, rtsp_server, rtsp_server_is_missing, wait_until

from openplate.errors import SourceEnded, SourceUnavailable
from openplate.video import LiveCamera, SourceOptions, open_source

pytestmark = pytest.mark.skipif(
    rtsp_server_is_missing(), reason="GStreamer's RTSP server is not installed (scripts/check installs it)"
)
QUICK = SourceOptions(open_timeout_s=20, read_timeout_s=1, reconnect_first_s=0.05, reconnect_most_s=0.2)
UDP = SourceOptions(open_timeout_s=20, read_timeout_s=1, reconnect_first_s=0.05, reconnect_most_s=0.2, transport="udp")


@contextmanager
def watching(server: RtspServer, options: SourceOptions = QUICK) -> Iterator[LiveCamera]:
    with LiveCamera(server.url, options, name="gate") as camera:
        wait_until(lambda: camera.health().frames > 2, camera.health)
        yield camera


def wait_for_frames(camera: LiveCamera, count: int = 3) -> None:
    """Until so many more have come, and the camera runs."""
    before = camera.health().frames
    wait_until(lambda: camera.health().frames >= before + count and camera.health().state == "running", camera.health)


@pytest.mark.parametrize("options", [QUICK, UDP], ids=["tcp", "udp"])
def test_frames_arrive_over_both_transports(options: SourceOptions) -> None:
    with rtsp_server() as server, watching(server, options) as camera:
        first, second = camera.next_frame(60), camera.next_frame(60)
    assert first is not None
    assert second is not None
    assert (first.width, first.height, first.source, first.position_s) == (320, 240, "gate", None)
    assert first.image.pixels.shape == (240, 320, 3)
    assert first.luma.shape == (240, 320)
    assert second.index > first.index
    assert second.captured_at > first.captured_at


def test_motion_jpeg_over_rtsp_and_sampling() -> None:
    with rtsp_server("--coder", "jpeg") as server:
        source = open_source(server.url, SourceOptions(sample=4, open_timeout_s=20, read_timeout_s=20))
        frames = [frame.index for frame in itertools.islice(source, 3)]
        source.close()
    assert frames == [0, 4, 8]


NEEDS_TLS = pytest.mark.skipif(
    shutil.which("openssl") is None or rtsp_server_is_missing("--certificate", "any"),
    reason="openssl or GLib's TLS (glib-networking) is not installed",
)


def encrypted(server: RtspServer) -> str:
    return server.url.replace("rtsp:", "rtsps:")


@NEEDS_TLS
def test_an_encrypted_camera_is_followed_where_its_certificate_is_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """FFmpeg looked for the authorities in a place that only some systems have: elsewhere no certificate would do."""
    certificate, key = make_certificate(tmp_path)
    both = tmp_path / "both.pem"
    both.write_bytes(key.read_bytes() + certificate.read_bytes())
    options = SourceOptions(open_timeout_s=20, read_timeout_s=20)
    with rtsp_server("--certificate", both) as server:
        with pytest.raises(SourceUnavailable, match="its certificate is not trusted"):
            open_source(encrypted(server), options)
        for lenient in (options, UDP):
            source = open_source(encrypted(server), replace(lenient, verify_certificates=False))
            assert [frame.index for frame in itertools.islice(source, 3)] == [0, 1, 2]
            source.close()
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        source = open_source(encrypted(server), options)
        assert [frame.index for frame in itertools.islice(source, 3)] == [0, 1, 2]
        source.close()
    with rtsp_server() as plain, pytest.raises(SourceUnavailable, match="what answers there is not encrypted"):
        open_source(encrypted(plain), SourceOptions(open_timeout_s=5, read_timeout_s=5))


@NEEDS_TLS
def test_an_encrypted_camera_is_taken_up_again_when_it_is_back(tmp_path: Path) -> None:
    certificate, key = make_certificate(tmp_path)
    both = tmp_path / "both.pem"
    both.write_bytes(key.read_bytes() + certificate.read_bytes())
    options = replace(QUICK, verify_certificates=False)
    with rtsp_server("--certificate", both) as server, LiveCamera(encrypted(server), options, name="gate") as camera:
        wait_until(lambda: camera.health().frames > 2, camera.health)
        server.freeze()
        wait_until(lambda: camera.health().state != "running", camera.health)
        server.kill()
        wait_until(lambda: camera.health().state == "offline", camera.health)
        with rtsp_server("--certificate", both, port=server.port):
            wait_for_frames(camera)


@pytest.mark.parametrize("options", [QUICK, UDP], ids=["tcp", "udp"])
def test_a_killed_camera_is_noticed_and_taken_up_again_when_it_is_back(options: SourceOptions) -> None:
    with rtsp_server() as server, watching(server, options) as camera:
        server.kill()
        wait_until(lambda: camera.health().state == "offline", camera.health)
        assert "the machine refuses the connection" in (camera.health().last_error or "")
        with rtsp_server(port=server.port):
            wait_for_frames(camera)
            assert camera.health().reconnects == 1
    assert camera.health().state == "stopped"


@pytest.mark.parametrize("options", [QUICK, UDP], ids=["tcp", "udp"])
def test_a_camera_that_falls_silent_is_opened_again(options: SourceOptions) -> None:
    with rtsp_server() as server, watching(server, options) as camera:
        server.freeze()
        wait_until(lambda: camera.health().state != "running", camera.health)
        assert "nothing has come from the camera for 1 s" in (camera.health().last_error or "")
        server.thaw()
        wait_for_frames(camera)
        assert camera.health().reconnects >= 1


def test_a_camera_that_repeats_one_picture_is_opened_again() -> None:
    options = SourceOptions(
        open_timeout_s=20, read_timeout_s=20, reconnect_first_s=0.05, reconnect_most_s=0.2, frozen_after_s=1
    )
    with rtsp_server() as server, watching(server, options) as camera:
        wait_for_frames(camera, 15)
        assert camera.health().reconnects == 0, camera.health()
        server.tell("pattern black")
        wait_until(lambda: "has repeated one picture for 1 s" in (camera.health().last_error or ""), camera.health)
        assert camera.health().frozen >= 1
        server.tell("pattern ball")
        wait_for_frames(camera)


@pytest.mark.parametrize("options", [QUICK, UDP], ids=["tcp", "udp"])
def test_the_size_of_the_picture_may_change_in_mid_stream(options: SourceOptions) -> None:
    with rtsp_server() as server, watching(server, options) as camera:
        for width, height in ((642, 362), (176, 130), (320, 240)):
            server.tell(f"size {width} {height}")
            wait_until(lambda w=width: camera.health().width == w, camera.health)  # type: ignore[misc]
            frame = camera.next_frame(60)
            assert frame is not None
            assert (frame.width, frame.height) == (width, height)
            assert frame.image.pixels.shape == (height, width, 3)
        assert camera.health().size_changes == 3
        assert camera.health().reconnects == 0


@pytest.mark.parametrize("options", [QUICK, UDP], ids=["tcp", "udp"])
def test_broken_packets_are_counted_and_gone_over(options: SourceOptions) -> None:
    with rtsp_server() as server, watching(server, options) as camera:
        server.tell("damage 0.003")
        wait_until(lambda: camera.health().decode_errors > 2, camera.health)
        server.tell("damage 0")
        wait_for_frames(camera, 10)


def test_a_source_that_nobody_watches_over_ends_by_an_error() -> None:
    with rtsp_server() as server:
        source = open_source(server.url, SourceOptions(open_timeout_s=20, read_timeout_s=20))
        frames = iter(source)
        next(frames)
        server.kill()
        with pytest.raises(SourceEnded, match="the camera closed the connection"):
            for _ in frames:
                pass
        source.close()


def test_wrong_addresses_are_explained_without_their_secrets() -> None:
    with rtsp_server("--password", "sesame") as server:
        options = SourceOptions(open_timeout_s=20)
        with pytest.raises(SourceUnavailable, match="user name or password is missing or wrong"):
            open_source(server.url, options)
        at = server.url.removeprefix("rtsp://")
        with pytest.raises(SourceUnavailable, match="user name or password") as caught:
            open_source(f"rtsp://camera:secret@{at}?key=secret", options)
        assert "secret" not in str(caught.value)
        source = open_source(f"rtsp://camera:sesame@{at}", options)
        assert next(iter(source)).source == server.url
        source.close()
        with pytest.raises(SourceUnavailable, match="no stream at this path"):
            open_source(f"rtsp://camera:sesame@127.0.0.1:{server.port}/other", options)


def test_one_cameras_trouble_does_not_touch_another() -> None:
    with rtsp_server() as bad, rtsp_server() as good, watching(good) as camera, watching(bad) as other:
        bad.kill()
        wait_until(lambda: other.health().state == "offline", other.health)
        wait_for_frames(camera, 10)
        assert camera.health().reconnects == 0
        assert camera.health().last_error is None
