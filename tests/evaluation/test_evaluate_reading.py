"""Reading measured on crops whose numbers are worked out by hand."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from labelled import make_crop

from factories import make_reading
from openplate.datatypes import PlateReading
from openplate.evaluation import PlateCrop, ReadingReport, evaluate_reading, reading_mistakes
from openplate.evaluation.reading import group_of
from openplate.evaluation.report import Confusion, Share

TEXTS = st.text("ABCO01", min_size=1, max_size=6)


def measure(*pairs: tuple[PlateCrop, PlateReading | None], **others: Any) -> ReadingReport:
    return evaluate_reading([crop for crop, _ in pairs], [reading for _, reading in pairs], **others)


def test_five_texts_by_hand() -> None:
    report = measure(
        (make_crop("AB12"), make_reading("AB12", 0.95)),
        (make_crop("AO12"), make_reading("A012", 0.8, others=(("AO12", 0.1),))),
        (make_crop("XYZ9"), make_reading("XYZ", 0.6)),
        (make_crop("KLMN"), make_reading("KLOO", 0.7)),
        (make_crop("Q1"), None),
    )
    human = report.human
    assert (human.texts, human.characters) == (5, 18)
    assert human.exact == Share(1, 5)
    assert human.within_one_edit == Share(3, 5)
    assert human.merged == Share(2, 5)
    assert human.right_length == Share(3, 5)
    assert human.in_top_3 == human.in_candidates == Share(2, 5)
    assert human.cer == pytest.approx((0 + 1 + 1 + 2 + 2) / 18)
    # Five bins with one answer each: 0.95 right, 0.8, 0.6, 0.7 and 0 wrong.
    assert human.ece == pytest.approx((0.05 + 0.8 + 0.6 + 0.7 + 0.0) / 5)
    assert human.ece_raw is None
    assert report.confusions == (Confusion("M", "O", 1), Confusion("N", "O", 1), Confusion("O", "0", 1))
    assert report.rows()[0] == ("exact text", "20.0 %", "1/5")


def test_the_truth_far_down_the_candidates_is_not_in_the_top_3() -> None:
    others = (("A3", 0.2), ("A4", 0.1), ("A5", 0.05))
    scores = measure((make_crop("A5"), make_reading("A2", 0.6, others=others))).human
    assert (scores.in_top_3, scores.in_candidates) == (Share(0, 1), Share(1, 1))


def test_texts_are_compared_in_normal_form() -> None:
    assert measure((make_crop("ab-12 é"), make_reading("AB12E"))).human.exact == Share(1, 1)


def test_suspect_texts_and_missing_ones_are_left_out_and_said_so() -> None:
    report = measure(
        (make_crop("AB12", suspect=True, teacher_text="AB1Z"), make_reading("AB12")),
        (make_crop(None), make_reading("AB12")),
        (make_crop("AB12"), make_reading("AB12")),
    )
    assert report.human.exact == Share(1, 1)
    assert [str(each) for each in report.skipped] == [
        "skipped: 1 of 3 of us_nyc_crops, no text is labelled",
        "skipped: 1 of 3 of us_nyc_crops, the label is suspect",
    ]
    assert set(map(str, report.skipped)) <= set(report.tables()[0].notes)


def test_teacher_texts_are_measured_apart() -> None:
    report = measure(
        (make_crop("AB12"), make_reading("AB12")),
        (make_crop("CD34", "machine_set", text_label="teacher"), make_reading("CD35")),
    )
    assert report.human.exact == Share(1, 1)
    assert report.teacher.exact == Share(0, 1)
    assert [part.name for part in report.sets] == ["us_nyc_crops"]
    assert [part.name for part in report.teacher_sets] == ["machine_set"]


def test_a_chinese_province_is_dropped_and_arabic_texts_are_left_out() -> None:
    report = measure(
        (make_crop("皖A12345", "cn_easypr", "cn"), make_reading("A12345")),
        (make_crop("١٢٣ ب ن", "eg_ealpr", "eg"), make_reading("123")),
        (make_crop("123 ن ب", "eg_ealpr", "eg"), make_reading("123")),
    )
    assert report.human.exact == Share(1, 1)
    assert [(part.name, part.scores.exact) for part in report.groups] == [("cn", Share(1, 1))]
    (skipped,) = report.skipped
    assert (skipped.what, skipped.count, skipped.reason) == ("eg_ealpr", 2, "letters outside A-Z")


@pytest.mark.parametrize(
    ("set_name", "region", "group"),
    [
        ("us_nyc_reported_crops", "us-ny", "us_nyc"),
        ("us_states_crops", "us-id", None),
        ("vn_vito_crops", None, "vn"),
        ("street", "hr", "europe"),
        ("es_uab_parking", "es", "europe"),
        ("estonia", None, None),
        ("it_nischay", "it", None),
        ("in_statewise_olx", "in-dn", "in"),
        ("id_phone_exchioz", "id", "id"),
        ("br_crops", "br", "br"),
        ("ar_cnnocrlp_crops", "ar", "ar"),
        ("cn_easypr", "cn", "cn"),
        ("ro_robertlucian", "ro", None),
    ],
)
def test_groups_follow_the_country_or_the_name_of_the_set(set_name: str, region: str | None, group: str | None) -> None:
    assert group_of(make_crop(set_name=set_name, region=region)) == group


def test_groups_sets_and_lines_divide_the_same_crops() -> None:
    report = measure(
        (make_crop("AB12", "pl_street", "pl", lines=1), make_reading("AB12")),
        (make_crop("CD34", "hu_street", "hu", lines=2), make_reading("CD35")),
        (make_crop("EF56", "us_states_crops", "us-ny"), make_reading("EF56")),
    )
    assert [(part.name, part.scores.exact) for part in report.groups] == [("europe", Share(1, 2))]
    assert [part.name for part in report.sets] == ["hu_street", "pl_street", "us_states_crops"]
    assert [(part.name, part.scores.exact) for part in report.lines] == [
        ("one line", Share(1, 1)),
        ("two lines", Share(0, 1)),
    ]


def test_calibration_before_and_after() -> None:
    pairs = [(make_crop("A1"), make_reading("A1", 0.9)), (make_crop("B1"), make_reading("C1", 0.2))]
    report = measure(*pairs, raw_confidences=[0.6, 0.5])
    assert report.human.ece == pytest.approx((0.1 + 0.2) / 2)
    assert report.human.ece_raw == pytest.approx((0.4 + 0.5) / 2)
    titles = [table.title for table in report.tables()]
    assert "Confidence before calibration" in titles
    assert "Confidence before calibration" not in [table.title for table in measure(*pairs).tables()]
    with pytest.raises(ValueError, match="zip"):
        measure(*pairs, raw_confidences=[0.6])


def test_mistakes_are_the_human_texts_read_wrongly() -> None:
    crops = [make_crop("AB12"), make_crop("CD34"), make_crop("EF56", text_label="teacher"), make_crop("GH78")]
    readings = [make_reading("AB12"), make_reading("CD35", 0.75), make_reading("EF57"), None]
    mistakes = list(reading_mistakes(crops, readings))
    assert [(each.index, each.truth, each.answer) for each in mistakes] == [(1, "CD34", "CD35"), (3, "GH78", "")]
    assert mistakes[0].detail == "confidence 0.750"


def test_nothing_to_measure_gives_no_numbers() -> None:
    report = measure()
    assert (report.human.exact.value, report.human.cer, report.human.ece) == (None, None, None)
    assert report.tables()[0].rows[0][1] == "-"


@given(st.lists(st.tuples(TEXTS, TEXTS, st.floats(0, 1)), min_size=1, max_size=8))
def test_the_scores_of_any_readings_hang_together(answers: list[tuple[str, str, float]]) -> None:
    human = measure(*((make_crop(truth), make_reading(text, sure)) for truth, text, sure in answers)).human
    assert human.exact.count <= human.within_one_edit.count
    assert human.exact.count <= human.merged.count <= human.right_length.count
    assert human.exact.count <= human.in_top_3.count <= human.in_candidates.count
    assert human.cer is not None
    assert (human.cer == 0) == (human.exact.count == human.texts)
