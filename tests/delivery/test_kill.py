"""A server that is killed at any moment loses nothing that it has accepted."""

from __future__ import annotations

import os
import random
import re
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path

import pytest
from receivers import Received, Reply, receiving

from openplate.storage import Store

ACCEPTING = Path(__file__).with_name("accepting.py")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs processes that are forked")
def test_what_was_accepted_arrives_though_the_server_is_killed_again_and_again(tmp_path: Path) -> None:
    """Every accepted event is received at least once, with its file; whatever comes twice has the same id."""
    seed = random.randrange(2**32)

    def reply(_: Received) -> Reply:
        return Reply(delay_s=random.uniform(0, 0.02))

    with receiving(reply) as receiver:
        store = Store.open(None, tmp_path, min_free_bytes=1)
        store.create_target(receiver.url)
        store.close()
        command = [sys.executable, str(ACCEPTING), str(tmp_path), "40", "8", str(seed)]
        started = time.monotonic()
        ran = subprocess.run(command, capture_output=True, text=True, timeout=200, check=False)
        took_s = time.monotonic() - started
    assert ran.returncode == 0, ran.stderr
    accepted = (tmp_path / "accepted").read_text().split()
    ids = defaultdict(list)
    for request in receiver.requests:
        found = re.search(rb'\{"event": "([0-9a-f]{32})"\}', request.body)
        assert found
        event = found[1].decode()
        ids[event].append(request.headers["openplate-delivery"])
        assert (f"\r\n\r\n{event}\r\n".encode() in request.body) == (event[0] in "0123")
    print(f"{int(ran.stdout)} kills, {len(accepted)} accepted, {len(receiver.requests)} received, {took_s:.1f} s")
    assert int(ran.stdout) >= 4
    assert len(accepted) > 0
    assert set(accepted) - set(ids) == set()
    assert {event: each for event, each in ids.items() if len(set(each)) > 1} == {}
