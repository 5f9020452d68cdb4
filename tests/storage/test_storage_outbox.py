"""The outbox: what is queued with its result, in order, for one deliverer at a time, until it has arrived."""

from __future__ import annotations

import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from storage_helpers import NOON, PICTURE, after, bodies, kept_files, make_entry, queue, run_processes, start_process

from openplate.errors import StorageError, StorageFull
from openplate.storage import Backlog, File, Message, Store, Target

URL = "http://receiver.example/hook"


def test_a_target_is_stored_as_it_is_asked_for(store: Store) -> None:
    created = store.create_target(
        URL,
        images=("vehicle", "plate"),
        header="Authorization: Token 1",
        secret="whsec_MfKQ",
        owner_email="owner@example.org",
        now=NOON,
    )
    assert created == Target(
        id=1,
        url=URL,
        event="image.done",
        images=("vehicle", "plate"),
        header="Authorization: Token 1",
        secret="whsec_MfKQ",
        state="active",
        owner_email="owner@example.org",
        created_at=NOON,
    )
    assert store.target(created.id) == created
    assert store.targets() == (created,)
    assert store.create_target(URL).images == ()
    assert store.target(99) is None


def test_impossible_targets_are_errors(store: Store) -> None:
    with pytest.raises(StorageError, match="original, vehicle, plate"):
        store.create_target(URL, images=("face",))  # type: ignore[arg-type]
    with pytest.raises(StorageError, match="active, paused, disabled"):
        store.set_target_state(store.create_target(URL).id, "gone")  # type: ignore[arg-type]
    for act in (lambda: store.set_target_state(9, "paused"), lambda: store.delete_target(9)):
        with pytest.raises(StorageError, match="no webhook target 9"):
            act()


def test_messages_wait_in_the_order_of_their_calls(store: Store) -> None:
    target = store.create_target(URL)
    queue(store, target.id, "1", "2", "3")
    waiting = store.due(target.id, NOON, 10)
    assert bodies(waiting) == ["1", "2", "3"]
    assert bodies(store.due(target.id, NOON, 2)) == ["1", "2"]
    assert [(each.attempts, each.created_at, each.next_at) for each in waiting] == [(0, NOON, NOON)] * 3
    assert len({each.id for each in waiting}) == len({each.event_id for each in waiting}) == 3
    assert all(uuid.UUID(hex=each.id).hex == each.id for each in waiting)


def test_one_call_tells_several_targets(store: Store) -> None:
    targets = [store.create_target(URL) for _ in range(3)]
    entry = make_entry(messages=tuple(Message(target.id, f"to {target.id}", (PICTURE,)) for target in targets))
    for _ in range(2):  # the second time changes nothing
        store.record(entry, NOON)
    waiting = [store.due(target.id, NOON, 10) for target in targets]
    assert [bodies(each) for each in waiting] == [["to 1"], ["to 2"], ["to 3"]]
    assert {each[0].event_id for each in waiting} == {entry.id}
    assert len({each[0].id for each in waiting}) == 3


def test_a_message_for_no_target_is_dropped_and_the_call_counts(store: Store) -> None:
    """Somebody deleted the target while the picture was looked at."""
    target = store.create_target(URL)
    entry = make_entry(messages=(Message(99, "x", (PICTURE,)), Message(target.id, "y")))
    assert store.record(entry, NOON).calls == 1
    assert bodies(store.due(target.id, NOON, 10)) == ["y"]


def test_files_go_with_their_message(store: Store, data_folder: Path) -> None:
    target = store.create_target(URL)
    second = File("plate", '../../"plate"\r\n.jpg', b"crop")
    queue(store, target.id, "1", files=(PICTURE, second))
    queue(store, target.id, "2", files=(PICTURE,))
    first, other = store.due(target.id, NOON, 10)
    assert [(each.name, each.filename, each.path.read_bytes()) for each in first.attachments] == [PICTURE, second]
    assert [each.path for each in other.attachments] == [first.attachments[0].path]
    assert len(kept_files(data_folder)) == 2
    store.delivered(first.id, NOON)
    assert [path.read_bytes() for path in kept_files(data_folder)] == [PICTURE.data]
    store.delivered(first.id, NOON)
    assert other.attachments[0].path.is_file()
    store.delivered(other.id, NOON)
    assert kept_files(data_folder) == []
    assert store.backlog() == ()


def test_a_failed_one_comes_back_in_its_place(store: Store) -> None:
    target = store.create_target(URL)
    queue(store, target.id, "1", "2", "3")
    first = store.due(target.id, NOON, 1)[0]
    store.failed(first.id, after(1), after(60), "HTTP 500")
    assert bodies(store.due(target.id, after(59), 10)) == ["2", "3"]
    again = store.due(target.id, after(60), 10)
    assert bodies(again) == ["1", "2", "3"]
    assert (again[0].id, again[0].attempts, again[0].next_at) == (first.id, 1, after(60))


def test_since_when_a_target_fails(store: Store) -> None:
    target = store.create_target(URL)
    queue(store, target.id, "1", "2")
    one, two = store.due(target.id, NOON, 10)

    def failing_since() -> object:
        found = store.target(target.id)
        assert found is not None
        return found.failing_since

    store.failed(one.id, after(1), after(5), "no answer")
    store.failed(one.id, after(5), after(9), "no answer")
    assert failing_since() == after(1)
    store.delivered(two.id, after(10))
    assert failing_since() is None
    store.failed(one.id, after(11), after(20), "no answer")
    assert failing_since() == after(11)
    store.set_target_state(target.id, "active")
    assert failing_since() is None


def test_given_up_until_it_is_queued_again(store: Store) -> None:
    target = store.create_target(URL)
    queue(store, target.id, "1", "2", "3")
    one, two, _ = store.due(target.id, NOON, 10)
    store.failed(one.id, after(1), None, "three days are over")
    store.failed(two.id, after(1), after(60), "HTTP 500")
    assert store.backlog() == (Backlog(target.id, waiting=2, given_up=1, oldest_at=NOON),)
    assert bodies(store.due(target.id, after(10**7), 10)) == ["2", "3"]
    assert store.requeue(target.id, after(100)) == 3
    waiting = store.due(target.id, after(100), 10)
    assert bodies(waiting) == ["1", "2", "3"]
    assert [(each.attempts, each.created_at) for each in waiting] == [(0, after(100))] * 3
    assert waiting[0].id == one.id


def test_what_is_not_there_any_more_fails_quietly(store: Store) -> None:
    store.failed("0" * 32, NOON, after(1), "x")
    store.delivered("0" * 32, NOON)
    store.release_target(5, "nobody")
    assert store.requeue(5) == 0


def test_deleting_a_target_deletes_what_waits_for_it(store: Store, data_folder: Path) -> None:
    target, other = store.create_target(URL), store.create_target(URL)
    queue(store, target.id, "1", "2", files=(PICTURE,))
    queue(store, other.id, "3", files=(File("upload", "b.jpg", b"other"),))
    store.delete_target(target.id)
    assert store.targets() == (other,)
    assert [each.target_id for each in store.backlog()] == [other.id]
    assert [path.read_bytes() for path in kept_files(data_folder)] == [b"other"]


# Leases


def test_one_holder_at_a_time(store: Store) -> None:
    target = store.create_target(URL)
    assert store.lease_target("a", NOON, 30) is None  # nothing to do
    queue(store, target.id, "1")
    leased = store.lease_target("a", NOON, 30)
    assert leased is not None
    assert leased.id == target.id
    assert store.lease_target("b", after(29), 30) is None
    store.release_target(target.id, "b")  # it does not hold it
    assert store.lease_target("b", after(29), 30) is None
    store.release_target(target.id, "a")
    assert store.lease_target("b", after(29), 30) is not None


def test_a_dead_holders_lease_ends(store: Store) -> None:
    target = store.create_target(URL)
    queue(store, target.id, "1")
    assert store.lease_target("dead", NOON, 30) is not None
    assert store.renew_lease(target.id, "dead", after(20), 30)
    assert store.lease_target("b", after(49.9), 30) is None
    assert store.lease_target("b", after(50), 30) is not None
    assert not store.renew_lease(target.id, "dead", after(51), 30)
    assert store.renew_lease(target.id, "b", after(51), 30)


def test_a_target_with_nothing_due_is_left_alone(store: Store) -> None:
    target = store.create_target(URL)
    queue(store, target.id, "1", at=after(100))
    assert store.lease_target("a", NOON, 30) is None
    assert store.lease_target("a", after(100), 30) is not None


@pytest.mark.parametrize("state", ["paused", "disabled"])
def test_a_target_at_rest_keeps_its_messages(store: Store, state: str) -> None:
    target = store.create_target(URL)
    queue(store, target.id, "1")
    assert store.set_target_state(target.id, state).state == state  # type: ignore[arg-type]
    queue(store, target.id, "2")
    assert store.lease_target("a", NOON, 30) is None
    store.set_target_state(target.id, "active")
    assert store.lease_target("a", NOON, 30) is not None
    assert bodies(store.due(target.id, NOON, 10)) == ["1", "2"]


def test_a_target_may_be_left_in_peace_for_a_while(store: Store) -> None:
    target = store.create_target(URL)
    queue(store, target.id, "1")
    store.lease_target("a", NOON, 30)
    store.release_target(target.id, "a", not_before=after(60))
    assert store.lease_target("b", after(59), 30) is None
    assert store.lease_target("b", after(60), 30) is not None
    store.release_target(target.id, "b", not_before=after(1000))
    store.set_target_state(target.id, "active")  # enabled by hand: at once
    assert store.lease_target("b", after(61), 30) is not None


def test_targets_take_turns(store: Store) -> None:
    targets = [store.create_target(URL) for _ in range(3)]
    for target in targets:
        queue(store, target.id, "1", "2")
    turns = []
    for second in range(6):
        leased = store.lease_target("a", after(second), 30)
        assert leased is not None
        turns.append(leased.id)
        store.release_target(leased.id, "a")
    assert turns == [1, 2, 3, 1, 2, 3]


def test_threads_lease_different_targets(store: Store) -> None:
    for _ in range(4):
        queue(store, store.create_target(URL).id, "1")
    with ThreadPoolExecutor(8) as pool:
        leased = list(pool.map(lambda number: store.lease_target(f"thread {number}", NOON, 30), range(8)))
    assert sorted(target.id for target in leased if target) == [1, 2, 3, 4]


def test_processes_deliver_each_message_once_and_in_order(store: Store, url: str, data_folder: Path) -> None:
    """While all live and no lease runs out."""
    for _ in range(3):
        queue(store, store.create_target(URL).id, *(str(number) for number in range(15)))
    code = """
store = Store.open(url, data_folder)
owner, idle = f"process {number}", 0
while idle < 5:
    target = store.lease_target(owner, NOON, 60)
    if target is None:
        idle += 1
        time.sleep(0.02)
        continue
    for delivery in store.due(target.id, NOON, 4):
        print(f"{time.time():.6f} {target.id} {delivery.body}")
        store.delivered(delivery.id, NOON)
    store.release_target(target.id, owner)
store.close()
"""
    lines = sorted(line.split() for answer in run_processes(code, url, data_folder, 3) for line in answer.splitlines())
    for target_id in "123":
        assert [body for _, which, body in lines if which == target_id] == [str(number) for number in range(15)]
    assert store.backlog() == ()


# Room


def test_a_full_outbox_accepts_no_call_that_adds_to_it(url: str, data_folder: Path) -> None:
    store = Store.open(url, data_folder, max_outbox_rows=3)
    target = store.create_target(URL)
    queue(store, target.id, "1", "2", "3", files=(PICTURE,))
    for act in (lambda: store.check_room(1), lambda: queue(store, target.id, "4", files=(File("a", "b", b"c"),))):
        with pytest.raises(StorageFull, match="outbox holds its 3 messages"):
            act()
    assert store.usage(None, NOON).calls == 3
    assert len(kept_files(data_folder)) == 1
    store.check_room()
    assert store.record(make_entry(), NOON).calls == 4
    store.delivered(store.due(target.id, NOON, 1)[0].id, NOON)
    time.sleep(1.1)  # the outbox is counted once a second
    queue(store, target.id, "4")
    store.close()


def test_a_full_disk_accepts_no_call(url: str, data_folder: Path) -> None:
    store = Store.open(url, data_folder, min_free_bytes=2**62)
    for act in (store.check_room, lambda: store.record(make_entry(), NOON)):
        with pytest.raises(StorageFull, match="must stay free"):
            act()
    assert store.usage(None, NOON).calls == 0
    store.close()


# Killed


@pytest.mark.parametrize("wait_s", [0.05, 0.3, 0.6])
def test_a_killed_process_loses_nothing_that_it_accepted(
    store: Store, url: str, data_folder: Path, wait_s: float
) -> None:
    """Each line that it printed is a call whose record() had returned."""
    target = store.create_target(URL)
    code = """
store = Store.open(url, data_folder)
for i in range(10**9):
    file = File("upload", "a.jpg", b"picture" + bytes([i % 5]))
    id = f"{i:032x}"
    store.record(Entry(id, None, None, NOON, "{}", True, (file,), (Message(1, id, (file,)),), (id,)), NOON)
    print(id, flush=True)
"""
    with start_process(code, url, data_folder) as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        time.sleep(wait_s)
        process.kill()
        # communicate() would miss what readline() has read ahead.
        accepted = [line.strip() for line in [first, *process.stdout.read().splitlines()]]
    accepted = [line for line in accepted if len(line) == 32]
    waiting = store.due(target.id, NOON, 10**6)
    assert len(accepted) <= len(waiting) <= len(accepted) + 1
    assert bodies(waiting)[: len(accepted)] == accepted
    assert store.usage(None, NOON).calls == len(waiting) == len(store.recognitions(limit=10**6))
    assert all(each.attachments[0].path.read_bytes().startswith(b"picture") for each in waiting)
