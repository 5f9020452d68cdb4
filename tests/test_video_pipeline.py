"""One camera end to end on painted streets: frames in, groups with their pictures out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from factories import NOON
from openplate import RecognitionOptions, Recognizer
from openplate.datatypes import Box
from openplate.ground import Ground
from openplate.grouping import STREAM, GroupOptions
from openplate.imaging import Image
from openplate.imaging.frame import Frame
from openplate.video_pipeline import GroupPicture, Seen, VideoOptions, VideoRecognizer
from openplate.zones import Zone
from stand_ins import make_corner_refiner, make_stages, paint_street

TEXTS = ("ABC1234", "XYZ9876")
QUICK = VideoOptions(groups=replace(STREAM, max_prediction_delay_s=None, time_delta_ms=1000))


@pytest.fixture(scope="module")
def recognizer() -> Recognizer:
    looks = ({"br": 0.9, "ar": 0.08, "cl": 0.02},) * 2
    return Recognizer.from_stages(make_stages(TEXTS, looks, 0.999, None), RecognitionOptions(mode="fast"))


def make_frame(index: int, *places: tuple[int, float], fps: float = 5) -> Frame:
    """A street with cars: (number of the plate, x of the car's left side)."""
    cars = [Box(x, 200, x + 360, 500) for _, x in places]
    plates = [(Box(x + 130, 400, x + 230, 430), number) for number, x in places]
    pixels = paint_street(1280, 720, cars, plates)
    return Frame(Image(pixels), "gate", index, NOON + timedelta(seconds=index / fps), index / fps)


def passing(number: int = 0, start: int = 0, count: int = 8) -> list[Frame]:
    return [make_frame(start + i, (number, 50.0 + 90 * i)) for i in range(count)]


def groups(seen: Sequence[Seen]) -> list[GroupPicture]:
    return [group for each in seen for group in each.groups]


def texts(seen: Sequence[Seen]) -> list[str | None]:
    return [each.group.consensus.text if each.group.consensus else None for each in groups(seen)]


class Moves:
    """A motion gate that was told beforehand in which frames something moves."""

    def __init__(self, *frames: int) -> None:
        self._frames = frames

    def update(self, frame: Frame) -> tuple[Box, ...]:
        return (Box(0, 0, frame.width, frame.height),) if frame.index in self._frames else ()


def test_a_passing_car_is_one_group_with_the_picture_of_its_best_frame(recognizer: Recognizer) -> None:
    video = VideoRecognizer(recognizer, QUICK, camera="gate")
    frames = [*passing(), *(make_frame(i) for i in range(8, 16))]
    seen = [video.feed(frame) for frame in frames]
    (told,) = groups(seen)
    group = told.group
    assert group.consensus is not None
    assert (group.consensus.text, group.camera, group.first_frame, group.last_frame) == ("ABC1234", "gate", 0, 7)
    assert group.heading_degrees == pytest.approx(90, abs=3)
    best = frames[group.best.frame_index]
    assert told.image is not None
    assert np.array_equal(told.image.pixels, best.image.pixels)
    assert told.position_s == best.position_s
    assert seen[0].recognition is not None
    assert seen[0].recognition.captured_at == NOON
    assert seen[0].recognition.source == "gate"
    assert video.close().groups == ()


def test_what_is_open_is_told_at_the_end(recognizer: Recognizer) -> None:
    video = VideoRecognizer(recognizer, QUICK)
    seen = [*map(video.feed, passing()), video.close()]
    assert texts(seen) == ["ABC1234"]
    assert groups(seen)[0].image is not None


def test_two_cars_are_two_groups(recognizer: Recognizer) -> None:
    video = VideoRecognizer(recognizer, QUICK)
    frames = [make_frame(i, (0, 20.0 + 40 * i), (1, 880.0 - 20 * i)) for i in range(6)]
    assert sorted(map(str, texts([*map(video.feed, frames), video.close()]))) == sorted(TEXTS)


def test_where_nothing_moves_nothing_is_computed(recognizer: Recognizer) -> None:
    video = VideoRecognizer(recognizer, replace(QUICK, linger_s=0), motion=Moves(2, 3))
    seen = [video.feed(frame) for frame in passing()]
    assert [each.recognition is not None for each in seen] == [False, False, True, True, False, False, False, False]


def test_what_stops_is_looked_at_a_moment_longer(recognizer: Recognizer) -> None:
    video = VideoRecognizer(recognizer, replace(QUICK, linger_s=0.4), motion=Moves(1))
    seen = [video.feed(make_frame(i, (0, 300))) for i in range(6)]
    assert [each.recognition is not None for each in seen] == [False, True, True, True, False, False]


def test_a_parked_car_is_told_once_while_others_pass(recognizer: Recognizer) -> None:
    """It stands there, nothing moves for an hour, somebody walks by: it is not told again."""
    video = VideoRecognizer(recognizer, QUICK, motion=Moves(*range(12), *range(18_000, 18_012)))
    seen = [video.feed(make_frame(i, (0, 300))) for i in range(20)]
    seen += [video.feed(make_frame(i, (0, 300))) for i in range(1000, 18_000, 1000)]
    seen += [video.feed(make_frame(i, (0, 300))) for i in range(18_000, 18_030)]
    assert texts([*seen, video.close()]) == ["ABC1234"]


def test_what_lies_outside_the_zone_is_not_seen(recognizer: Recognizer) -> None:
    zone = Zone.from_polygons([[(0.5, 0), (1, 0), (1, 1), (0.5, 1)]])
    video = VideoRecognizer(recognizer, replace(QUICK, zone=zone))
    frames = [make_frame(i, (0, 20.0 + 5 * i), (1, 700.0 + 5 * i)) for i in range(5)]
    seen = [*map(video.feed, frames), video.close()]
    assert texts(seen) == ["XYZ9876"]
    assert all(len(each.recognition.plates) == 1 for each in seen if each.recognition)


def test_a_plate_cut_by_the_edge_is_not_believed(recognizer: Recognizer) -> None:
    """The car comes in: of its plate the first characters are not in the picture yet."""
    video = VideoRecognizer(recognizer, QUICK)
    assert texts([*(video.feed(make_frame(i, (0, -160))) for i in range(4)), video.close()]) == []


def test_a_plate_whose_corners_reach_the_edge_is_cut_too(recognizer: Recognizer) -> None:
    """A scooter that leaves: of KL31K3137 the first half was told, as the box ended four pixels before the edge."""
    cut = Recognizer.from_stages(replace(recognizer.stages, corner_refiner=make_corner_refiner(0.02)))
    for each, told in ((recognizer, ["ABC1234"]), (cut, [])):
        video = VideoRecognizer(each, QUICK)
        frames = [make_frame(i, (0, 1280 - 230 - 4)) for i in range(4)]
        assert texts([*map(video.feed, frames), video.close()]) == told


def test_cameras_share_a_recognizer_and_nothing_else(recognizer: Recognizer) -> None:
    one, other = VideoRecognizer(recognizer, QUICK, camera="one"), VideoRecognizer(recognizer, QUICK, camera="other")
    seen = []
    for here, there in zip(passing(0), passing(1), strict=True):
        seen += [one.feed(here), other.feed(there)]
    told = [(each.group.camera, each.group.consensus) for each in groups([*seen, one.close(), other.close()])]
    assert [(camera, consensus and consensus.text) for camera, consensus in told] == [
        ("one", "ABC1234"),
        ("other", "XYZ9876"),
    ]


def test_few_pictures_are_kept(recognizer: Recognizer) -> None:
    video = VideoRecognizer(recognizer, replace(QUICK, groups=GroupOptions(max_prediction_delay_s=None)))
    for index in range(40):
        video.feed(make_frame(index, (0, 300.0 + index % 3)))
        assert len(video._pictures) <= 2


def test_options_are_checked() -> None:
    with pytest.raises(ValueError, match="linger"):
        VideoOptions(linger_s=-1)


def test_with_a_known_road_the_speed_is_told(recognizer: Recognizer) -> None:
    """The cars of ``passing`` go 90 px in a fifth of a second; here 100 px are 2 m: 9 m/s."""
    corners = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))
    ground = Ground.from_points([(x, y, 25.6 * x, 14.4 * y) for x, y in corners])
    frames = [*passing(), *(make_frame(i) for i in range(8, 16))]
    told = []
    for options in (replace(QUICK, ground=ground), QUICK):
        video = VideoRecognizer(recognizer, options, camera="gate")
        told += groups([video.feed(frame) for frame in frames])
    known, unknown = (each.group.speed for each in told)
    assert known is not None
    assert known.kmh == pytest.approx(32.4, rel=0.02)
    assert unknown is None
