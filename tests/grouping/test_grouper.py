"""Time lines: what is read when and where, and what is told of it, and when."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from timelines import PLAIN, START, Look, at, go, make_grouper, run, stay, texts

from factories import make_reading
from openplate.grouping import SCOUT, STREAM, GroupOptions
from openplate.grouping.passing import MOST_SIGHTINGS


def test_one_pass_is_one_group() -> None:
    (told,) = run(go("AB123CD", 1, 4), until_s=12)
    group = told.group
    assert (told.text, group.state, group.camera, len(group.sightings)) == ("AB123CD", "closed", "gate", 16)
    assert (group.first_seen, group.last_seen) == (at(1), at(4))
    assert (group.first_frame, group.last_frame, group.dwell_s) == (10, 40, 3.0)
    assert group.heading_degrees == pytest.approx(90)
    assert not group.is_parked
    assert [point.frame_index for point in group.plate_path] == [s.frame_index for s in group.sightings]
    assert group.best in group.sightings
    assert told.at_s == pytest.approx(8.6)  # 4.5 s after it was last read


def test_misread_texts_make_no_second_group() -> None:
    looks = [
        replace(look, text=t)
        for look, t in zip(go("", 0, 1.8), ["AB123CD", "A8123CD", "AB123C0", "AB123CD"] * 9, strict=False)
    ]
    assert texts(run(looks, until_s=9)) == ["AB123CD"]


def test_the_best_sighting_has_the_text_that_was_voted_for() -> None:
    looks = [Look(0, "AB123CD", confidence=0.7), Look(0.2, "AB128CD", confidence=0.85), *stay("AB123CD", 0.4, 1)]
    (told,) = run([replace(look, confidence=0.7) if look.at_s > 0.3 else look for look in looks])
    assert told.text == "AB123CD"
    assert told.group.best.plate is not None
    assert told.group.best.plate.reading is not None
    assert told.group.best.plate.reading.text == "AB123CD"


def test_two_vehicles_at_once_are_two_groups() -> None:
    looks = [*go("AB123CD", 0, 3), *go("ZK907PQ", 0.2, 3.2, track=2, x=400)]
    assert sorted(map(str, texts(run(looks)))) == ["AB123CD", "ZK907PQ"]


def test_alike_plates_side_by_side_are_two_groups() -> None:
    """Two cars of one fleet, seen in the same frames."""
    looks = [*go("AB123CD", 0, 3), *go("AB124CD", 0, 3, track=2, x=500)]
    assert sorted(map(str, texts(run(looks)))) == ["AB123CD", "AB124CD"]


def test_look_alikes_in_the_same_frames_are_two_vehicles() -> None:
    looks = [*go("AB121CD", 0, 3), *go("AB127CD", 0, 3.4, track=2, x=500)]
    assert sorted(map(str, texts(run(looks)))) == ["AB121CD", "AB127CD"]


def test_alike_plates_one_after_the_other_are_two_groups() -> None:
    """The second comes within the memory of the first, and must not be taken for it."""
    looks = [*go("AB123CD", 0, 3), *go("AB124CD", 20, 23, track=2)]
    assert texts(run(looks)) == ["AB123CD", "AB124CD"]


def test_a_track_that_breaks_does_not_split_the_pass() -> None:
    looks = [*go("AB123CD", 0, 2), *go("AB123CD", 3, 5, track=7, x=450)]
    assert texts(run(looks)) == ["AB123CD"]


def test_a_broken_track_goes_on_though_its_text_came_late() -> None:
    looks = [*go("AB123CD", 0, 2), *go(None, 2.4, 2.8, track=7, x=360), *go("AB123CD", 3, 4, track=7, x=450)]
    assert texts(run(looks)) == ["AB123CD"]


def test_a_part_of_a_plate_that_was_a_track_of_its_own_is_no_vehicle() -> None:
    """A pillar hides most of the plate: what is left of it is followed apart for a moment, and misread."""
    looks = [*go("MT536UY", 0, 3), Look(1.5, "MI5", track=2, x=2000), Look(1.7, "MI5", track=2, x=2000)]
    assert texts(run(looks, STREAM)) == ["MT536UY"]
    assert texts(run(looks, replace(SCOUT, min_confidence=0), until_s=20)) == ["MT536UY"]


@pytest.mark.parametrize(("part", "told"), [("UY", ["MT536UY"]), ("MT5", ["MT536UY"]), ("53", ["53", "MT536UY"])])
def test_an_end_of_a_plate_that_comes_out_from_behind_another_car_is_no_vehicle(part: str, told: list[str]) -> None:
    looks = [Look(0, part, x=2000), *go("MT536UY", 0.3, 3, track=2)]
    assert texts(run(looks, replace(STREAM, time_delta_ms=1000), until_s=20)) == told


def test_a_short_text_that_was_over_long_before_is_a_vehicle() -> None:
    looks = [Look(0, "UY", x=2000), *go("MT536UY", 3, 6, track=2)]
    assert texts(run(looks, replace(STREAM, time_delta_ms=1000), until_s=20)) == ["UY", "MT536UY"]


def test_no_vehicle_jumps_across_the_picture() -> None:
    """A text alike, at once at the other end: another vehicle."""
    looks = [*stay("AB123CD", 0, 1), *stay("AB124CD", 1.2, 2.2, track=2, x=5000)]
    assert sorted(map(str, texts(run(looks)))) == ["AB123CD", "AB124CD"]


def test_a_track_that_goes_over_to_another_vehicle_is_split() -> None:
    looks = [*go("AB123CD", 0, 2), *go("ZK907PQ", 2.2, 4, x=330)]
    assert texts(run(looks)) == ["AB123CD", "ZK907PQ"]


def test_nonsense_in_between_changes_nothing() -> None:
    looks = go("AB123CD", 0, 3)
    looks[5] = replace(looks[5], text="11")
    looks[9] = replace(looks[9], text="POLICE")
    assert texts(run(looks)) == ["AB123CD"]


def test_nonsense_at_first_is_outvoted() -> None:
    looks = [replace(look, text="TAXI", confidence=0.5) if look.at_s < 0.3 else look for look in go("AB123CD", 0, 3)]
    assert texts(run(looks)) == ["AB123CD"]


def test_an_empty_scene_tells_nothing() -> None:
    assert run([], until_s=5) == []


# --- Stream: max_prediction_delay, memory_decay, merge_buffer, report_static


@pytest.mark.parametrize("delay", [0.1, 1.0, 3.0, 6.0])
def test_a_vehicle_is_told_at_the_latest_after_the_prediction_delay(delay: float) -> None:
    told = run(stay("AB123CD", 2, 20, stands=True), replace(STREAM, max_prediction_delay_s=delay))
    assert [(each.text, each.at_s) for each in told] == [("AB123CD", pytest.approx(2 + delay, abs=0.11))]


def test_a_vehicle_that_has_gone_does_not_wait_for_the_prediction_delay() -> None:
    (told,) = run(go("AB123CD", 0, 0.4), replace(STREAM, time_delta_ms=1000), until_s=9)
    assert told.at_s == pytest.approx(1.5, abs=0.11)


@pytest.mark.parametrize(
    ("back_s", "times"),
    [(5, 1), (30, 1), (58, 1), (66, 2), (200, 2)],
)
def test_the_same_vehicle_is_told_again_only_after_the_memory_has_decayed(back_s: float, times: int) -> None:
    options = replace(STREAM, memory_decay_s=60)
    looks = [*go("AB123CD", 0, 2), *go("AB123CD", 2 + back_s, 4 + back_s, track=2)]
    assert texts(run(looks, options, until_s=back_s + 12)) == ["AB123CD"] * times


def test_a_look_alike_is_remembered_too() -> None:
    """B read as 8 the second time."""
    looks = [*go("AB123CD", 0, 2), *go("A8123CD", 30, 32, track=2)]
    assert texts(run(looks, STREAM, until_s=40)) == ["AB123CD"]


def test_a_text_that_lost_its_end_is_remembered_too() -> None:
    looks = [*go("AB123CD", 0, 2), *go("AB123C", 30, 32, track=2)]
    assert texts(run(looks, STREAM, until_s=40)) == ["AB123CD"]


def test_a_parked_car_is_told_once_however_long_it_stands() -> None:
    looks = stay("AB123CD", 0, 900, step_s=1, stands=True)
    assert texts(run(looks, STREAM, step_s=1)) == ["AB123CD"]


def test_a_parked_car_is_not_told_again_after_hours_without_a_look() -> None:
    """At night nothing moves; in the morning a cat does, and the car is read anew, by a new track."""
    looks = [*stay("AB123CD", 0, 20, step_s=1, stands=True), *stay("AB123CD", 9000, 9020, 1, stands=True, track=2)]
    assert texts(run(looks, STREAM, step_s=1)) == ["AB123CD"]


def test_another_car_on_the_same_place_is_told() -> None:
    looks = [*stay("AB123CD", 0, 20, step_s=1, stands=True), *stay("ZK907PQ", 60, 80, 1, stands=True, track=2)]
    assert texts(run(looks, STREAM, step_s=1)) == ["AB123CD", "ZK907PQ"]


def test_a_standing_vehicle_is_told_again_where_that_is_asked_for() -> None:
    options = replace(STREAM, report_static=True, memory_decay_s=60)
    told = run(stay("AB123CD", 0, 150, step_s=1, stands=True), options, step_s=1, closes=False)
    assert [each.group.is_parked for each in told] == [False, True, True]
    assert told[1].at_s - told[0].at_s == pytest.approx(66, abs=2)


@pytest.mark.parametrize(("merge_buffer", "groups"), [(1, 2), (3, 2), (4, 1), (-1, 1)])
def test_the_merge_buffer_says_how_many_steps_may_be_missing(merge_buffer: int, groups: int) -> None:
    """Three frames without the vehicle; memory is off, so that a second group shows."""
    looks = [*go("AB123CD", 0, 1, step_s=0.1), *go("AB123CD", 1.4, 2.4, step_s=0.1, track=2, x=210)]
    options = replace(PLAIN, memory_decay_s=0, merge_buffer=merge_buffer, min_plates_to_group=2)
    assert texts(run(looks, options, until_s=9)) == ["AB123CD"] * groups


# --- Scout: plate_groups_*


def test_scouts_timer_starts_again_with_every_match() -> None:
    looks = [Look(t, "AB123CD", track=int(t)) for t in (0, 4, 8, 12)]
    (told,) = run(looks, replace(SCOUT, max_delay_to_send_ms=0), until_s=30)
    assert len(told.group.sightings) == 4
    assert told.at_s == pytest.approx(12 + 4.5, abs=0.11)


@pytest.mark.parametrize(("time_delta_ms", "groups"), [(3000, 2), (4500, 1), (9000, 1)])
def test_time_delta(time_delta_ms: int, groups: int) -> None:
    options = replace(SCOUT, time_delta_ms=time_delta_ms, max_delay_to_send_ms=0)
    looks = [*go("AB123CD", 0, 1), *go("AB123CD", 5, 6, track=2, x=600)]
    assert texts(run(looks, options, until_s=30)) == ["AB123CD"] * groups


@pytest.mark.parametrize(("delay_ms", "sent_s"), [(0, 5.5), (4500, 5.5), (7500, 8.5)])
def test_a_group_is_sent_no_sooner_than_the_delay(delay_ms: int, sent_s: float) -> None:
    (told,) = run(go("AB123CD", 0, 1), replace(SCOUT, max_delay_to_send_ms=delay_ms), until_s=30)
    assert told.at_s == pytest.approx(sent_s, abs=0.11)


def test_what_comes_while_a_group_waits_to_be_sent_is_a_new_one() -> None:
    """Six seconds later is more than time_delta, though the first group has not been sent yet."""
    looks = [*go("AB123CD", 0, 1), *go("AB123CD", 7, 8, track=2)]
    told = run(looks, SCOUT, until_s=30)
    assert [(each.text, len(each.group.sightings)) for each in told] == [("AB123CD", 6), ("AB123CD", 6)]


@pytest.mark.parametrize(("count", "groups"), [(1, 0), (2, 1), (3, 1)])
def test_too_few_readings_make_no_group(count: int, groups: int) -> None:
    looks = [Look(0.2 * i, "AB123CD") for i in range(count)]
    assert len(run(looks, SCOUT, until_s=12)) == groups


@pytest.mark.parametrize(("confidence", "counted"), [(0.79, 0), (0.8, 6), (0.95, 6)])
def test_readings_below_the_least_confidence_do_not_count(confidence: float, counted: int) -> None:
    told = run(stay("AB123CD", 0, 1, confidence=confidence), SCOUT, until_s=12)
    assert sum(len(each.group.sightings) for each in told) == counted


def test_a_full_group_is_sent_while_the_vehicle_is_there_and_the_next_is_parked() -> None:
    options = replace(SCOUT, max_plates_to_group=10)
    told = run(stay("AB123CD", 0, 5, stands=True), options, until_s=15)
    assert [len(each.group.sightings) for each in told] == [10, 10, 6]
    assert [each.group.is_parked for each in told] == [False, True, True]
    assert told[0].at_s == pytest.approx(1.8, abs=0.11)


def test_a_moving_vehicle_is_not_parked_in_its_second_group() -> None:
    told = run(go("AB123CD", 0, 5), replace(SCOUT, max_plates_to_group=10), until_s=15)
    assert [each.group.is_parked for each in told] == [False, False, False]


def test_a_vehicle_that_parks_is_parked_when_it_is_seen_again() -> None:
    looks = [*stay("AB123CD", 0, 5, stands=True), *stay("AB123CD", 60, 65, stands=True, track=2)]
    assert [each.group.is_parked for each in run(looks, SCOUT, until_s=80)] == [False, True]


# --- previews, vehicles, departures


def test_a_preview_comes_with_the_first_confident_reading() -> None:
    looks = [Look(0, "AB123C0", confidence=0.4), Look(0.2, "AB123CD", confidence=0.95), *stay("AB123CD", 0.4, 2)]
    told = run(looks, replace(STREAM, preview=True, preview_confidence=0.6), until_s=12)
    assert [(each.group.state, each.text) for each in told] == [("preview", "AB123CD"), ("closed", "AB123CD")]
    assert told[0].at_s == pytest.approx(0.2)
    assert told[0].group.id == told[1].group.id


@pytest.mark.parametrize("step_s", [0.1, 0.2, 0.5])
@pytest.mark.parametrize("doubtful", [0, 1, 3, 10])
@pytest.mark.parametrize("confidence", [0.3, 0.6])
def test_a_gate_opens_with_the_frame_that_is_read_well(step_s: float, doubtful: int, confidence: float) -> None:
    """Not when the doubtful readings of its approach are outvoted, which takes many frames."""
    approach = [Look(number * step_s, "AB123CD", confidence=confidence) for number in range(doubtful)]
    start_s = doubtful * step_s
    looks = [*approach, *stay("AB123CD", start_s, start_s + 2, step_s, confidence=0.95)]
    preview, closed = run(looks, replace(STREAM, preview=True), until_s=30, step_s=step_s)
    assert (preview.group.state, closed.group.state) == ("preview", "closed")
    assert preview.at_s == pytest.approx(start_s)
    assert preview.group.last_seen == at(start_s)


def test_no_gate_opens_for_a_reading_that_others_contradict() -> None:
    looks = [*stay("AB128CD", 0, 0.8, confidence=0.6), Look(1.0, "AB123CD", confidence=0.95)]
    told = run(looks, replace(STREAM, preview=True), until_s=30)
    assert [(each.group.state, each.text) for each in told] == [("closed", "AB128CD")]


def test_no_preview_for_what_is_remembered() -> None:
    looks = [*go("AB123CD", 0, 2), *go("AB123CD", 30, 32, track=2)]
    told = run(looks, replace(STREAM, preview=True, preview_confidence=0.6), until_s=40)
    assert [each.group.state for each in told] == ["preview", "closed"]


def test_vehicles_without_a_plate_are_told_where_asked_for() -> None:
    looks = go(None, 0, 3)
    assert run(looks, PLAIN) == []
    (told,) = run(looks, replace(PLAIN, report_vehicles=True))
    assert told.text is None
    assert told.group.best.vehicle is not None
    assert told.group.best in told.group.sightings
    assert (told.group.first_seen, told.group.last_seen) == (at(0), at(3))
    assert told.group.heading_degrees == pytest.approx(90)


@pytest.mark.parametrize("options", [SCOUT, STREAM, PLAIN])
def test_a_vehicle_whose_plate_is_hidden_in_the_end_is_one_group(options: GroupOptions) -> None:
    """Scout was told of a car that rolled on from the barrier a second time, as a vehicle without a plate."""
    looks = [*go("AB123CD", 0, 2), *(replace(look, text=None) for look in go("", 2.2, 12))]
    told = run(looks, replace(options, report_vehicles=True), until_s=30)
    assert texts(told) == ["AB123CD"]


def test_a_vehicle_whose_plate_is_read_late_is_one_group() -> None:
    looks = [*go(None, 0, 2), *go("AB123CD", 2.2, 3, x=330)]
    told = run(looks, replace(STREAM, report_vehicles=True), until_s=20)
    assert texts(told) == ["AB123CD"]
    assert told[0].group.first_seen == at(2.2)
    assert told[0].group.vehicle_path[0].at == at(0)


def test_a_glimpse_of_something_is_no_vehicle() -> None:
    assert run([Look(0, None), Look(0.2, None)], replace(PLAIN, report_vehicles=True)) == []


def test_a_departure_says_how_long_it_was_there() -> None:
    told = run(stay("AB123CD", 0, 60, stands=True), replace(STREAM, max_dwell_delay_s=10), until_s=90)
    assert [(each.group.state, each.text) for each in told] == [("closed", "AB123CD"), ("left", "AB123CD")]
    assert told[1].at_s == pytest.approx(70, abs=0.2)
    assert told[1].group.dwell_s == pytest.approx(60)
    assert told[0].group.id == told[1].group.id


# --- time and memory


def test_a_still_picture_keeps_what_stands_and_lets_groups_be_due() -> None:
    """The car arrives, stops, and nothing moves any more: no frame is looked at, yet it is told, once."""
    grouper = make_grouper(STREAM)
    for index, look in enumerate(stay("AB123CD", 0, 2, stands=True)):
        assert grouper.feed([look.tracked(index)], at(look.at_s)) == []
    told = [group for second in range(3, 3000) for group in grouper.hold(at(second))]
    assert [group.consensus.text for group in told if group.consensus] == ["AB123CD"]
    again = [
        group
        for look in stay("AB123CD", 3000, 3010, stands=True, track=9)
        for group in grouper.feed([look.tracked(int(look.at_s))], at(look.at_s))
    ]
    assert again == []


def test_a_clock_set_back_neither_loses_nor_repeats() -> None:
    grouper = make_grouper(STREAM)
    told = []
    for index, look in enumerate(go("AB123CD", 0, 4)):
        back = timedelta(hours=2) if index > 8 else timedelta()
        told += grouper.feed([look.tracked(index)], at(look.at_s) - back)
    told += grouper.close()
    assert [group.consensus.text for group in told if group.consensus] == ["AB123CD"]


def test_the_pictures_wanted_are_few_and_those_of_the_best() -> None:
    grouper = make_grouper(PLAIN)
    for index, look in enumerate(stay("AB123CD", 0, 50)):
        grouper.feed([look.tracked(index)], at(look.at_s))
        assert len(grouper.wanted_frames) <= 2
    (group,) = grouper.close()
    assert group.best.frame_index == 0
    assert grouper.wanted_frames == frozenset()


def test_memory_is_bounded() -> None:
    looks = [*stay("AB123CD", 0, 400, stands=True)]
    (told,) = run(looks, replace(PLAIN, max_plates_to_group=10_000))
    assert len(told.group.sightings) <= MOST_SIGHTINGS
    assert told.group.best in told.group.sightings


def make_texts(count: int) -> list[str]:
    """All far from each other."""
    return [f"{n * 7919 % 100_000:05d}{chr(65 + n % 26)}{chr(65 + n // 26 % 26)}" for n in range(count)]


def test_a_crowd_is_bounded() -> None:
    """Too many at once: the oldest are told before their time."""
    grouper = make_grouper(PLAIN)
    told = []
    for index, text in enumerate(make_texts(240)):
        told += grouper.feed([Look(0, text, track=index, x=300.0 * index).tracked(index)], START)
    assert len(told) == 40
    assert len(grouper._open) == 200


def test_what_is_remembered_is_bounded() -> None:
    grouper = make_grouper(replace(PLAIN, memory_decay_s=1e9))
    told = []
    for index, text in enumerate(make_texts(600)):
        told += grouper.feed([Look(0, text, track=index).tracked(index)], at(10 * index))
    assert len(told) == 599
    assert len(grouper._reported) <= 501
    assert len(grouper._by_track) <= 502


def test_two_cameras_do_not_know_of_each_other() -> None:
    one, other = make_grouper(STREAM, "one"), make_grouper(STREAM, "other")
    told = []
    for index, look in enumerate(go("AB123CD", 0, 2)):
        told += [*one.feed([look.tracked(index)], at(look.at_s)), *other.feed([look.tracked(index)], at(look.at_s))]
    told += [*one.close(), *other.close()]
    assert [group.camera for group in told] == ["one", "other"]


def test_a_doubtful_reading_keeps_its_doubt() -> None:
    (told,) = run([Look(0, None, reading=make_reading("AB123CD", 0.45))])
    assert told.group.consensus is not None
    assert told.group.consensus.confidence == pytest.approx(0.45, abs=0.1)


@pytest.mark.parametrize(("count", "groups"), [(1, 0), (10, 1)])
def test_doubtful_readings_make_a_group_when_they_agree(count: int, groups: int) -> None:
    """A sticker is taken for a plate in one frame; a distant plate says the same in many."""
    looks = stay("AB123CD", 0, 0.2 * (count - 1), confidence=0.3)
    assert len(run(looks)) == groups


@pytest.mark.parametrize(
    "wrong",
    [
        {"memory_decay_s": -1},
        {"max_prediction_delay_s": 0.05},
        {"merge_buffer": 0},
        {"min_plates_to_group": 0},
        {"min_plates_to_group": 9, "max_plates_to_group": 8},
        {"min_confidence": 80},
        {"max_dwell_delay_s": 0},
    ],
)
def test_options_are_checked(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="must"):
        GroupOptions(**wrong)  # type: ignore[arg-type]
