"""The threads behind the server: how many at once, how many wait, what the next one is told, how they end."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from openplate.errors import Overloaded
from openplate.service.pool import BoundedPool


@dataclass
class Gate:
    """Work that stands still until it is let through."""

    opened: threading.Event = field(default_factory=threading.Event)
    begun: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))

    def work(self) -> str:
        self.begun.release()
        assert self.opened.wait(20)
        return "done"


@pytest.fixture
def gate() -> Iterator[Gate]:
    gate = Gate()
    yield gate
    gate.opened.set()


async def until(condition: threading.Semaphore, count: int) -> None:
    for _ in range(count):
        assert await asyncio.to_thread(condition.acquire, timeout=20)


def test_as_many_at_once_as_workers_and_no_more_than_the_queue_wait(gate: Gate) -> None:
    async def scenario() -> None:
        pool = BoundedPool(2, 3, "test")
        running = [asyncio.create_task(pool.run(gate.work)) for _ in range(5)]
        await until(gate.begun, 2)
        assert (pool.busy, pool.waiting) == (2, 3)
        assert not gate.begun.acquire(timeout=0.05)
        with pytest.raises(Overloaded) as failure:
            await pool.run(gate.work)
        assert 1 <= failure.value.retry_after_s <= 60
        with pytest.raises(Overloaded):
            pool.check()
        gate.opened.set()
        assert await asyncio.gather(*running) == ["done"] * 5
        pool.check()
        assert (pool.busy, pool.waiting) == (0, 0)
        assert pool.close(1)

    asyncio.run(scenario())


def test_the_event_loop_goes_on_meanwhile(gate: Gate) -> None:
    async def scenario() -> int:
        pool = BoundedPool(1, 1, "test")
        running = asyncio.create_task(pool.run(gate.work))
        turns = 0
        while turns < 100:
            await asyncio.sleep(0)
            turns += 1
        gate.opened.set()
        await running
        pool.close(1)
        return turns

    assert asyncio.run(scenario()) == 100


def test_an_error_comes_back_and_frees_its_place() -> None:
    def fail() -> None:
        raise ZeroDivisionError("no")

    async def scenario() -> None:
        pool = BoundedPool(1, 0, "test")
        for _ in range(3):
            with pytest.raises(ZeroDivisionError, match="no"):
                await pool.run(fail)
        assert (pool.busy, pool.waiting) == (0, 0)
        assert pool.close(1)

    asyncio.run(scenario())


def test_work_that_nobody_waits_for_any_more_is_not_begun(gate: Gate) -> None:
    async def scenario() -> None:
        pool = BoundedPool(1, 2, "test")
        first = asyncio.create_task(pool.run(gate.work))
        second = asyncio.create_task(pool.run(gate.work))
        await until(gate.begun, 1)
        second.cancel()
        with pytest.raises(asyncio.CancelledError):
            await second
        gate.opened.set()
        assert await first == "done"
        assert pool.close(1)
        assert not gate.begun.acquire(blocking=False)

    asyncio.run(scenario())


def test_closing_finishes_what_was_accepted_and_takes_nothing_new(gate: Gate) -> None:
    async def scenario() -> None:
        pool = BoundedPool(1, 1, "test")
        accepted = [asyncio.create_task(pool.run(gate.work)) for _ in range(2)]
        await until(gate.begun, 1)
        closing = asyncio.create_task(asyncio.to_thread(pool.close, 20))
        while True:
            try:
                pool.check()
            except Overloaded as error:
                if "stopping" in str(error):
                    break
            await asyncio.sleep(0.001)
        with pytest.raises(Overloaded, match="stopping"):
            await pool.run(gate.work)
        gate.opened.set()
        assert await asyncio.gather(*accepted) == ["done", "done"]
        assert await closing

    asyncio.run(scenario())


def test_closing_does_not_wait_longer_than_it_is_told(gate: Gate) -> None:
    async def scenario() -> None:
        pool = BoundedPool(1, 1, "test")
        running = asyncio.create_task(pool.run(gate.work))
        await until(gate.begun, 1)
        start = time.monotonic()
        assert not await asyncio.to_thread(pool.close, 0.05)
        assert time.monotonic() - start < 10
        gate.opened.set()
        assert await running == "done"

    asyncio.run(scenario())
