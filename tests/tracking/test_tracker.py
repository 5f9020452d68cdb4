"""Vehicles keep their ids: crossing, hidden, standing, at few frames a second, with bad detections."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from scenes import START, drive, follow, ids_of_vehicles, watch

from factories import make_detection, make_plate
from openplate.datatypes import Box
from openplate.tracking import Tracker, TrackerOptions
from openplate_training.traffic import NONE, Imperfection, Scene

PASSING = Scene((drive(1, "AB123CD", (0, -100, 400, 200), (5, 1400, 400, 200)),))
CROSSING = Scene(
    (
        drive(1, "AB123CD", (0, 0, 400, 200), (5, 1280, 420, 210)),
        drive(2, "ZK907PQ", (0, 1280, 500, 240), (5, 0, 470, 230)),
    )
)
HIDDEN = replace(PASSING, screens=(Box(500, 0, 760, 720),))
STOPPING = Scene(
    (
        drive(1, "AB123CD", (0, 100, 400, 200), (2, 600, 400, 200), (8, 600, 400, 200), (10, 1200, 400, 200)),
        drive(2, "ZK907PQ", (0, -400, 420, 200), (3, 380, 420, 200), (9, 380, 420, 200), (12, 1200, 420, 200)),
    )
)
QUEUE = Scene(
    tuple(
        drive(n, text, (0.9 * n, -150, 400, 200), (0.9 * n + 4, 1450, 400, 200))
        for n, text in enumerate(("AB123CD", "ZK907PQ", "HH456UV", "MM001AA"))
    )
)
TOWARDS = Scene((drive(1, "AB123CD", (0, 600, 200, 60), (4, 700, 700, 500)),))


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize(
    ("scene", "fps"),
    [
        (PASSING, 25),
        (PASSING, 5),
        (PASSING, 2),
        (CROSSING, 25),
        (CROSSING, 10),
        (CROSSING, 5),
        (HIDDEN, 25),
        (HIDDEN, 10),
        (STOPPING, 10),
        (STOPPING, 5),
        (QUEUE, 10),
        (QUEUE, 5),
        (TOWARDS, 10),
        (TOWARDS, 3),
    ],
)
def test_each_vehicle_keeps_one_id(scene: Scene, fps: float, seed: int) -> None:
    moments = list(watch(scene, fps, seed=seed))
    found = ids_of_vehicles(moments, follow(moments))
    assert {vehicle: len(ids) for vehicle, ids in found.items()} == {j.id: 1 for j in scene.journeys}
    assert len({ids[0] for ids in found.values()}) == len(scene.journeys)


def test_fast_vehicles_at_two_frames_a_second_are_told_by_their_plates() -> None:
    """Each stands in the next frame nearly where the one before it stood."""
    moments = list(watch(QUEUE, 2, replace(NONE, jitter=0.01)))
    found = ids_of_vehicles(moments, follow(moments))
    assert [len(ids) for ids in found.values()] == [1, 1, 1, 1]


def test_a_vehicle_without_a_plate_is_followed() -> None:
    scene = Scene((drive(1, None, (0, 0, 400, 200), (4, 1280, 400, 200)),))
    moments = list(watch(scene))
    tracks = follow(moments)
    assert ids_of_vehicles(moments, tracks) == {1: [1]}
    assert all(track.text is None and track.plate_box is None for living in tracks for track in living)


def test_a_plate_without_a_vehicle_is_followed_and_joined_by_it() -> None:
    moments = list(watch(PASSING, 10, NONE))[10:]
    only_plates = [
        replace(m, vehicles=[], plates=[replace(p, vehicle_index=None) for p in m.plates]) if m.at_s < 2 else m
        for m in moments
    ]
    tracks = follow(only_plates)
    assert {track.id for living in tracks for track in living} == {1}
    assert tracks[3][0].vehicle_box is None
    assert tracks[20][0].vehicle_box is not None


def test_states_over_time() -> None:
    """Seen twice: confirmed. Not seen: lost, where it is expected. Not for two seconds: gone."""
    moments = list(watch(PASSING, 10, NONE))[15:25]
    tracker = Tracker(TrackerOptions())
    blind = [replace(m, plates=[]) for m in moments[:3]]
    states = [tracker.update(m.vehicles, [], m.at, m.frame_index)[0].state for m in blind]
    assert states == ["tentative", "confirmed", "confirmed"]
    (lost,) = tracker.update([], [], moments[5].at, 5)
    assert lost.state == "lost"
    assert lost.vehicle_box is not None
    assert lost.vehicle_box.iou(moments[5].truth[0].box) > 0.7
    tracker.update([], [], moments[6].at, 6)
    assert tracker.update([], [], moments[2].at + timedelta(seconds=3), 7) == ()


def test_a_surely_read_plate_counts_at_once() -> None:
    tracker = Tracker(TrackerOptions())
    (track,) = tracker.update([], [make_plate("B4K77Q", confidence=0.9)], START, 0)
    assert (track.state, track.text) == ("confirmed", "B4K77Q")


def test_weak_detections_keep_a_track_but_begin_none() -> None:
    box = Box(100, 100, 300, 260)
    tracker = Tracker(TrackerOptions())
    assert tracker.update([make_detection("car", box, 0.3)], [], START, 0) == ()
    for index, confidence in enumerate((0.9, 0.9, 0.2, 0.2, 0.2), 1):
        at = START + timedelta(seconds=index / 10)
        (track,) = tracker.update([make_detection("car", box.shift(2.0 * index, 0), confidence)], [], at, index)
        assert track.vehicle_index == 0
    assert track.state == "confirmed"


def test_a_plate_that_can_be_read_begins_a_track_however_weakly_it_was_found() -> None:
    box = Box(100, 100, 180, 120)
    tracker = Tracker(TrackerOptions())
    faint = replace(make_plate("B4K77Q", box=box, confidence=0.9), detection=make_detection("plate", box, 0.3))
    assert tracker.update([], [replace(faint, reading=None)], START, 0) == ()
    (track,) = tracker.update([], [faint], START + timedelta(seconds=0.1), 1)
    assert (track.text, track.plate_index) == ("B4K77Q", 0)


def test_another_plate_in_front_does_not_change_whose_track_it_is() -> None:
    """The plate of a car behind shows beside the driver of the one in front."""
    tracker = Tracker(TrackerOptions())
    box, plate_box, other_box = Box(200, 200, 500, 440), Box(310, 380, 390, 400), Box(450, 220, 495, 232)
    for index in range(6):
        plates = [make_plate("AB123CD", box=plate_box, confidence=0.9, vehicle_index=0)]
        if index >= 3:
            plates = [make_plate("XX999YY", box=other_box, confidence=0.9, vehicle_index=0)]
        at = START + timedelta(seconds=index / 10)
        tracks = tracker.update([make_detection("car", box, 0.9)], plates, at, index)
    assert [(t.text, t.vehicle_index, t.plate_index) for t in tracks] == [("AB123CD", 0, None), ("XX999YY", None, 0)]


def test_a_vehicle_that_stopped_behind_something_is_recognized_by_its_plate() -> None:
    """It comes out where nobody expected it, first its nose alone, then the plate."""
    tracker = Tracker(TrackerOptions())
    ids = []
    for index in range(30):
        x = 90.0 * index if index < 10 else 830.0 + 5.0 * (index - 10)
        box, plate_box = Box(x, 200, x + 300, 440), Box(x + 110, 380, x + 190, 400)
        vehicles = [make_detection("car", box, 0.9)] if index < 10 or index >= 20 else []
        has_plate = index < 10 or index >= 23
        plates = [make_plate("AB123CD", box=plate_box, vehicle_index=0)] if has_plate else []
        tracks = tracker.update(vehicles, plates, START + timedelta(seconds=index / 10), index)
        ids.append([track.id for track in tracks if track.vehicle_index is not None])
    assert ids[9] == ids[-1] == [1]


def test_two_runs_give_the_same() -> None:
    moments = list(watch(CROSSING, 10, Imperfection(0.05, 0.2, 0.3, 0.5, 0.3), seed=4))
    assert follow(moments) == follow(moments)


def test_two_cameras_give_the_ids_they_give_alone() -> None:
    """Each tracker counts for itself: what one sees changes nothing for the other."""
    here, there = list(watch(CROSSING, 10, seed=1)), list(watch(QUEUE, 10, seed=2))
    one, other = Tracker(TrackerOptions()), Tracker(TrackerOptions())
    together: tuple[list[object], list[object]] = ([], [])
    for a, b in zip(here, there, strict=False):
        together[0].append(one.update(a.vehicles, a.plates, a.at, a.frame_index))
        together[1].append(other.update(b.vehicles, b.plates, b.at, b.frame_index))
    assert together[0] == follow(here)[: len(together[0])]
    assert together[1] == follow(there)[: len(together[1])]


def test_a_clock_set_back_loses_no_track() -> None:
    moments = list(watch(PASSING, 10, NONE))[15:35]
    tracker = Tracker(TrackerOptions())
    for moment in moments:
        back = timedelta(hours=1) if moment.frame_index > 25 else timedelta()
        tracks = tracker.update(moment.vehicles, moment.plates, moment.at - back, moment.frame_index)
    assert [track.id for track in tracks] == [1]


def test_what_stands_is_held_through_a_still_night() -> None:
    """While nothing moves nothing is looked at; in the morning the parked car is still the same."""
    tracker = Tracker(TrackerOptions())
    car, plate = make_detection("car", Box(200, 200, 500, 440), 0.9), make_plate("AB123CD", box=Box(310, 380, 390, 400))
    for index in range(10):
        tracker.update([car], [replace(plate, vehicle_index=0)], START + timedelta(seconds=index / 5), index)
    for hour in range(1, 9):
        (held,) = tracker.hold(START + timedelta(hours=hour))
        assert held.vehicle_index is None
    (track,) = tracker.update([car], [], START + timedelta(hours=9), 11)
    assert (track.id, track.state, track.is_standing) == (1, "confirmed", True)


def test_merging_by_frames_instead_of_time() -> None:
    moments = list(watch(PASSING, 10, NONE))[15:30]
    for most_missed, expected in ((0, 2), (2, 1)):
        tracker = Tracker(TrackerOptions(most_missed=most_missed))
        seen = [m if m.frame_index not in (20, 21) else replace(m, vehicles=[], plates=[]) for m in moments]
        ids = {t.id for m in seen for t in tracker.update(m.vehicles, m.plates, m.at, m.frame_index)}
        assert len(ids) == expected


def test_the_number_of_tracks_is_limited() -> None:
    tracker = Tracker(TrackerOptions(most_tracks=5))
    crowd = [make_detection("car", Box(40.0 * n, 0, 40.0 * n + 30, 20), 0.9) for n in range(20)]
    assert len(tracker.update(crowd, [], START, 0)) == 5


@pytest.mark.parametrize("wrong", [{"weak": 0.6}, {"confirm_after": 0}, {"lost_after_s": 0}, {"most_missed": -1}])
def test_options_are_checked(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="must be"):
        TrackerOptions(**wrong)  # type: ignore[arg-type]
