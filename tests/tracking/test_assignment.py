"""The assignment is the best one: tables, and every small problem against trying all of them."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from openplate.tracking import assign


@pytest.mark.parametrize(
    ("costs", "limit", "pairs"),
    [
        ([], 10, []),
        ([[3]], 10, [(0, 0)]),
        ([[3]], 3, []),
        ([[1, 2], [1, 9]], 100, [(0, 1), (1, 0)]),
        ([[1, 2], [1, 9]], 2.5, [(0, 1), (1, 0)]),
        ([[1, 2, 3]], 10, [(0, 0)]),
        ([[5], [2], [4]], 10, [(1, 0)]),
        ([[math.inf, 4], [math.inf, 3]], 10, [(1, 1)]),
        ([[math.inf]], 10, []),
        ([[-5, -4], [-4, 0]], 10, [(0, 1), (1, 0)]),
        ([[4, 1, 3], [2, 0, 5], [3, 2, 2]], 10, [(0, 1), (1, 0), (2, 2)]),
    ],
)
def test_pairs(costs: list[list[float]], limit: float, pairs: list[tuple[int, int]]) -> None:
    assert assign(costs, limit) == pairs


def test_what_is_no_number_is_refused() -> None:
    with pytest.raises(ValueError, match="numbers"):
        assign([[math.nan]], 1)


def least_total(costs: np.ndarray, limit: float) -> float:
    """By trying everything."""
    rows, columns = costs.shape
    best = math.inf
    for choice in itertools.product(range(-1, columns), repeat=rows):
        taken = [column for column in choice if column >= 0]
        if len(taken) == len(set(taken)):
            best = min(best, sum(limit if c < 0 else costs[r, c] for r, c in enumerate(choice)))
    return best


@given(st.integers(1, 4), st.integers(1, 4), st.data())
def test_no_other_choice_is_cheaper(rows: int, columns: int, data: st.DataObject) -> None:
    cost = st.one_of(st.integers(-20, 20).map(float), st.just(math.inf))
    costs = np.array([[data.draw(cost) for _ in range(columns)] for _ in range(rows)])
    limit = float(data.draw(st.integers(-5, 15)))
    pairs = assign(costs, limit)
    assert len({r for r, _ in pairs}) == len({c for _, c in pairs}) == len(pairs)
    total = sum(costs[pair] for pair in pairs) + limit * (rows - len(pairs))
    assert total == pytest.approx(least_total(costs, limit))


def test_many_are_assigned() -> None:
    places = np.random.default_rng(0).permutation(60)
    costs = np.abs(np.arange(60)[:, None] - places[None, :]).astype(float)
    pairs = assign(costs, 1000)
    assert sum(costs[pair] for pair in pairs) == 0
