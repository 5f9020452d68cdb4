"""The cheapest way to give each row a column of its own: the linear assignment problem, solved exactly.

Shortest augmenting paths with dual prices (Jonker and Volgenant 1987; for more columns than rows, Crouse 2016).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]


def assign(costs: ArrayLike, limit: float) -> list[tuple[int, int]]:
    """Pairs (row, column) of the least total cost, by row; a row or a column stands in one pair at most.

    Args:
        costs: (n, m); infinite where a pair is impossible.
        limit: what it costs to leave a row alone: no pair that costs as much or more is made.

    Raises:
        ValueError: a cost is not a number.
    """
    table = np.asarray(costs, np.float64)
    if table.size == 0:
        return []
    if np.isnan(table).any():
        raise ValueError("costs must be numbers")
    rows, columns = table.shape
    # Each row may stay alone at the limit, which a column of its own stands for.
    alone = np.full((rows, rows), np.inf)
    np.fill_diagonal(alone, limit)
    possible = np.where(table < limit, table, np.inf)
    chosen = _cheapest_columns(np.hstack([possible, alone]))
    return [(row, int(column)) for row, column in enumerate(chosen) if column < columns]


def _cheapest_columns(costs: Floats) -> Indices:
    """For each row its column in the best complete assignment; there must be one."""
    rows, columns = costs.shape
    costs = costs - costs.min()  # prices start at nothing, so that no cost may be below
    row_prices, column_prices = np.zeros(rows), np.zeros(columns)
    column_of, row_of = np.full(rows, -1, np.intp), np.full(columns, -1, np.intp)
    for start in range(rows):
        came = _augment(costs, start, (row_prices, column_prices), column_of, row_of)
        column = came.end
        while True:  # backwards along the path: each row gives its column to the one before it
            row = int(came.rows[column])
            row_of[column] = row
            column_of[row], column = column, int(column_of[row])
            if row == start:
                break
    return column_of


class _Path:
    """The row from which each column was reached, and the free column where the path ends."""

    def __init__(self, columns: int) -> None:
        self.rows: Indices = np.full(columns, -1, np.intp)
        self.end = -1


def _augment(costs: Floats, start: int, prices: tuple[Floats, Floats], column_of: Indices, row_of: Indices) -> _Path:
    """The shortest path from a free row to a free column (Dijkstra on reduced costs); moves the prices."""
    row_prices, column_prices = prices
    path = _Path(costs.shape[1])
    distances = np.full(costs.shape[1], np.inf)
    is_settled = np.zeros(costs.shape[1], bool)
    visited = [start]
    row, length = start, 0.0
    while path.end < 0:
        reduced = length + costs[row] - row_prices[row] - column_prices
        is_shorter = ~is_settled & (reduced < distances)
        distances[is_shorter] = reduced[is_shorter]
        path.rows[is_shorter] = row
        column = int(np.argmin(np.where(is_settled, np.inf, distances)))
        length = float(distances[column])
        is_settled[column] = True
        if row_of[column] < 0:
            path.end = column
        else:
            row = int(row_of[column])
            visited.append(row)
    row_prices[start] += length
    for row in visited[1:]:
        row_prices[row] += length - distances[column_of[row]]
    column_prices[is_settled] -= length - distances[is_settled]
    return path
