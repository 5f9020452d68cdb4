"""Turns: so many at a time, and nobody overtakes."""

from __future__ import annotations

import threading

import pytest
from tests.video.video_helpers import wait_until

from openplate.service.turns import Turns


def test_so_many_have_a_turn_at_the_same_time() -> None:
    turns, inside, most = Turns(2), 0, 0
    lock = threading.Lock()

    def work() -> None:
        nonlocal inside, most
        for _ in range(200):
            with turns:
                with lock:
                    inside += 1
                    most = max(most, inside)
                with lock:
                    inside -= 1

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert (inside, turns.waiting) == (0, 0)
    assert 1 <= most <= 2


def test_who_came_first_is_first_and_who_has_just_had_a_turn_is_last() -> None:
    """With a semaphore, a camera with a frame at hand took the turn that it had given back before those who waited."""
    turns, order = Turns(1), []

    def work(name: str) -> None:
        with turns:
            order.append(name)

    threads = [threading.Thread(target=work, args=(name,)) for name in ("a", "b", "c")]
    with turns:
        for count, thread in enumerate(threads, 1):
            thread.start()
            wait_until(lambda c=count: turns.waiting == c)  # type: ignore[misc]
    work("again")
    for thread in threads:
        thread.join(60)
    assert order == ["a", "b", "c", "again"]


def test_who_fails_gives_the_turn_back() -> None:
    turns = Turns(1)
    with pytest.raises(RuntimeError), turns:
        raise RuntimeError
    with turns:
        pass


def test_there_is_at_least_one_turn() -> None:
    with pytest.raises(ValueError, match="1 turn or more"):
        Turns(0)
