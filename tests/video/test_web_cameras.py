"""Cameras by HTTP: MJPEG and snapshots, from servers on loopback that drip, hang, lie and break off."""

from __future__ import annotations

import itertools
import shutil
import socket
import ssl
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest
from video_helpers import draw, jpeg, make_certificate, make_video, wait_until
from web_cameras import Exchange, answer, demand, is_authorized, mjpeg_head, part, web_camera

from openplate.errors import SourceEnded, SourceError, SourceUnavailable
from openplate.imaging import ImageLimits
from openplate.imaging.frame import Frame
from openplate.video import LiveCamera, Source, SourceOptions, open_source

PICTURES = [jpeg(draw(64, 48, number)) for number in range(6)]
OPTIONS = SourceOptions(open_timeout_s=60, read_timeout_s=60, poll_s=0.01)
HASTY = SourceOptions(open_timeout_s=0.5, read_timeout_s=0.5, poll_s=0.01)


def take(source: Source, count: int) -> list[Frame]:
    frames = list(itertools.islice(source, count))
    source.close()
    return frames


def read_to_the_end(source: Source) -> tuple[list[Frame], SourceError]:
    frames: list[Frame] = []
    with pytest.raises(SourceError) as caught:
        frames.extend(source)  # extends up to the error
    source.close()
    return frames, caught.value


def mjpeg(parts: Sequence[bytes], boundary: str = "frame", said: str | None = None) -> object:
    def script(exchange: Exchange) -> None:
        exchange.send(mjpeg_head(boundary, said))
        for each in parts:
            exchange.send(each)

    return script


# --- MJPEG --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "length"),
    [("frame", -1), ("frame", None), ("--frame", -1), ('"frame"', -1), ("frame", 10), ("frame", 10**9), ("frame", 0)],
    ids=["true length", "no length", "dashes", "quoted", "too short", "too long", "zero"],
)
def test_pictures_are_found_however_the_camera_writes_them(said: str, length: int | None) -> None:
    parts = [part(picture, length) for picture in PICTURES]
    with web_camera(mjpeg(parts, said=said)) as camera:  # type: ignore[arg-type]
        source = open_source(camera.url, OPTIONS, name="gate")
        frames, error = read_to_the_end(source)
    assert [frame.index for frame in frames] == list(range(6))
    assert {(frame.width, frame.height, frame.source) for frame in frames} == {(64, 48, "gate")}
    assert isinstance(error, SourceEnded)
    assert source.decode_errors == 0
    assert source.is_live


def test_a_picture_is_handed_on_before_the_next_one_begins() -> None:
    taken = threading.Event()

    def script(exchange: Exchange) -> None:
        head = f"Content-Type: image/jpeg\r\nContent-Length: {len(PICTURES[0])}\r\n\r\n".encode()
        exchange.send(mjpeg_head() + head + PICTURES[0])
        taken.wait(60)

    with web_camera(script) as camera:
        try:
            assert len(take(open_source(camera.url, OPTIONS), 1)) == 1
        finally:
            taken.set()


def test_broken_pictures_are_counted_and_left_out() -> None:
    parts = [part(PICTURES[0]), part(PICTURES[1][:300]), part(b"no picture"), part(PICTURES[2])]
    with web_camera(mjpeg(parts)) as camera:  # type: ignore[arg-type]
        source = open_source(camera.url, OPTIONS)
        frames, _ = read_to_the_end(source)
    assert [frame.index for frame in frames] == [0, 3]
    assert source.decode_errors == 2


def test_a_stream_of_other_things_than_pictures_is_given_up() -> None:
    with web_camera(mjpeg([part(b"no picture")] * 30)) as camera:  # type: ignore[arg-type]
        frames, error = read_to_the_end(open_source(camera.url, OPTIONS))
    assert frames == []
    assert "no pictures come from there" in str(error)


def test_a_picture_beyond_the_limit_is_refused_before_it_is_whole() -> None:
    def script(exchange: Exchange) -> None:
        exchange.send(mjpeg_head() + b"\r\n")
        while True:  # until the other side closes
            exchange.send(b"x" * 100_000)

    limits = ImageLimits(max_bytes=1_000_000)
    with web_camera(script) as camera:
        _, error = read_to_the_end(open_source(camera.url, SourceOptions(limits=limits)))
    assert "exceeds the limit of 1,000,000 bytes" in str(error)


def test_only_one_of_so_many_pictures_is_decoded() -> None:
    parts = [part(b"never looked at" if number % 3 else PICTURES[0]) for number in range(9)]
    with web_camera(mjpeg(parts)) as camera:  # type: ignore[arg-type]
        source = open_source(camera.url, SourceOptions(sample=3))
        frames, _ = read_to_the_end(source)
    assert [frame.index for frame in frames] == [0, 3, 6]
    assert source.decode_errors == 0


def test_a_stream_that_drips_is_given_up_though_bytes_keep_coming() -> None:
    def script(exchange: Exchange) -> None:
        exchange.send(mjpeg_head() + part(PICTURES[0]))
        exchange.drip(part(PICTURES[1]))

    with web_camera(script) as camera:
        frames, error = read_to_the_end(open_source(camera.url, SourceOptions(read_timeout_s=0.5)))
    assert len(frames) == 1
    assert "no whole picture has come from the camera for 0.5 s" in str(error)


def test_a_stream_that_hangs_is_given_up() -> None:
    def script(exchange: Exchange) -> None:
        exchange.send(mjpeg_head() + part(PICTURES[0]))
        exchange.hang()

    with web_camera(script) as camera:
        frames, error = read_to_the_end(open_source(camera.url, SourceOptions(read_timeout_s=0.5)))
    assert len(frames) == 1
    assert "no whole picture" in str(error)


# --- snapshots ----------------------------------------------------------------------------------------


def test_snapshots_are_asked_for_one_after_the_other() -> None:
    with web_camera(lambda exchange: exchange.send(answer(PICTURES[exchange.number % 6]))) as camera:
        frames = take(open_source(camera.url + "?size=big", OPTIONS), 4)
        assert len(camera.paths) == 4
        assert set(camera.paths) == {"/video?size=big"}
    assert [frame.index for frame in frames] == [0, 1, 2, 3]
    assert frames[0].source == camera.url
    times = [frame.captured_at for frame in frames]
    assert times == sorted(times)


def test_snapshots_keep_their_distance() -> None:
    with web_camera(lambda exchange: exchange.send(answer(PICTURES[0]))) as camera:
        frames = take(open_source(camera.url, SourceOptions(poll_s=0.3)), 3)
    assert (frames[2].captured_at - frames[0].captured_at).total_seconds() > 0.5


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (answer(PICTURES[0], length=10**6), "no whole picture has come"),
        (answer(PICTURES[0][:200], length=10**6), "no whole picture has come"),
        (answer(b"", status="404 Not Found"), r"nothing at this path \(status 404\)"),
        (answer(b"", status="500 Oh"), r"reports an error \(status 500\)"),
        (answer(b"", status="503 Busy"), "allow fewer viewers"),
        (answer(b"<html>", kind="text/html"), r"gives a page \(text/html\)"),
        (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", "does not speak HTTP"),
        (b"HTTP/1.1 200 OK\r\nContent-Ty", "no answer within"),
        (b"", "no answer within"),
    ],
)
def test_what_does_not_answer_with_pictures_is_explained(reply: bytes, words: str) -> None:
    def script(exchange: Exchange) -> None:
        exchange.send(reply)
        exchange.hang()

    with web_camera(script) as camera, pytest.raises(SourceUnavailable, match=words):
        take(open_source(camera.url, HASTY), 1)


def test_headers_that_drip_do_not_hold_the_camera() -> None:
    head = b"HTTP/1.1 200 OK\r\n" + b"X-More: 1\r\n" * 1000
    with (
        web_camera(lambda exchange: exchange.drip(head)) as camera,
        pytest.raises(SourceUnavailable, match="no answer"),
    ):
        open_source(camera.url, HASTY)


def test_a_snapshot_broken_off_is_one_broken_picture() -> None:
    def script(exchange: Exchange) -> None:
        exchange.send(answer(PICTURES[0][:200] if exchange.number == 2 else PICTURES[0], length=len(PICTURES[0])))

    with web_camera(script) as camera:
        source = open_source(camera.url, OPTIONS)
        frames = take(source, 3)
    assert [frame.index for frame in frames] == [0, 2, 3]
    assert source.decode_errors == 1


def test_a_snapshot_beyond_the_limit_is_refused() -> None:
    with web_camera(lambda exchange: exchange.send(answer(b"x" * 200_000))) as camera:
        source = open_source(camera.url, SourceOptions(limits=ImageLimits(max_bytes=100_000)))
        with pytest.raises(SourceUnavailable, match="exceeds the limit of 100,000 bytes"):
            take(source, 1)
        source.close()


@pytest.mark.parametrize("scheme", ["Basic", "Digest"])
def test_passwords_are_given_as_the_camera_demands_and_never_shown(scheme: str) -> None:
    def script(exchange: Exchange) -> None:
        if is_authorized(exchange, "ad:min", "s@cret"):
            exchange.send(answer(PICTURES[0]))
        else:
            demand(exchange, scheme)

    with web_camera(script) as camera:
        at = camera.url.removeprefix("http://")
        frames = take(open_source(f"http://ad%3Amin:s%40cret@{at}?a=b", OPTIONS), 2)
        assert [frame.source for frame in frames] == [camera.url] * 2
        for url in (camera.url, f"http://admin:wrong@{at}"):
            with pytest.raises(SourceUnavailable, match="user name or password is missing or wrong") as caught:
                open_source(url, OPTIONS)
            assert "wrong@" not in str(caught.value)


def test_redirects_within_http_are_followed() -> None:
    def script(exchange: Exchange) -> None:
        if exchange.path == "/video":
            exchange.send(b"HTTP/1.1 302 There\r\nLocation: /there\r\nContent-Length: 0\r\n\r\n")
        else:
            exchange.send(answer(PICTURES[0]))

    with web_camera(script) as camera:
        assert len(take(open_source(camera.url, OPTIONS), 1)) == 1


@pytest.mark.parametrize("where", ["file:///etc/hostname", "ftp://127.0.0.1/x"])
def test_a_redirect_elsewhere_is_refused(where: str) -> None:
    redirect = f"HTTP/1.1 302 There\r\nLocation: {where}\r\nContent-Length: 0\r\n\r\n".encode()
    with web_camera(lambda exchange: exchange.send(redirect)) as camera, pytest.raises(SourceUnavailable):
        open_source(camera.url, OPTIONS)


def test_other_videos_by_http_are_read_as_live(tmp_path: Path) -> None:
    video = make_video(tmp_path / "live.ts", [draw(64, 48, number) for number in range(8)]).read_bytes()
    with web_camera(lambda exchange: exchange.send(answer(video, kind="video/mp2t"))) as camera:
        frames, error = read_to_the_end(open_source(camera.url, OPTIONS, name="gate"))
    assert [frame.index for frame in frames] == list(range(8))
    assert {(frame.width, frame.position_s) for frame in frames} == {(64, None)}
    assert isinstance(error, SourceEnded)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
def test_certificates_are_checked_unless_told_otherwise(tmp_path: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*make_certificate(tmp_path))
    with web_camera(lambda exchange: exchange.send(answer(PICTURES[0])), context) as camera:
        url = camera.url.replace("http:", "https:")
        with pytest.raises(SourceUnavailable, match="its certificate is not trusted"):
            open_source(url, OPTIONS)
        lenient = SourceOptions(open_timeout_s=60, verify_certificates=False)
        assert len(take(open_source(url, lenient), 1)) == 1


# --- watched over -------------------------------------------------------------------------------------


def test_a_camera_that_breaks_off_is_taken_up_again() -> None:
    """Errors of every kind in turn, and between them pictures."""

    def script(exchange: Exchange) -> None:
        kind = exchange.number % 4
        if kind == 0:
            exchange.send(answer(b"", status="503 Busy"))
        elif kind == 1:
            exchange.send(mjpeg_head() + part(PICTURES[0]) + part(PICTURES[1]))
        elif kind == 2:
            exchange.send(b"HTTP/1.1 200")
        else:
            exchange.send(mjpeg_head() + part(PICTURES[2]))
            exchange.drip(PICTURES[3])

    options = SourceOptions(open_timeout_s=1, read_timeout_s=0.5, reconnect_first_s=0.01, reconnect_most_s=0.02)
    with web_camera(script) as server, LiveCamera(server.url, options, name="gate") as camera:
        wait_until(lambda: camera.health().reconnects >= 3, camera.health)
        assert camera.health().last_error
        assert camera.health().frames >= 4


def test_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(SourceUnavailable, match="refuses the connection"):
        open_source(f"http://127.0.0.1:{port}/", OPTIONS)
    options = SourceOptions(reconnect_first_s=0.01, reconnect_most_s=0.01)
    with LiveCamera(f"http://127.0.0.1:{port}/", options) as camera:
        wait_until(lambda: camera.health().state == "offline", camera.health)
        assert camera.next_frame(0.01) is None
    assert camera.health().state == "stopped"
