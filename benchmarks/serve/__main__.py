"""What the server adds to the engine, on 1280x720 pictures.

    python -m benchmarks.serve                          # load at 1, 4, 16, 64 clients on one and two workers
    python -m benchmarks.serve --memory 30000           # also memory over that many requests
    python -m benchmarks.serve --requests 50 --workers 1 --clients 1 4 --output /tmp/smoke.csv

`ideal_ms` is how long a client waits if nothing but the engine takes time: the clients' pictures in turn, at the rate
that the engine alone reaches with as many threads. `overhead_ratio` is the processor time of the server's process for
one request, less what its threads spend in the engine, in times of decoding that JPEG. Rows go to results/serve.csv.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import simplejpeg  # type: ignore[import-untyped]

from benchmarks.results import RESULTS, ROOT, SERVE_COLUMNS, append_rows, origin, processor_features
from benchmarks.serve.metered import MeteredServer, Reading, metered_server
from benchmarks.speed import measure_times
from openplate.formats.snapshot_request import SnapshotRequest
from openplate.imaging import limit_threads
from openplate.pipeline import Recognizer
from openplate.service.calls import options_of

_WARM_UP = 16
_QUEUE = 1000
_SETTLED = 2000
"""Requests after which memory should grow no more."""


def decoding_ms(picture: Path) -> float:
    """Processor time of decoding alone, the median of many."""
    data = picture.read_bytes()
    (times,) = measure_times([lambda: simplejpeg.decode_jpeg(data, colorspace="RGB")], 50)
    return times.median


def engine_rate(picture: Path, workers: int, pictures: int) -> float:
    """Pictures per second of the engine alone, with as many threads as the server has workers."""
    limit_threads()
    recognizer = Recognizer(options_of(SnapshotRequest()), workers=workers)
    data = picture.read_bytes()
    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(lambda _: recognizer.recognize([data]), range(_WARM_UP)))
        start = time.perf_counter()
        list(pool.map(lambda _: recognizer.recognize([data]), range(pictures)))
        return pictures / (time.perf_counter() - start)


def run_load(server: MeteredServer, picture: Path, clients: int, requests: int) -> tuple[float, dict[int, list[float]]]:
    """Seconds of a load, and the times of its requests in milliseconds by status."""
    command = [sys.executable, "-m", "benchmarks.serve.load", server.url, str(picture)]
    command += ["--clients", str(clients), "--requests", str(requests)]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    answer = json.loads(ran.stdout)
    return answer["seconds"], {int(status): times for status, times in answer["times_ms"].items()}


def times_columns(times_ms: Sequence[float]) -> dict[str, str]:
    p50, p95, p99 = np.percentile(times_ms, (50, 95, 99))
    return {"p50_ms": f"{p50:.1f}", "p95_ms": f"{p95:.1f}", "p99_ms": f"{p99:.1f}"}


def processor_columns(before: Reading, after: Reading, decoding: float) -> dict[str, str]:
    """Processor time of one request, of the engine for it, and the rest in times of decoding."""
    pictures = after.pictures - before.pictures
    total = 1e3 * (after.total_s - before.total_s) / pictures
    engine = 1e3 * (after.engine_s - before.engine_s) / pictures
    return {
        "server_cpu_ms": f"{total:.2f}",
        "engine_cpu_ms": f"{engine:.2f}",
        "decoding_cpu_ms": f"{decoding:.2f}",
        "overhead_ratio": f"{(total - engine) / decoding:.2f}",
    }


def load_row(server: MeteredServer, picture: Path, clients: int, requests: int, rate: float) -> dict[str, str]:
    """One load against a server that is warm."""
    run_load(server, picture, min(clients, _WARM_UP), _WARM_UP)
    decoding, before = decoding_ms(picture), server.read()
    seconds, times = run_load(server, picture, clients, requests)
    after, decoding = server.read(), (decoding + decoding_ms(picture)) / 2
    ideal = 1e3 * clients / rate
    return {
        "measure": "load",
        "clients": str(clients),
        "picture": picture.name,
        "requests": str(requests),
        "refused": str(sum(len(each) for status, each in times.items() if status != 200)),
        "per_second": f"{len(times[200]) / seconds:.2f}",
        **times_columns(times[200]),
        "ideal_ms": f"{ideal:.1f}",
        "p99_ratio": f"{np.percentile(times[200], 99) / ideal:.2f}",
        **processor_columns(before, after, decoding),
        "memory_mb": f"{after.memory_mb:.0f}",
    }


def overload_row(picture: Path, workers: int, requests: int) -> dict[str, str]:
    """Four times as many clients as may wait: how quickly the others hear so."""
    with metered_server(workers, 4) as server:
        run_load(server, picture, 1, _WARM_UP)
        seconds, times = run_load(server, picture, 4 * (workers + 4), requests)
    refused = times.get(503, [])
    return {
        "measure": "overload",
        "workers": str(workers),
        "clients": str(4 * (workers + 4)),
        "picture": picture.name,
        "requests": str(requests),
        "refused": str(len(refused)),
        "per_second": f"{len(times[200]) / seconds:.2f}",
        **(times_columns(refused) if refused else {}),
    }


def memory_row(picture: Path, workers: int, requests: int) -> dict[str, str]:
    """Memory after so many requests, and how much of it came after the first 2,000."""
    with metered_server(workers, _QUEUE) as server:
        run_load(server, picture, 4, min(_SETTLED, requests // 2))
        settled = server.read().memory_mb
        seconds, times = run_load(server, picture, 4, requests - min(_SETTLED, requests // 2))
        after = server.read().memory_mb
    return {
        "measure": "memory",
        "workers": str(workers),
        "clients": "4",
        "picture": picture.name,
        "requests": str(requests),
        "per_second": f"{len(times[200]) / seconds:.2f}",
        "memory_mb": f"{after:.0f}",
        "growth_mb": f"{after - settled:.1f}",
    }


def measure(arguments: argparse.Namespace) -> Iterator[dict[str, str]]:
    """Every row that is asked for."""
    picture = arguments.image
    for workers in arguments.workers:
        rate = engine_rate(picture, workers, arguments.requests)
        with metered_server(workers, _QUEUE) as server:
            for clients in arguments.clients:
                row = load_row(server, picture, clients, max(arguments.requests, 2 * clients), rate)
                yield {"workers": str(workers), **row}
        yield overload_row(picture, workers, arguments.requests)
    if arguments.memory:
        yield memory_row(picture, max(arguments.workers), arguments.memory)


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.serve", description=(__doc__ or "").split("\n")[0])
    add: Any = parser.add_argument
    add("--image", type=Path, default=ROOT / "examples" / "gate.jpg", help="a JPEG file")
    add("--workers", nargs="+", type=int, default=[1, 2])
    add("--clients", nargs="+", type=int, default=[1, 4, 16, 64])
    add("--requests", type=int, default=500, help="of each load")
    add("--memory", type=int, default=0, metavar="REQUESTS", help="measure memory over so many requests")
    add("--output", type=Path, default=RESULTS / "serve.csv")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> None:
    parsed = _parse(arguments)
    known = {**origin(), "features": " ".join(processor_features())}
    for row in measure(parsed):
        append_rows(parsed.output, SERVE_COLUMNS, [{**known, **row}])
        print(", ".join(f"{name} {value}" for name, value in row.items()), flush=True)


if __name__ == "__main__":
    main()
