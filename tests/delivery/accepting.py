"""Run as a program: accepts events and delivers them, in processes that are killed at random moments.

``accepting.py FOLDER KILLS SECONDS SEED``: the store in FOLDER has a target already. One process after the other
accepts events, notes each as accepted in FOLDER/accepted once it is, delivers, and is killed: that many, or as many
as there is time for; then a last one delivers what is left. Prints how many were killed.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
import traceback
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

from outboxes import POLICY

from openplate.delivery.dispatcher import Dispatcher, DispatcherOptions
from openplate.storage import Entry, File, Message, Store

FEWEST = 4
"""As often as that it is killed on a slow machine too."""
GENERATION = timedelta(minutes=1)
"""How much later each process believes it is than the one before: then the dead one's lease is over."""


def main(folder: Path, kills: int, seconds: float, seed: int) -> None:
    chance = random.Random(seed)
    Store.open(None, folder, min_free_bytes=1).close()  # loads what the processes need before they are forked
    until = time.monotonic() + seconds
    killed = 0
    while killed < kills and (killed < FEWEST or time.monotonic() < until):
        process = fork(folder, killed, is_last=False)
        wait_for(folder, accepted(folder) + chance.randrange(12), time.monotonic() + 10)
        time.sleep(chance.uniform(0, 0.03))
        os.kill(process, signal.SIGKILL)
        _, status = os.waitpid(process, 0)
        assert os.WIFSIGNALED(status), "the process ended by itself"
        killed += 1
    _, status = os.waitpid(fork(folder, killed, is_last=True), 0)
    assert status == 0
    print(killed)


def accepted(folder: Path) -> int:
    """How many events were accepted up to now."""
    log = folder / "accepted"
    return log.stat().st_size // 33 if log.exists() else 0


def wait_for(folder: Path, count: int, until: float) -> None:
    """Until so many were accepted, or the time (monotonic) is over."""
    while accepted(folder) < count and time.monotonic() < until:
        time.sleep(0.001)


def fork(folder: Path, generation: int, *, is_last: bool) -> int:
    """The id of a new process. This one has no threads yet, so that forking is safe."""
    process = os.fork()
    if process:
        return process
    try:
        run(folder, generation, is_last=is_last)
        os._exit(0)
    except BaseException:
        traceback.print_exc()
        os._exit(1)


def run(folder: Path, generation: int, *, is_last: bool) -> None:
    def now() -> datetime:
        return datetime.now(UTC) + generation * GENERATION

    store = Store.open(None, folder, min_free_bytes=1)
    dispatcher = Dispatcher(store, POLICY, None, DispatcherOptions(senders=4, poll_s=0.02), now)
    dispatcher.start()
    if is_last:
        while store.backlog():
            time.sleep(0.01)
        dispatcher.stop()
        store.close()
        return
    (target,) = store.targets()
    log = os.open(folder / "accepted", os.O_CREAT | os.O_APPEND | os.O_WRONLY)
    while True:
        event = uuid.uuid4().hex
        files = (File("upload", "gate.jpg", event.encode()),) if event[0] in "0123" else ()
        message = Message(target.id, f'{{"event": "{event}"}}', files)
        store.record(Entry(event, None, None, now(), "{}", messages=(message,)), now())
        os.write(log, f"{event}\n".encode())
        dispatcher.wake()
        time.sleep(random.uniform(0, 0.01))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4]))
