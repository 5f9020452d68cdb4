"""Uploads in Scout's way against real receivers: down, refusing, slow, restarted, and with a sender that is killed."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from receivers import Received, Receiver, Reply, do_nothing, free_port, receiving, talking, wait_until

from openplate.delivery.connections import ConnectionPolicy
from openplate.delivery.upload_queue import BLOCK, UploadQueue
from openplate.delivery.uploader import POLICY, Uploader, UploadOptions
from openplate.errors import StorageError

UPLOADING = Path(__file__).with_name("uploading.py")
QUICK = UploadOptions(threads=2, first_delay_s=0.02, longest_delay_s=0.2, longest_refused_s=0.2)


def message(number: int, kind: str = "alpr_group") -> dict[str, object]:
    return {"data_type": kind, "number": number}


def numbers(receiver: Receiver) -> list[int]:
    return [json.loads(request.body)["number"] for request in receiver.requests]


@contextmanager
def uploading(
    queue: UploadQueue, url: str, options: UploadOptions = QUICK, policy: ConnectionPolicy = POLICY
) -> Iterator[Uploader]:
    uploader = Uploader(queue, url, options, policy)
    uploader.start()
    try:
        yield uploader
    finally:
        uploader.stop()


def test_messages_arrive_as_they_are_with_the_headers_of_the_agent(tmp_path: Path) -> None:
    queue = UploadQueue(tmp_path, 10**6)
    with receiving() as receiver, uploading(queue, receiver.url) as uploader:
        assert queue.put({"data_type": "alpr_group", "best_plate_number": "Ü1", "x": [1.5, True, None]})
        (request,) = receiver.wait_for(1)
        wait_until(lambda: uploader.counts().uploaded == 1)
    assert (request.method, request.path) == ("POST", "/hook")
    assert request.body == '{"data_type":"alpr_group","best_plate_number":"Ü1","x":[1.5,true,null]}'.encode()
    assert request.headers["content-type"] == "application/json"
    assert request.headers["accept"] == "application/json"
    assert request.headers["charsets"] == "utf-8"
    assert request.headers["content-length"] == str(len(request.body))
    assert len(queue) == queue.used_bytes == 0
    assert not list(tmp_path.iterdir())


def test_what_came_first_goes_first(tmp_path: Path) -> None:
    queue = UploadQueue(tmp_path, 10**6)
    for number in range(20):
        queue.put(message(number))
    with receiving() as receiver, uploading(queue, receiver.url, replace(QUICK, threads=1)):
        receiver.wait_for(20)
    assert numbers(receiver) == list(range(20))


def test_groups_can_be_sent_alone(tmp_path: Path) -> None:
    queue = UploadQueue(tmp_path, 10**6, groups_only=True)
    assert not queue.put(message(1, "alpr_results"))
    assert queue.put(message(2, "alpr_group"))
    assert queue.put(message(3, "vehicle"))
    assert queue.put(message(4, "heartbeat"))
    assert len(queue) == 3
    assert queue.dropped == 0


def test_an_outage_loses_nothing_and_hammers_nobody(tmp_path: Path) -> None:
    """A receiver that is not there, then is: all arrives, in its order but for those that were tried."""
    port = free_port()
    queue = UploadQueue(tmp_path, 10**6)
    with uploading(queue, f"http://127.0.0.1:{port}/") as uploader:
        for number in range(30):
            queue.put(message(number))
        wait_until(lambda: uploader.counts().failed >= 3)
        counts = uploader.counts()
        assert counts.is_failing
        assert (counts.uploaded, counts.waiting, counts.dropped) == (0, 30, 0)
    with receiving() as receiver, uploading(UploadQueue(tmp_path, 10**6), receiver.url) as uploader:
        receiver.wait_for(30)
        wait_until(lambda: uploader.counts().waiting == 0)
    assert sorted(numbers(receiver)) == list(range(30))


@pytest.mark.parametrize("status", [500, 503, 429, 404, 410, 301])
def test_whatever_is_not_2xx_comes_again(tmp_path: Path, status: int) -> None:
    queue = UploadQueue(tmp_path, 10**6)

    def reply(_: Received) -> Reply:
        return Reply(status if len(receiver.requests) <= 3 else 204, body=b"")

    with receiving() as receiver:
        receiver.reply = reply
        queue.put(message(1))
        with uploading(queue, receiver.url) as uploader:
            wait_until(lambda: uploader.counts().uploaded == 1)
            assert uploader.counts().failed == 3
    assert numbers(receiver) == [1, 1, 1, 1]


def test_a_kind_that_is_refused_for_ever_stops_no_other(tmp_path: Path) -> None:
    """One known receiver answers 500 to heartbeats and takes groups."""
    queue = UploadQueue(tmp_path, 10**6)

    def reply(request: Received) -> Reply:
        return Reply(500 if b"heartbeat" in request.body else 200)

    with receiving(reply) as receiver, uploading(queue, receiver.url) as uploader:
        for number in range(40):
            queue.put(message(number, "heartbeat" if number % 4 == 0 else "alpr_group"))
        wait_until(lambda: uploader.counts().uploaded == 30, 30)
        assert len(queue) == 10
        assert not uploader.counts().is_failing


def test_a_message_that_makes_the_receiver_hang_stops_no_other(tmp_path: Path) -> None:
    queue = UploadQueue(tmp_path, 10**6)

    def reply(request: Received) -> Reply:
        return Reply(delay_s=0.6 if b'"number":0}' in request.body else 0)

    policy = replace(POLICY, timeout_s=0.3)
    with receiving(reply) as receiver, uploading(queue, receiver.url, replace(QUICK, threads=1), policy) as uploader:
        for number in range(5):
            queue.put(message(number))
        wait_until(lambda: uploader.counts().uploaded >= 4, 60)
        assert [path.name for path in tmp_path.iterdir()] == ["000000000000001-alpr_group.json"]


def test_a_silent_receiver_is_left_after_the_time_and_nothing_is_lost(tmp_path: Path) -> None:
    queue = UploadQueue(tmp_path, 10**6)
    queue.put(message(1))
    with (
        talking(do_nothing) as url,
        uploading(queue, url, policy=replace(POLICY, timeout_s=0.2)) as uploader,
    ):
        wait_until(lambda: uploader.counts().failed >= 2, 30)
    assert len(UploadQueue(tmp_path, 10**6)) == 1


def test_stopping_cuts_off_what_hangs_and_keeps_it(tmp_path: Path) -> None:
    queue = UploadQueue(tmp_path, 10**6)
    queue.put(message(1))
    with receiving(lambda _: Reply(delay_s=5)) as receiver:
        uploader = Uploader(queue, receiver.url, QUICK)
        uploader.start()
        receiver.wait_for(1)
        uploader.stop(0.1)
        assert uploader.counts().failed == 0
    assert len(UploadQueue(tmp_path, 10**6)) == 1


def test_a_restarted_receiver_gets_the_rest(tmp_path: Path) -> None:
    queue = UploadQueue(tmp_path, 10**6)
    got: list[int] = []
    with receiving() as first, uploading(queue, first.url) as uploader:
        queue.put(message(0))
        wait_until(lambda: uploader.counts().uploaded == 1)
        got += numbers(first)
    with receiving() as second, uploading(queue, second.url) as uploader:
        queue.put(message(1))
        wait_until(lambda: uploader.counts().waiting == 0)
        got += numbers(second)
    assert got == [0, 1]


def test_a_receiver_may_ask_for_silence(tmp_path: Path) -> None:
    queue = UploadQueue(tmp_path, 10**6)
    queue.put(message(1))
    with receiving(lambda _: Reply(503, (("Retry-After", "1000"),))) as receiver:
        with uploading(queue, receiver.url) as uploader:
            wait_until(lambda: uploader.counts().failed == 1)
            queue.put(message(2))
            wait_until(lambda: uploader.counts().is_failing)
        assert numbers(receiver) == [1]


def test_when_it_is_full_the_oldest_goes_and_is_counted(tmp_path: Path) -> None:
    queue = UploadQueue(tmp_path, 3 * BLOCK)
    for number in range(5):
        assert queue.put(message(number))
    assert (len(queue), queue.dropped, queue.used_bytes) == (3, 2, 3 * BLOCK)
    with receiving() as receiver, uploading(queue, receiver.url, replace(QUICK, threads=1)) as uploader:
        wait_until(lambda: uploader.counts().waiting == 0)
        assert uploader.counts().dropped == 2
    assert numbers(receiver) == [2, 3, 4]


def test_one_that_is_larger_than_all_is_dropped_alone(tmp_path: Path) -> None:
    queue = UploadQueue(tmp_path, 2 * BLOCK)
    queue.put(message(1))
    assert not queue.put({"data_type": "alpr_group", "pad": "x" * 3 * BLOCK})
    assert (len(queue), queue.dropped) == (1, 1)


def test_a_smaller_limit_counts_at_the_next_start(tmp_path: Path) -> None:
    queue = UploadQueue(tmp_path, 10 * BLOCK)
    for number in range(5):
        queue.put(message(number))
    (tmp_path / ".abc.new").write_bytes(b"half")
    (tmp_path / "notes.txt").write_text("mine")
    again = UploadQueue(tmp_path, 2 * BLOCK)
    assert (len(again), again.dropped) == (2, 3)
    assert len(list(tmp_path.iterdir())) == 3


def test_what_is_dropped_while_it_is_sent_is_no_trouble(tmp_path: Path) -> None:
    queue = UploadQueue(tmp_path, BLOCK)
    queue.put(message(1))
    taken = queue.take()
    assert taken is not None
    queue.put(message(2))
    queue.again(taken, 0)
    queue.done(taken)
    following = queue.take()
    assert following is not None
    assert json.loads(following.path.read_bytes())["number"] == 2
    assert queue.take() is None


@pytest.mark.parametrize("wrong", [{}, {"data_type": "../x"}, {"data_type": "x", "y": float("nan")}])
def test_what_is_no_message_is_refused(tmp_path: Path, wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"data_type|JSON"):
        UploadQueue(tmp_path, 10**6).put(wrong)


def test_a_folder_that_cannot_be_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StorageError, match="file"):
        UploadQueue(tmp_path / "file", 10**6)


def test_an_address_that_may_never_be_is_tried_no_more_than_others(tmp_path: Path) -> None:
    queue = UploadQueue(tmp_path, 10**6)
    queue.put(message(1))
    with uploading(queue, "http://169.254.169.254/latest") as uploader:
        wait_until(lambda: uploader.counts().failed >= 1)
    assert len(queue) == 1


def test_a_killed_sender_loses_nothing_that_it_had_queued(tmp_path: Path) -> None:
    last = 0
    queued: set[int] = set()
    with receiving(lambda request: Reply(500 if hash(request.body[-40:]) % 5 == 0 else 200)) as receiver:
        for kills in range(4):
            command = [sys.executable, str(UPLOADING), str(tmp_path), receiver.url, str(last + 1)]
            with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as sender:
                assert sender.stdout is not None
                for _ in range(10 + 13 * kills):
                    queued.add(int(sender.stdout.readline()))
                sender.kill()
                queued |= {int(line) for line in sender.stdout.read().split("\n")[:-1]}
            last = max(queued) + 10
        receiver.reply = lambda _: Reply()
        command = [sys.executable, str(UPLOADING), str(tmp_path), receiver.url, "0", "--last"]
        subprocess.run(command, check=True, timeout=120)
        assert queued - set(numbers(receiver)) == set()
    assert not list(tmp_path.iterdir())
