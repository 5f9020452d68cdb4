"""Many things done at the same time by threads, with the answers in the order of the questions."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import chain, islice
from typing import TypeVar

Question = TypeVar("Question")
Answer = TypeVar("Answer")

_WAITING_PER_WORKER = 4


def in_order(
    work: Callable[[Question], Answer], questions: Iterable[Question], workers: int
) -> Generator[tuple[Question, Answer]]:
    """Each question with its answer, in order; questions are taken, and answers kept, only a few ahead.

    What ``work`` raises is raised here, at its place. Whoever stops early waits for nothing: what has not
    begun is dropped.
    """
    most = workers * _WAITING_PER_WORKER
    pool = ThreadPoolExecutor(workers, "openplate")
    waiting: deque[tuple[Question, Future[Answer]]] = deque()
    try:
        for question in questions:
            waiting.append((question, pool.submit(work, question)))
            if len(waiting) >= most or waiting[0][1].done():
                yield _first(waiting)
        while waiting:
            yield _first(waiting)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _first(waiting: deque[tuple[Question, Future[Answer]]]) -> tuple[Question, Answer]:
    question, answer = waiting.popleft()
    return question, answer.result()


def peek(questions: Iterable[Question], count: int) -> tuple[int, Iterator[Question]]:
    """How many there are, counted up to ``count``, and all of them."""
    rest = iter(questions)
    first = list(islice(rest, count))
    return len(first), chain(first, rest)


def cores() -> int:
    """The processor cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
