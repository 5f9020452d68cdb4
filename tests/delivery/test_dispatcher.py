"""Messages from a real store to real receivers: order, retries, isolation, disabling, stopping."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from outboxes import OPTIONS, Desk, a_desk, number_of
from receivers import Received, Receiver, Reply, free_port, receiving, wait_until

from openplate.delivery.dispatcher import TargetOptions
from openplate.delivery.schedule import Outcome
from openplate.errors import DeliveryError
from openplate.storage import File


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with a_desk(tmp_path) as made:
        yield made


def numbers(receiver: Receiver) -> list[int]:
    return [number_of(request.body) for request in receiver.requests]


def test_messages_arrive_in_order_and_leave_the_outbox(desk: Desk) -> None:
    with receiving() as receiver:
        target = desk.store.create_target(receiver.url)
        desk.tell(target, *range(50))
        with desk.dispatching() as dispatcher:
            wait_until(lambda: desk.waiting() == 0)
            wait_until(lambda: dispatcher.counts().delivered == 50)  # counted a moment after it left the outbox
    assert numbers(receiver) == list(range(50))
    assert len({request.headers["openplate-delivery"] for request in receiver.requests}) == 50
    assert {request.headers["content-type"] for request in receiver.requests} == {"application/json"}


def test_a_new_message_is_sent_at_once_when_the_dispatcher_is_woken(desk: Desk) -> None:
    with receiving() as receiver, desk.dispatching(replace(OPTIONS, poll_s=60)) as dispatcher:
        target = desk.store.create_target(receiver.url)
        time.sleep(0.1)
        desk.tell(target, 1)
        dispatcher.wake()
        receiver.wait_for(1, timeout_s=5)


def test_a_failed_message_comes_again_with_the_same_id_before_those_after_it(desk: Desk) -> None:
    answers = iter([503, 503])

    def reply(_: Received) -> Reply:
        return Reply(next(answers, 200))

    with receiving(reply) as receiver:
        target = desk.store.create_target(receiver.url, secret="whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
        desk.tell(target, 1, 2, 3)
        with desk.dispatching():
            receiver.wait_for(1)
            for seconds, count in ((6, 2), (16, 5)):
                wait_until(lambda: desk.store.targets()[0].failing_since is not None)
                time.sleep(0.1)
                assert len(receiver.requests) == count - (1 if count == 2 else 3)
                desk.clock.turn(seconds=seconds)
                receiver.wait_for(count)
            wait_until(lambda: desk.waiting() == 0)
    assert numbers(receiver) == [1, 1, 1, 2, 3]
    assert len({request.headers["webhook-id"] for request in receiver.requests[:3]}) == 1
    assert len({request.headers["webhook-signature"] for request in receiver.requests[:3]}) > 1
    assert desk.store.targets()[0].failing_since is None


@pytest.mark.parametrize("header", ["600", "date"])
def test_a_receiver_is_left_alone_for_as_long_as_it_asks(desk: Desk, header: str) -> None:
    answers = iter([429])

    def reply(_: Received) -> Reply:
        when = desk.clock() + timedelta(seconds=601)
        asked = f"{when:%a, %d %b %Y %H:%M:%S GMT}" if header == "date" else header
        return Reply(next(answers, 200), (("Retry-After", asked),))

    with receiving(reply) as receiver:
        target = desk.store.create_target(receiver.url)
        desk.tell(target, 1, 2)
        with desk.dispatching():
            receiver.wait_for(1)
            wait_until(lambda: desk.store.target(target.id).failing_since is not None)  # type: ignore[union-attr]
            desk.clock.turn(seconds=580)
            time.sleep(0.2)
            assert len(receiver.requests) == 1
            desk.clock.turn(seconds=25)
            receiver.wait_for(3)
    assert numbers(receiver) == [1, 1, 2]


def test_targets_with_ways_of_their_own(desk: Desk) -> None:
    """One has little time, and forgets what it does not take; the other has the usual time."""
    desk.policy = replace(desk.policy, timeout_s=60)
    with receiving(lambda _: Reply(delay_s=0.5)) as receiver:
        hasty, patient = (desk.store.create_target(f"{receiver.url}?{name}") for name in ("hasty", "patient"))
        for target in (hasty, patient):
            desk.tell(target, 1, 2)
        with desk.dispatching(special={hasty.id: TargetOptions(0.1, tries_once=True)}) as dispatcher:
            wait_until(lambda: dispatcher.counts().delivered == 2 and dispatcher.counts().dropped == 2)
            assert dispatcher.counts().failed == 2
    assert desk.waiting() == 0
    failing = {target.id: target.failing_since is not None for target in desk.store.targets()}
    assert failing == {hasty.id: True, patient.id: False}


def test_a_message_that_is_refused_does_not_keep_the_others_back(desk: Desk) -> None:
    """As a receiver that crashes over one message: HTTP 500 for it, and only for it."""

    def reply(request: Received) -> Reply:
        return Reply(500 if number_of(request.body) == 2 else 200)

    with receiving(reply) as receiver:
        target = desk.store.create_target(receiver.url)
        desk.tell(target, 1, 2, 3, 4)
        with desk.dispatching():
            receiver.wait_for(4)
            wait_until(lambda: desk.waiting() == 1)
            assert desk.store.target(target.id).failing_since is None  # type: ignore[union-attr]
    assert numbers(receiver) == [1, 2, 3, 4]


def test_a_receiver_that_refuses_everything_is_not_pestered_with_the_whole_backlog(desk: Desk) -> None:
    with receiving(lambda _: Reply(500)) as receiver:
        target = desk.store.create_target(receiver.url)
        desk.tell(target, *range(100))
        with desk.dispatching():
            receiver.wait_for(3)
            time.sleep(0.3)
            assert len(receiver.requests) == 3
            desk.clock.turn(seconds=5.5)
            receiver.wait_for(6)
            time.sleep(0.3)
    assert numbers(receiver) == [0, 1, 2, 0, 1, 2]


def test_dead_and_slow_receivers_delay_nobody_else(desk: Desk) -> None:
    with receiving(lambda _: Reply(delay_s=1.5)) as slow, receiving() as quick:
        targets = [desk.store.create_target(f"http://127.0.0.1:{free_port()}/"), desk.store.create_target(slow.url)]
        targets.append(desk.store.create_target(quick.url))
        for target in targets:
            desk.tell(target, *range(20))
        started = time.monotonic()
        with desk.dispatching():
            quick.wait_for(20)
            assert time.monotonic() - started < 1.5
            assert len(slow.requests) <= 1
    assert numbers(quick) == list(range(20))


def test_more_hanging_receivers_than_threads_leave_room_for_one_that_works(desk: Desk) -> None:
    go_on = threading.Event()

    def reply(_: Received) -> Reply:
        go_on.wait(5)
        return Reply()

    with receiving(reply) as hanging, receiving() as quick:
        for _ in range(6):
            target = desk.store.create_target(hanging.url)
            desk.tell(target, 1)
            (delivery,) = desk.store.due(target.id, desk.clock(), 1)
            desk.store.failed(delivery.id, desk.clock(), desk.clock(), "it has failed before")
        working = desk.store.create_target(quick.url)
        with desk.dispatching(replace(OPTIONS, senders=4)):
            hanging.wait_for(2)
            desk.tell(working, *range(5))
            quick.wait_for(5, timeout_s=1.5)
            assert len(hanging.requests) == 2
            go_on.set()


def test_more_targets_than_threads_all_get_their_turn(desk: Desk) -> None:
    with receiving() as receiver:
        for _ in range(10):
            desk.tell(desk.store.create_target(receiver.url), 1, 2)
        with desk.dispatching(replace(OPTIONS, senders=2)) as dispatcher:
            most = 0
            while desk.waiting():
                most = max(most, dispatcher.counts().busy)
                time.sleep(0.005)
            assert most <= 2
    assert sorted(numbers(receiver)) == [1] * 10 + [2] * 10


def test_a_paused_target_gets_nothing_until_it_is_resumed(desk: Desk) -> None:
    with receiving() as receiver:
        target = desk.store.create_target(receiver.url)
        desk.store.set_target_state(target.id, "paused")
        desk.tell(target, 1)
        with desk.dispatching():
            time.sleep(0.2)
            assert receiver.requests == []
            desk.store.set_target_state(target.id, "active")
            receiver.wait_for(1)


@pytest.mark.parametrize("action", ["pause", "delete"])
def test_pausing_and_deleting_take_effect_between_two_messages(desk: Desk, action: str) -> None:
    with receiving(lambda _: Reply(delay_s=0.2)) as receiver:
        target = desk.store.create_target(receiver.url)
        desk.tell(target, *range(10))
        with desk.dispatching():
            receiver.wait_for(2)
            if action == "pause":
                desk.store.set_target_state(target.id, "paused")
            else:
                desk.store.delete_target(target.id)
            time.sleep(0.7)
            assert len(receiver.requests) == 2


def test_a_target_that_is_gone_is_disabled_at_once_and_keeps_its_backlog(desk: Desk) -> None:
    mails: list[tuple[str, str, str]] = []
    status = [410]
    with receiving(lambda _: Reply(status[0])) as receiver:
        target = desk.store.create_target(receiver.url, owner_email="gate@example.org")
        desk.tell(target, 1, 2)
        with desk.dispatching(send_mail=lambda *mail: mails.append(mail)) as dispatcher:
            wait_until(lambda: desk.store.target(target.id).state == "disabled")  # type: ignore[union-attr]
            wait_until(lambda: dispatcher.counts().disabled == 1)  # counted a moment after the state is set
            assert desk.waiting() == 2
            status[0] = 200
            desk.store.set_target_state(target.id, "active")
            wait_until(lambda: desk.waiting() == 0)
    assert numbers(receiver) == [1, 1, 2]
    ((recipient, subject, text),) = mails
    assert recipient == "gate@example.org"
    assert f"webhook {target.id} is disabled" in subject
    assert "410" in text
    assert f"openplate webhooks resume {target.id}" in text


def test_a_target_that_fails_for_three_days_is_disabled_and_can_be_enabled_with_its_backlog(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    mails: list[tuple[str, str, str]] = []
    status = [503]
    with receiving(lambda _: Reply(status[0])) as receiver:
        target = desk.store.create_target(receiver.url, owner_email="gate@example.org")
        desk.tell(target, 1, 2)
        started = desk.clock()
        with desk.dispatching(send_mail=lambda *mail: mails.append(mail)) as dispatcher:
            while desk.store.target(target.id).state == "active":  # type: ignore[union-attr]
                desk.clock.turn(hours=1)
                time.sleep(0.03)
                wait_until(lambda: dispatcher.counts().busy == 0)
            took = desk.clock() - started
            assert timedelta(hours=72) <= took <= timedelta(hours=79)
            assert set(numbers(receiver)) == {1}
            status[0] = 200
            desk.store.set_target_state(target.id, "active")
            desk.store.requeue(target.id, desk.clock())
            receiver.wait_for(len(receiver.requests) + 2)
            wait_until(lambda: desk.store.backlog() == ())
    assert numbers(receiver)[-2:] == [1, 2]
    assert len({each.headers["openplate-delivery"] for each in receiver.requests}) == 2
    assert len(mails) == 1
    assert f"target {target.id}" in caplog.text
    assert "is disabled" in caplog.text


def test_a_mail_server_that_fails_does_not_keep_a_target_from_being_disabled(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    def send_mail(*_: str) -> None:
        raise DeliveryError("mail to gate@example.org failed: nobody there")

    with receiving(lambda _: Reply(410)) as receiver:
        target = desk.store.create_target(receiver.url, owner_email="gate@example.org")
        desk.tell(target, 1)
        with desk.dispatching(send_mail=send_mail):
            wait_until(lambda: desk.store.target(target.id).state == "disabled")  # type: ignore[union-attr]
    assert "could not be told" in caplog.text


def test_a_refused_address_is_a_failure_like_others(desk: Desk) -> None:
    desk.policy = replace(desk.policy, addresses=replace(desk.policy.addresses, allow_private=False))
    with receiving() as receiver:
        target = desk.store.create_target(receiver.url)
        desk.tell(target, 1)
        with desk.dispatching() as dispatcher:
            wait_until(lambda: dispatcher.counts().failed == 1)
    assert receiver.requests == []
    assert desk.waiting() == 1


def test_stopping_waits_for_the_attempt_that_is_under_way(desk: Desk) -> None:
    with receiving(lambda _: Reply(delay_s=0.4)) as receiver:
        target = desk.store.create_target(receiver.url)
        desk.tell(target, 1, 2)
        with desk.dispatching():
            receiver.wait_for(1)
        assert desk.waiting() == 1
    assert numbers(receiver) == [1]


def test_an_attempt_that_takes_too_long_is_cut_off_when_stopping_and_counts_for_nothing(desk: Desk) -> None:
    go_on = threading.Event()

    def reply(_: Received) -> Reply:
        go_on.wait(5)
        return Reply()

    desk.policy = replace(desk.policy, timeout_s=30)
    with receiving(reply) as receiver:
        target = desk.store.create_target(receiver.url)
        desk.tell(target, 1)
        with desk.dispatching() as dispatcher:
            receiver.wait_for(1)
            started = time.monotonic()
            dispatcher.stop(0.2)
            assert time.monotonic() - started < 2
        go_on.set()
        assert desk.store.target(target.id).failing_since is None  # type: ignore[union-attr]
        (delivery,) = desk.store.due(target.id, desk.clock(), 10)
        assert delivery.attempts == 0
        with desk.dispatching():  # nobody holds the target any more
            receiver.wait_for(2)


def test_two_dispatchers_share_the_work_without_repeating_it(desk: Desk) -> None:
    with receiving() as receiver:
        for _ in range(6):
            desk.tell(desk.store.create_target(receiver.url), *range(10))
        with desk.dispatching(), desk.dispatching():
            wait_until(lambda: desk.waiting() == 0)
    assert len(receiver.requests) == 60


def test_pictures_go_with_the_message(desk: Desk) -> None:
    with receiving() as receiver:
        target = desk.store.create_target(receiver.url, images=("vehicle",))
        desk.tell(target, 7, files=(File("upload", "gate.jpg", b"\xff\xd8\xff picture"),))
        with desk.dispatching():
            receiver.wait_for(1)
            wait_until(lambda: desk.waiting() == 0)
    (request,) = receiver.requests
    assert request.headers["content-type"].startswith("multipart/form-data; boundary=")
    assert b'name="upload"; filename="gate.jpg"\r\nContent-Type: image/jpeg\r\n\r\n\xff\xd8\xff picture\r\n' in (
        request.body
    )


def test_a_test_message_goes_past_the_queue_and_leaves_no_trace(desk: Desk) -> None:
    with receiving(lambda _: Reply(418, body=b"no\tcoffee\x00here")) as receiver, desk.dispatching() as dispatcher:
        target = desk.store.create_target(receiver.url, header="Authorization: Token x")
        made = dispatcher.send_test(target)
    assert (made.outcome, made.status, made.detail) == (Outcome.REFUSED, 418, "HTTP status 418: no coffee here")
    assert receiver.requests[0].headers["authorization"] == "Token x"
    assert desk.store.target(target.id) == target


def test_starting_twice_is_an_error(desk: Desk) -> None:
    with desk.dispatching() as dispatcher, pytest.raises(RuntimeError, match="started before"):
        dispatcher.start()


def test_a_clock_set_back_by_an_hour_holds_nothing_up(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    answers = iter([503])
    with receiving(lambda _: Reply(next(answers, 200))) as receiver:
        target = desk.store.create_target(receiver.url)
        desk.tell(target, 1)
        with desk.dispatching():
            wait_until(lambda: desk.store.target(target.id).failing_since is not None, 60)  # type: ignore[union-attr]
            desk.tell(target, 2)
            desk.clock.turn(hours=-1)
            desk.tell(target, 3)
            receiver.wait_for(4, 60)
            wait_until(lambda: desk.waiting() == 0, 60)
    assert sorted(numbers(receiver)) == [1, 1, 2, 3]
    assert "the clock was set back by 3600 s" in caplog.text


def test_a_dead_process_holds_no_target_longer_because_the_clock_was_set_back(desk: Desk) -> None:
    target = desk.store.create_target("http://127.0.0.1:9/")
    desk.tell(target, 1)
    assert desk.store.lease_target("dead", desk.clock(), 30) is not None
    desk.clock.turn(hours=-1)
    desk.store.clock_set_back(desk.clock(), 30)
    assert desk.store.lease_target("other", desk.clock(), 30) is None
    desk.clock.turn(seconds=31)
    assert desk.store.lease_target("other", desk.clock(), 30) is not None
