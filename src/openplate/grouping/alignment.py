"""Texts of one plate laid side by side: which character of one stands where in the other."""

from __future__ import annotations

from openplate.text import look_alikes

Slot = tuple[int, int]
"""A place: (i, 0) is the i-th character of the text aligned to, (i, k) the k-th character put in before it."""

_GAP = 1.2
_END_GAP = 0.85  # the first and the last character are those most often cut off
_LOOK_ALIKE = 0.5


def align(text: str, pivot: str) -> dict[Slot, str]:
    """The characters of ``text`` by their places in ``pivot`` (Needleman and Wunsch 1970)."""
    costs = _costs(text, pivot)
    i, j = len(text), len(pivot)
    steps: list[tuple[int, int]] = []  # places in text and pivot, -1 for a gap
    while i or j:
        if i and j and costs[i][j] == costs[i - 1][j - 1] + _replacing(text[i - 1], pivot[j - 1]):
            i, j = i - 1, j - 1
            steps.append((i, j))
        elif i and costs[i][j] == costs[i - 1][j] + _gap(j, len(pivot)):
            i -= 1
            steps.append((i, -1))
        else:
            j -= 1
            steps.append((-1, j))
    placed: dict[Slot, str] = {}
    after, inserted = 0, 0
    for of_text, of_pivot in reversed(steps):
        if of_pivot >= 0:
            after, inserted = of_pivot + 1, 0
            if of_text >= 0:
                placed[of_pivot, 0] = text[of_text]
        else:
            inserted += 1
            placed[after, inserted] = text[of_text]
    return placed


def _costs(text: str, pivot: str) -> list[list[float]]:
    rows = [[0.0]]
    for _ in pivot:
        rows[0].append(rows[0][-1] + _gap(0, len(text)))
    for i, character in enumerate(text, 1):
        row = [rows[-1][0] + _gap(0, len(pivot))]
        for j, other in enumerate(pivot, 1):
            row.append(
                min(
                    rows[-1][j - 1] + _replacing(character, other),
                    rows[-1][j] + _gap(j, len(pivot)),
                    row[-1] + _gap(i, len(text)),
                )
            )
        rows.append(row)
    return rows


def _gap(place: int, length: int) -> float:
    return _END_GAP if place in (0, length) else _GAP


def _replacing(a: str, b: str) -> float:
    if a == b:
        return 0.0
    return _LOOK_ALIKE if b in look_alikes(a) else 1.0


def order(slot: Slot) -> tuple[int, int]:
    """Sorts places as they stand: what is put in before a character comes before it."""
    index, inserted = slot
    return (index, inserted) if inserted else (index, 1_000_000)
