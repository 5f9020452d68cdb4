"""Video files and folders of pictures as sources: their times, and what is wrong with them."""

from __future__ import annotations

import os
import struct
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from video_helpers import draw, jpeg, make_video

from openplate.errors import SourceUnavailable
from openplate.imaging import ImageLimits
from openplate.imaging.frame import Frame
from openplate.video import SourceOptions, is_live, open_source

NOON = datetime(2026, 3, 5, 12, 0, tzinfo=UTC)
PICTURES = [draw(64, 48, number) for number in range(20)]


def read(where: Path | str, options: SourceOptions | None = None, name: str | None = None) -> list[Frame]:
    source = open_source(where, options or SourceOptions(), name=name)
    frames = list(source)
    source.close()
    source.close()  # which changes nothing
    assert not source.is_live
    return frames


def seconds(frames: list[Frame]) -> list[float]:
    return [round((frame.captured_at - frames[0].captured_at).total_seconds(), 3) for frame in frames]


# --- videos -------------------------------------------------------------------------------------------


def test_every_frame_comes_in_order_with_its_time_and_its_colours(tmp_path: Path) -> None:
    frames = read(make_video(tmp_path / "drive.mp4", PICTURES), SourceOptions(started_at=NOON), name="drive")
    assert [frame.index for frame in frames] == list(range(20))
    assert {frame.source for frame in frames} == {"drive"}
    assert [round(frame.position_s or 0, 3) for frame in frames] == [number / 10 for number in range(20)]
    assert frames[0].captured_at == NOON
    assert seconds(frames) == [number / 10 for number in range(20)]
    for frame, picture in zip(frames, PICTURES, strict=True):
        difference = np.abs(frame.image.pixels.astype(int) - picture)
        assert np.median(difference) < 12  # colours at half the resolution, coded with loss
        assert int(frame.image.pixels[2, 2, 0]) > int(frame.image.pixels[2, 2, 2]) + 80  # red is left
        assert frame.image is frame.image


def test_sampling_leaves_frames_out_and_keeps_their_numbers_and_times(tmp_path: Path) -> None:
    path = make_video(tmp_path / "drive.mp4", PICTURES)
    frames = read(path, SourceOptions(sample=7))
    assert [frame.index for frame in frames] == [0, 7, 14]
    assert seconds(frames) == [0, 0.7, 1.4]


def test_a_variable_rate_is_followed(tmp_path: Path) -> None:
    times = [0, 0.04, 0.5, 0.51, 3, 10]
    frames = read(make_video(tmp_path / "drive.mkv", PICTURES[:6], times_s=times))
    assert seconds(frames) == times


def test_times_count_from_the_first_frame_where_the_file_begins_later(tmp_path: Path) -> None:
    path = make_video(tmp_path / "cut.mkv", PICTURES[:3], times_s=[100, 100.1, 100.2])
    assert [round(frame.position_s or 0, 3) for frame in read(path)] == [0, 0.1, 0.2]


def test_a_recording_began_when_the_file_says(tmp_path: Path) -> None:
    path = make_video(
        tmp_path / "a.mp4",
        PICTURES,
        metadata={"creation_time": "2025-01-31T08:09:10Z"},
        options={"movflags": "use_metadata_tags"},
    )
    assert read(path)[0].captured_at == datetime(2025, 1, 31, 8, 9, 10, tzinfo=UTC)


def test_a_recording_ended_when_its_file_was_last_changed(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mp4", PICTURES, metadata={"creation_time": "1904-01-01T00:00:00Z"})
    os.utime(path, (NOON.timestamp(), NOON.timestamp()))
    assert abs(read(path)[0].captured_at - (NOON - timedelta(seconds=2))) < timedelta(seconds=0.2)


@pytest.mark.parametrize(("width", "height"), [(2, 2), (34, 18), (642, 362), (1920, 130)])
def test_sizes_that_no_block_divides(tmp_path: Path, width: int, height: int) -> None:
    (frame,) = read(make_video(tmp_path / "odd.mp4", [draw(max(width, 4), height, 0)[:, :width]]))
    assert (frame.width, frame.height) == (width, height)
    assert frame.luma.shape == (height, width)
    assert frame.image.pixels.shape == (height, width, 3)


@pytest.mark.parametrize(
    ("codec", "pixel_format", "size"),
    [
        ("libx264", "yuv444p", (33, 17)),
        ("libx264", "yuv420p10le", (34, 18)),
        ("libx265", "yuv420p", (64, 48)),
        ("mpeg4", "yuv420p", (33, 17)),
        ("mjpeg", "yuvj422p", (34, 17)),
        ("ffv1", "gray", (33, 17)),
        ("ffv1", "bgr0", (33, 17)),
        ("libx264rgb", "rgb24", (33, 17)),
    ],
)
def test_brightness_agrees_with_the_colours_whatever_the_coding(
    tmp_path: Path, codec: str, pixel_format: str, size: tuple[int, int]
) -> None:
    pictures = [draw(*size, number) for number in range(3)]
    frames = read(make_video(tmp_path / "video.mkv", pictures, codec=codec, pixel_format=pixel_format))
    assert len(frames) == 3
    for frame in frames:
        assert (frame.width, frame.height) == size
        assert not frame.luma.flags.writeable
        expected = frame.image.pixels @ np.array([0.299, 0.587, 0.114])
        assert np.corrcoef(frame.luma.ravel(), expected.ravel())[0, 1] > 0.97


@pytest.mark.parametrize(("matrix", "turns"), [((0, 1, -1, 0), -1), ((0, -1, 1, 0), 1), ((-1, 0, 0, -1), 2)])
def test_videos_of_a_telephone_are_turned_upright(tmp_path: Path, matrix: tuple[int, ...], turns: int) -> None:
    data = bytearray(make_video(tmp_path / "plain.mp4", [draw(64, 48, 1)]).read_bytes())
    a, b, c, d = (number << 16 for number in matrix)
    at = data.index(b"tkhd") + 4 + 40  # where the header of the track says how it is to be shown
    struct.pack_into(">9i", data, at, a, b, 0, c, d, 0, 0, 0, 1 << 30)
    (tmp_path / "turned.mp4").write_bytes(data)
    (plain,), (turned,) = read(tmp_path / "plain.mp4"), read(tmp_path / "turned.mp4")
    assert np.array_equal(turned.image.pixels, np.rot90(plain.image.pixels, turns))
    assert np.array_equal(turned.luma, np.rot90(plain.luma, turns))
    assert (turned.height, turned.width) == turned.luma.shape


def test_a_cut_file_gives_what_is_left_of_it(tmp_path: Path) -> None:
    path = make_video(tmp_path / "whole.ts", [draw(320, 240, number) for number in range(50)])
    data = path.read_bytes()
    cut = tmp_path / "cut.ts"
    cut.write_bytes(data[: len(data) // 2])
    assert 0 < len(read(cut)) < 50


def test_damage_in_the_middle_is_gone_over_and_counted(tmp_path: Path) -> None:
    path = make_video(tmp_path / "whole.ts", [draw(320, 240, number) for number in range(100)])
    data = bytearray(path.read_bytes())
    for position in range(len(data) // 3, 2 * len(data) // 3, 301):
        data[position] ^= 0xFF
    path.write_bytes(data)
    source = open_source(path)
    frames = list(source)
    source.close()
    assert frames[-1].index > 40
    assert source.decode_errors > 0


@pytest.mark.parametrize(
    ("cut", "words"),
    [(100, "not a video, or one that was cut before its index was written"), (5000, "cut (short|before)")],
)
def test_a_file_without_its_index_is_explained(tmp_path: Path, cut: int, words: str) -> None:
    path = make_video(tmp_path / "whole.mp4", [draw(320, 240, number) for number in range(50)])
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(SourceUnavailable, match=words):
        open_source(path)


@pytest.mark.parametrize(
    ("contents", "words"),
    [
        (b"", "the file is empty"),
        (b"no video at all\n" * 100, "not a video"),
        (bytes(5000), "not a video"),
        (np.random.default_rng(3).bytes(50_000), "not a video"),
    ],
)
def test_what_is_not_a_video_is_explained(tmp_path: Path, contents: bytes, words: str) -> None:
    path = tmp_path / "video.mp4"
    path.write_bytes(contents)
    with pytest.raises(SourceUnavailable, match=words) as caught:
        open_source(path)
    assert str(path) in str(caught.value)


def test_a_file_of_sound_only_is_explained(tmp_path: Path) -> None:
    import wave

    with wave.open(str(tmp_path / "sound.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(bytes(16000))
    with pytest.raises(SourceUnavailable, match="there is no video in it"):
        open_source(tmp_path / "sound.wav")


def test_a_picture_beyond_the_limit_is_not_decoded(tmp_path: Path) -> None:
    path = make_video(tmp_path / "large.mp4", [draw(640, 480, 0)])
    source = open_source(path, SourceOptions(limits=ImageLimits(max_pixels=10_000)))
    assert list(source) == []
    assert source.decode_errors > 0
    source.close()


def test_a_playlist_does_not_reach_beyond_this_machine(tmp_path: Path) -> None:
    path = tmp_path / "list.m3u8"
    path.write_text("#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nhttp://127.0.0.1:1/secret.ts\n#EXT-X-ENDLIST\n")
    with pytest.raises(SourceUnavailable):
        read(path)


def test_names_that_look_like_something_else_are_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("rtsp:camera.mp4", "-i.mp4", "concat:a|b.mp4", "100%.mp4"):
        make_video(tmp_path / "plain.mp4", PICTURES[:2]).rename(tmp_path / name)
        assert len(read(name)) == 2


# --- what there is not --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("where", "words"),
    [
        ("missing.mp4", "there is no such file"),
        ("/dev/null", "this is no file"),
        ("usb:97", "no such camera; is it plugged in"),
        ("/dev/video98", "no such camera"),
        ("gopher://camera/", "no source begins with gopher://; video files, folders"),
        ("rtsp:///cam", "it names no machine"),
        ("http:///cam", "it names no machine"),
        ("http://127.0.0.1:99999/", "not an address of a camera"),
        ("rtsp://127.0.0.1:99999/", "not an address of a camera"),
        ("a\0b", "there is no such file"),
    ],
)
def test_wrong_addresses_are_explained(where: str, words: str) -> None:
    with pytest.raises(SourceUnavailable, match=words):
        open_source(where)


def test_which_sources_are_live() -> None:
    live = ["rtsp://a/b", "http://a/b.mjpg", "https://a/b.jpg", "usb:0", "/dev/video1", "RTSP://A"]
    assert [is_live(where) for where in live] == [True] * len(live)
    assert not any(is_live(where) for where in ("a.mp4", "folder", "/dev/videos", "usb:x", "C:\\a.mp4"))


def test_a_missing_library_is_named_with_the_command_that_installs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_video(tmp_path / "a.mp4", PICTURES[:1])
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(SourceUnavailable, match=r"pip install 'openplate\[stream\]'"):
        open_source(path)


@pytest.mark.parametrize(
    "wrong",
    [
        {"sample": 0},
        {"read_timeout_s": 0},
        {"open_timeout_s": -1},
        {"poll_s": 1e9},
        {"transport": "http"},
        {"frozen_after_s": -1},
        {"frames_per_s": 0},
        {"started_at": datetime(2026, 1, 1)},
    ],
)
def test_options_out_of_range_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        SourceOptions(**wrong)  # type: ignore[arg-type]


# --- folders ------------------------------------------------------------------------------------------


def folder_of(tmp_path: Path, names: list[str]) -> Path:
    for number, name in enumerate(names):
        (tmp_path / name).write_bytes(jpeg(draw(64, 48, number)))
        os.utime(tmp_path / name, (NOON.timestamp() + 10 * number,) * 2)
    return tmp_path


def test_pictures_of_a_folder_come_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    frames = read(folder_of(tmp_path, ["frame1.jpg", "frame2.jpg", "frame10.JPG"]), name="folder")
    assert [frame.index for frame in frames] == [0, 1, 2]
    assert [frame.captured_at for frame in frames] == [NOON + timedelta(seconds=10 * n) for n in range(3)]
    assert [frame.position_s for frame in frames] == [0, 10, 20]
    assert {(frame.width, frame.height, frame.source) for frame in frames} == {(64, 48, "folder")}


def test_a_rate_may_be_given_for_a_folder(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, ["a.jpg", "b.jpg", "c.jpg", "d.jpg", "notes.txt"])
    frames = read(folder, SourceOptions(frames_per_s=4, started_at=NOON, sample=3))
    assert [(frame.index, frame.position_s) for frame in frames] == [(0, 0), (3, 0.75)]
    assert frames[1].captured_at == NOON + timedelta(seconds=0.75)


def test_broken_pictures_of_a_folder_are_left_out_and_counted(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, ["a.jpg", "b.jpg", "c.jpg"])
    (folder / "b.jpg").write_bytes(b"no picture")
    source = open_source(folder)
    assert [frame.index for frame in source] == [0, 2]
    assert source.decode_errors == 1


def test_a_folder_without_pictures_is_explained(tmp_path: Path) -> None:
    with pytest.raises(SourceUnavailable, match="there are no pictures in this folder"):
        open_source(tmp_path)
