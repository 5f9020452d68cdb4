"""The region classifier measured on crops whose numbers are worked out by hand."""

from __future__ import annotations

import pytest
from labelled import make_crop

from openplate.datatypes import Guess
from openplate.evaluation import RegionReport, evaluate_regions, region_mistakes
from openplate.evaluation.report import Confusion, Share

STATES = "us_states_crops"


def guesses(*answers: tuple[str, float]) -> tuple[Guess, ...]:
    return tuple(Guess(code, confidence) for code, confidence in answers)


def measure(*pairs: tuple[str | None, str], codes: tuple[str, ...] = ()) -> RegionReport:
    """Labels with the first guesses, each given with a confidence of 0.9."""
    crops = [make_crop(set_name=STATES, region=region) for region, _ in pairs]
    return evaluate_regions(crops, [guesses((guess, 0.9)) if guess else () for _, guess in pairs], codes)


def test_five_crops_by_hand() -> None:
    crops = [
        make_crop(set_name=STATES, region="us-ny"),
        make_crop(set_name=STATES, region="us-ny"),
        make_crop(set_name=STATES, region="us-ca"),
        make_crop(set_name="vn_crops", region="vn"),
        make_crop(set_name="vn_crops", region="vn"),
    ]
    answers = [
        guesses(("us-ny", 0.9), ("us-ca", 0.1)),
        guesses(("us-ca", 0.5), ("us-nj", 0.3), ("us-ny", 0.1)),
        guesses(("us-ca", 0.7)),
        guesses(("pl", 0.4), ("hu", 0.2), ("es", 0.1), ("vn", 0.1)),
        (),
    ]
    report = evaluate_regions(crops, answers)
    scores = report.scores
    assert (scores.top_1, scores.top_3, scores.country) == (Share(2, 5), Share(3, 5), Share(3, 5))
    assert (scores.us_state, scores.us_territory) == (Share(2, 3), Share(0, 0))
    assert scores.regions == 3
    assert scores.balanced == pytest.approx((1 / 2 + 1 + 0) / 3)
    # 0.9 and 0.7 right, 0.5, 0.4 and none wrong, each in a bin of its own.
    assert scores.ece == pytest.approx((0.1 + 0.3 + 0.5 + 0.4 + 0) / 5)
    assert report.confusions == (Confusion("us-ny", "us-ca", 1), Confusion("vn", "", 1), Confusion("vn", "pl", 1))
    assert [part.name for part in report.sets] == [STATES, "vn_crops"]
    assert [part.scores.top_1 for part in report.sets] == [Share(2, 3), Share(0, 2)]
    assert ("US state, us_states_crops", "66.7 %", "2/3") in report.rows()


def test_codes_are_compared_as_the_region_table_writes_them() -> None:
    report = measure(("us-pr", "pr"), ("us-gu", "us-gu"), ("us-vi", "vi"), ("us-dc", "us-dc"), codes=("us-pr", "gu"))
    assert report.scores.top_1 == Share(4, 4)
    assert report.scores.us_territory == Share(3, 3)
    assert report.scores.us_state == Share(1, 1)


def test_a_code_that_the_table_lacks_counts_as_its_country() -> None:
    report = measure(("in-dn", "in"), ("in-dn", "in-ka"), ("in-ka", "in"), ("in-dn", "id"))
    assert report.scores.top_1 == Share(2, 4)
    assert {score.code: score.right for score in report.classes} == {"in": Share(2, 3), "in-ka": Share(0, 1)}


def test_a_label_is_taken_as_finely_as_the_classifier_can_answer() -> None:
    report = measure(("in-ka", "in"), ("us-ny", "us-nj"), ("us-hi", "us-ny"), ("fr", "in"), codes=("in", "us-ny"))
    assert report.scores.top_1 == Share(1, 3)
    assert report.scores.us_state == Share(0, 2)
    assert [str(each) for each in report.skipped] == [
        "skipped: 1 of 4 of us_states_crops, not among the codes of the classifier"
    ]


def test_a_part_of_the_labelled_country_is_right_and_another_country_is_not() -> None:
    assert measure(("in", "in-ka")).scores.top_1 == Share(1, 1)
    assert measure(("in-ka", "in"), codes=("in-ka", "in")).scores.top_1 == Share(0, 1)
    assert measure(("in-ka", "in-mh")).scores.country == Share(1, 1)


def test_crops_without_a_country_are_left_out_and_said_so() -> None:
    report = measure((None, "us-ny"), ("eu", "pl"), ("pl", "pl"))
    assert report.scores.top_1 == Share(1, 1)
    assert [(each.count, each.reason) for each in report.skipped] == [
        (1, "no region is labelled"),
        (1, "the label names no country"),
    ]


def test_mistakes_are_the_wrong_first_guesses() -> None:
    crops = [make_crop(region="us-ny"), make_crop(region="us-pr"), make_crop(region=None)]
    answers = [guesses(("us-ny", 0.9)), guesses(("us-ny", 0.5), ("us-pr", 0.4)), guesses(("vn", 0.9))]
    (mistake,) = region_mistakes(crops, answers)
    assert (mistake.index, mistake.truth, mistake.answer) == (1, "pr", "us-ny")
    assert mistake.detail == "us-ny 0.50 pr 0.40"


def test_nothing_to_measure_gives_no_numbers() -> None:
    report = measure()
    assert (report.scores.top_1.value, report.scores.balanced, report.scores.ece) == (None, None, None)
    assert report.to_dict()["sets"] == []
