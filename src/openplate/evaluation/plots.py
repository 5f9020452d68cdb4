"""Confusion matrices and calibration as pictures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np

from openplate.evaluation.attributes import AnswerCounts, AttributesReport
from openplate.evaluation.calibration import Calibration
from openplate.evaluation.drawing import ANSWER, INK, PALE, PAPER, TRUTH, Color, printable
from openplate.evaluation.gallery import safe_name
from openplate.evaluation.report import Confusion, decimal, percent
from openplate.imaging import Image, Pixels, encode_png

MOST_LABELS = 40
LEAST_ANSWERS = 10
"""A set with fewer gets no pictures of its own."""

_FONT = cv2.FONT_HERSHEY_SIMPLEX
_CELL_PX = 34
_TEXT_PX = 12
_CHARACTER_PX = 8
_SIDE_PX = 420
_MARGIN_PX = 60
_BLUE: Color = (0, 90, 170)


def write_plots(folder: Path, report: AttributesReport) -> int:
    """Two pictures for each question, over everything and for each set with enough answers; how many were written.

    Raises:
        OSError: the folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    count = 0
    for name, counts in _parts(report):
        title = name.replace("_", " ")
        for kind, image in (
            ("confusion", draw_confusion(title, counts.pairs, counts.wrong)),
            ("calibration", draw_calibration(title, counts.calibration)),
        ):
            path = folder / f"{kind}_{safe_name(name, 80)}.png"
            path.write_bytes(encode_png(image))
            count += 1
    return count


def _parts(report: AttributesReport) -> Iterator[tuple[str, AnswerCounts]]:
    for question in report.questions:
        yield question.name, question.counts
        for part in question.sets if len(question.sets) > 1 else ():
            if part.counts.calibration.count >= LEAST_ANSWERS:
                yield f"{question.name} {part.name}", part.counts


def draw_confusion(title: str, pairs: Sequence[Confusion], wrong: Sequence[Confusion]) -> Image:
    """Labels down, answers across, each cell the share of its label's answers; ``wrong`` ones are red.

    Of more than ``MOST_LABELS`` words those are shown that were confused most often.
    """
    words, left_out = _shown_words(pairs)
    counts = {(pair.truth, pair.answer): pair.count for pair in pairs}
    reds = {(pair.truth, pair.answer) for pair in wrong}
    totals = Counter[str]()
    for pair in pairs:
        totals[pair.truth] += pair.count
    rows = [word for word in words if totals[word]]
    shown = [printable(word, 24) or "(nothing)" for word in words]
    gutter = _CHARACTER_PX * max(len(word) for word in shown) + 60
    canvas = _paper(gutter + _CELL_PX * len(words) + 20, gutter + _CELL_PX * len(rows) + 40)
    _write(canvas, f"{printable(title)}: label down, answer across, % of the label", (10, 20), INK)
    if left_out:
        _write(canvas, f"{left_out} words that were hardly confused are left out", (10, 38), PALE)
    for column, word in enumerate(shown):
        _write_upwards(canvas, word, (gutter + column * _CELL_PX + 22, gutter - 6))
    for row, label in enumerate(rows):
        top = gutter + row * _CELL_PX
        name = f"{shown[words.index(label)]} ({totals[label]})"
        _write(canvas, name, (gutter - 6 - _width(name), top + 22), INK)
        for column, word in enumerate(words):
            cell = counts.get((label, word), 0) / totals[label]
            _draw_cell(canvas, (gutter + column * _CELL_PX, top), cell, is_right=(label, word) not in reds)
    return Image(canvas)


def _shown_words(pairs: Sequence[Confusion]) -> tuple[list[str], int]:
    words = {word for pair in pairs for word in (pair.truth, pair.answer)}
    if len(words) <= MOST_LABELS:
        return sorted(words), 0
    confused = Counter[str]()
    for pair in pairs:
        if pair.truth != pair.answer:
            confused[pair.truth] += pair.count
            confused[pair.answer] += pair.count
    kept = sorted(words, key=lambda word: (-confused[word], word))[:MOST_LABELS]
    return sorted(kept), len(words) - len(kept)


def _draw_cell(canvas: Pixels, at: tuple[int, int], share: float, is_right: bool) -> None:
    x, y = at
    ground = _mixed(TRUTH if is_right else ANSWER, share)
    cv2.rectangle(canvas, (x, y), (x + _CELL_PX - 2, y + _CELL_PX - 2), ground, cv2.FILLED)
    if share >= 0.005:
        text = f"{100 * share:.0f}"
        ink: Color = (255, 255, 255) if share > 0.55 else INK
        _write(canvas, text, (x + (_CELL_PX - _width(text)) // 2, y + 22), ink)


def _mixed(color: Color, share: float) -> Color:
    """From nearly white for none to the whole colour."""
    red, green, blue = (round(244 + (part - 244) * min(share, 1.0) ** 0.7) for part in color)
    return red, green, blue


def draw_calibration(title: str, calibration: Calibration) -> Image:
    """How often answers of each confidence were right; on the diagonal they are as sure as they are right.

    The bars below show how many answers had such a confidence.
    """
    canvas = _paper(_SIDE_PX + 2 * _MARGIN_PX, _SIDE_PX + 2 * _MARGIN_PX + 110)
    about = f"{calibration.count} answers, ECE {decimal(calibration.ece)}, Brier {decimal(calibration.brier)}"
    _write(canvas, printable(title), (10, 20), INK)
    _write(canvas, about, (10, 40), PALE)
    left, bottom = _MARGIN_PX, _MARGIN_PX + _SIDE_PX
    for step in range(6):
        at = round(_SIDE_PX * step / 5)
        cv2.line(canvas, (left + at, bottom), (left + at, bottom - _SIDE_PX), (230, 230, 230), 1)
        cv2.line(canvas, (left, bottom - at), (left + _SIDE_PX, bottom - at), (230, 230, 230), 1)
        _write(canvas, f"{step / 5:.1f}", (left + at - 10, bottom + 16), PALE)
        _write(canvas, f"{step / 5:.1f}", (left - 34, bottom - at + 4), PALE)
    cv2.line(canvas, (left, bottom), (left + _SIDE_PX, bottom - _SIDE_PX), PALE, 1, cv2.LINE_AA)
    _write(canvas, "confidence across, share of right answers up", (left, bottom + 34), PALE)
    _draw_bins(canvas, calibration, (left, bottom))
    return Image(canvas)


def _draw_bins(canvas: Pixels, calibration: Calibration, origin: tuple[int, int]) -> None:
    left, bottom = origin
    points = []
    for each in calibration.bins:
        if each.confidence is None or each.accuracy is None:
            continue
        x, y = left + round(_SIDE_PX * each.confidence), bottom - round(_SIDE_PX * each.accuracy)
        points.append((x, y))
        share = each.count / calibration.count
        start, end = left + round(_SIDE_PX * each.low) + 1, left + round(_SIDE_PX * each.high) - 1
        floor = bottom + 120
        cv2.rectangle(canvas, (start, floor - round(60 * share)), (end, floor), _BLUE, cv2.FILLED)
        if share >= 0.1:
            _write(canvas, percent(share)[:-4] + "%", (start, floor - round(60 * share) - 4), PALE)
    if points:
        cv2.polylines(canvas, [np.array(points, np.int32)], False, _BLUE, 2, cv2.LINE_AA)
        for point in points:
            cv2.circle(canvas, point, 4, _BLUE, cv2.FILLED, cv2.LINE_AA)


def _paper(width: int, height: int) -> Pixels:
    return np.full((height, max(width, 480), 3), PAPER, np.uint8)


def _width(text: str) -> int:
    return cv2.getTextSize(text, _FONT, _TEXT_PX / 29, 1)[0][0]


def _write(canvas: Pixels, text: str, at: tuple[int, int], color: Color) -> None:
    cv2.putText(canvas, text, at, _FONT, _TEXT_PX / 29, color, 1, cv2.LINE_AA)


def _write_upwards(canvas: Pixels, text: str, at: tuple[int, int]) -> None:
    """From ``at`` up, turned to the left."""
    strip = np.full((18, _CHARACTER_PX * len(text) + 8, 3), PAPER, np.uint8)
    _write(strip, text, (2, 13), INK)
    turned = np.rot90(strip)[-at[1] :]
    x, y = at[0] - 14, at[1] - turned.shape[0]
    canvas[y : y + turned.shape[0], x : x + turned.shape[1]] = turned
