"""HOTA, IDF1 and MOTA against values that were worked out by hand from the papers' definitions."""

from __future__ import annotations

import math

import pytest

from openplate.datatypes import Box
from openplate.evaluation.track_metrics import TrackBox, TrackFrame, TrackScores, measure_tracks


def box(x: float = 0.0) -> Box:
    return Box(x, 0, x + 100, 100)


def frames(truth: list[dict[int, float]], answers: list[dict[int, float]]) -> list[TrackFrame]:
    """For each frame the places of the ids."""
    return [
        TrackFrame(tuple(TrackBox(i, box(x)) for i, x in t.items()), tuple(TrackBox(i, box(x)) for i, x in a.items()))
        for t, a in zip(truth, answers, strict=True)
    ]


def measure(truth: list[dict[int, float]], answers: list[dict[int, float]]) -> TrackScores:
    return measure_tracks([frames(truth, answers)])


ONE = [{1: 0.0}] * 4


def test_all_right_is_one() -> None:
    scores = measure([{1: 0, 2: 500}] * 4, [{7: 0, 8: 500}] * 4)
    assert (scores.hota, scores.deta, scores.assa, scores.loca) == pytest.approx((1, 1, 1, 1))
    assert (scores.idf1, scores.mota, scores.switches, scores.missed, scores.false) == (1, 1, 0, 0, 0)
    assert (scores.boxes, scores.tracks, scores.answered_tracks) == (8, 2, 2)


def test_a_change_of_id_in_the_middle() -> None:
    """Each match shares its ids with 2 of 4 frames, so AssA is a half, and so is IDF1; one switch in four boxes."""
    scores = measure(ONE, [{1: 0}, {1: 0}, {2: 0}, {2: 0}])
    assert (scores.deta, scores.assa) == pytest.approx((1, 0.5))
    assert scores.hota == pytest.approx(math.sqrt(0.5))
    assert (scores.idf1, scores.mota, scores.switches) == (0.5, 0.75, 1)


def test_an_early_change_of_id() -> None:
    """AssA: (1/4 + 3 * 3/4) / 4 = 10/16."""
    scores = measure(ONE, [{1: 0}, {2: 0}, {2: 0}, {2: 0}])
    assert scores.assa == pytest.approx(10 / 16)
    assert (scores.idf1, scores.mota) == (0.75, 0.75)


def test_half_of_the_frames_missed() -> None:
    """DetA and AssA are 2/4; IDF1 is 2 * 2 / (4 + 2)."""
    scores = measure(ONE, [{1: 0}, {}, {1: 0}, {}])
    assert (scores.hota, scores.deta, scores.assa) == pytest.approx((0.5, 0.5, 0.5))
    assert (scores.idf1, scores.mota, scores.missed) == (pytest.approx(2 / 3), 0.5, 2)


def test_a_false_track_beside() -> None:
    """DetA is 4 / 8, AssA stays 1; IDF1 is 2 * 4 / (4 + 8); MOTA is (4 - 4) / 4."""
    scores = measure(ONE, [{1: 0, 2: 900}] * 4)
    assert (scores.deta, scores.assa, scores.hota) == pytest.approx((0.5, 1, math.sqrt(0.5)))
    assert (scores.idf1, scores.mota, scores.false) == (pytest.approx(2 / 3), 0, 4)


def test_two_that_exchange_their_ids() -> None:
    """Each match has 2 frames of its pair, of 4 + 4 - 2; IDF1 is 2 * 4 / 16; two switches in eight boxes."""
    scores = measure([{1: 0, 2: 500}] * 4, [{1: 0, 2: 500}] * 2 + [{1: 500, 2: 0}] * 2)
    assert (scores.deta, scores.assa) == pytest.approx((1, 1 / 3))
    assert (scores.idf1, scores.mota, scores.switches) == (0.5, 0.75, 2)


def test_inexact_boxes_count_at_low_thresholds_only() -> None:
    """An IoU of 1/3 fits at 0.05 to 0.30, 6 of 19 thresholds; at 0.5 nothing is found."""
    scores = measure(ONE, [{1: 50}] * 4)
    assert scores.hota == pytest.approx(6 / 19)
    assert (scores.idf1, scores.mota) == (0, -1)


def test_a_box_that_fits_the_threshold_exactly_counts() -> None:
    """Half of it: 0.05 to 0.5 are ten thresholds."""
    half = [TrackFrame((TrackBox(1, Box(0, 0, 100, 100)),), (TrackBox(1, Box(0, 0, 100, 50)),))]
    assert measure_tracks([half]).hota == pytest.approx(10 / 19)


def test_a_match_stays_though_another_fits_better_for_a_moment() -> None:
    scores = measure([{1: 0}] * 3, [{1: 20}, {1: 20, 2: 0}, {1: 20}])
    assert (scores.switches, scores.false) == (0, 1)


def test_ids_of_sequences_are_not_mixed_up() -> None:
    one = frames(ONE, [{1: 0}] * 4)
    other = frames([{1: 300}] * 4, [{2: 300}] * 4)
    together = measure_tracks([one, other])
    assert (together.hota, together.idf1, together.switches, together.tracks) == (pytest.approx(1), 1, 0, 2)


def test_sequences_are_weighed_by_their_boxes() -> None:
    """4 matches with an association of 1, and 4 with 1/2."""
    scores = measure_tracks([frames(ONE, [{1: 0}] * 4), frames(ONE, [{1: 0}, {1: 0}, {2: 0}, {2: 0}])])
    assert scores.assa == pytest.approx(0.75)


def test_answers_on_what_can_hardly_be_seen_do_not_count() -> None:
    frame = TrackFrame((TrackBox(1, box()),), (TrackBox(1, box()), TrackBox(2, box(500))), (box(500),))
    assert measure_tracks([[frame]]).false == 0


def test_nothing_to_measure() -> None:
    scores = measure_tracks([[TrackFrame((), ())]])
    assert (scores.hota, scores.idf1, scores.mota, scores.boxes) == (None, None, None, 0)


def test_nothing_answered() -> None:
    scores = measure(ONE, [{}] * 4)
    assert (scores.hota, scores.idf1, scores.mota, scores.missed) == (0, 0, 0, 4)
