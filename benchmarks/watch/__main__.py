"""What watching 1080p cameras costs.

    python -m benchmarks.watch                             # cost, delays and memory: two to three hours
    python -m benchmarks.watch --measure cost live --device openvino --scene busy --camera-fps 5    # ten minutes
    python -m benchmarks.watch --seconds 8 --measure cost --device cpu --output smoke.csv

`cost` is measured in one thread, frames as fast as they go; `cameras_per_core` is the time that was shown by the time
that the processor took for it. `live` runs cameras by the clock, as `openplate watch` does, with Scout's pictures and
messages on the disk; delays are from the arrival of the deciding frame until its event is there, and `others_cores` is
what other programs took of the machine meanwhile: where that is not about 0, the delays are theirs too. `memory` shows
an hour of video to each camera, as fast as it can be analysed (`wall_s`); `camera_mb` is all memory that came after the
networks were ready, by the number of cameras, `growth_mb` what came from the second to the last tenth of the hour; of
live cameras what came after they had settled. Rows go to results/watch.csv, each as soon as it is measured.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from benchmarks.results import RESULTS, WATCH_COLUMNS, append_rows, origin, processor_features
from benchmarks.watch.cost import measure_cost
from benchmarks.watch.live import CLOCKS, LivePlan, live_columns
from benchmarks.watch.memory import MemoryPlan, memory_columns
from benchmarks.watch.scenes import PASS_S, SCENES, make_clip
from openplate.imaging import limit_threads
from openplate.models import DEVICES, Device
from openplate.options import RecognitionOptions
from openplate.pipeline import Recognizer

ANALYSED_FPS: Final = 5.0
_SETTLE_S: Final = 20.0
MEASURES: Final = ("cost", "live", "memory")


def measure(arguments: argparse.Namespace) -> Iterator[dict[str, str]]:
    """Every row that is asked for; each camera rate has clips of its own."""
    with tempfile.TemporaryDirectory() as folder:
        for rate in arguments.camera_fps:
            for scene in arguments.scene:
                clip = make_clip(Path(folder) / f"{scene}_{rate:g}.mp4", scene, arguments.clip_seconds, rate)
                for device in arguments.device:
                    named = {"device": device, "scene": scene, "camera_fps": f"{rate:g}"}
                    for row in _rows(arguments, clip, device, rate):
                        yield {**named, **row}


def _rows(arguments: argparse.Namespace, clip: Path, device: Device, rate: float) -> Iterator[dict[str, str]]:
    sample = max(1, round(rate / ANALYSED_FPS))
    analysed = {"analysed_fps": f"{rate / sample:g}"}
    if "cost" in arguments.measure:
        cost = measure_cost(
            clip,
            Recognizer(RecognitionOptions(), device=device),
            seconds=arguments.seconds,
            frames_per_s=rate,
            sample=sample,
            # Networks get ready for each size of picture when it first comes: once round belongs to the start.
            warm_up_s=max(2.0, arguments.clip_seconds),
        )
        yield {"measure": "cost", **analysed, **cost.columns()}
    for cameras in arguments.cameras if "live" in arguments.measure else ():
        for clocks in arguments.clocks if cameras > 1 else arguments.clocks[:1]:
            live = LivePlan(clip, cameras, rate, sample, arguments.seconds, device, clocks=clocks)
            live = replace(live, workers=arguments.workers, settle_s=arguments.settle)
            yield {"measure": "live", **analysed, **live_columns(live)}
    if "memory" in arguments.measure:
        memory = MemoryPlan(clip, arguments.memory_cameras, rate, sample, arguments.memory_minutes, device)
        yield {"measure": "memory", **analysed, **memory_columns(memory)}


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.watch", description=(__doc__ or "").split("\n")[0])
    add: Any = parser.add_argument
    add("--measure", nargs="+", choices=MEASURES, default=list(MEASURES))
    add("--scene", nargs="+", choices=SCENES, default=list(SCENES))
    add("--device", nargs="+", choices=DEVICES, default=["cpu", "openvino"])
    add("--camera-fps", nargs="+", type=float, default=[5.0, 15.0], help="one in so many is taken that 5 a second are")
    add("--seconds", type=float, default=60.0, help="of video, for the cost; on the clock, for live cameras")
    add("--clip-seconds", type=float, default=4 * PASS_S, help="of the clip that is shown again and again")
    add("--cameras", nargs="+", type=int, default=[1, 4, 8], help="how many live ones")
    add("--clocks", nargs="+", choices=CLOCKS, default=list(CLOCKS), help="in which phase frames of live cameras come")
    add("--settle", type=float, default=_SETTLE_S, help="seconds before live cameras are measured")
    add("--workers", type=int, default=0, help="frames of live cameras analysed at once; 0: as openplate watch has it")
    add("--memory-minutes", type=float, default=60.0, help="of video for each camera, for the memory")
    add("--memory-cameras", type=int, default=2, help="side by side, for the memory")
    add("--output", type=Path, default=RESULTS / "watch.csv")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> None:
    parsed = _parse(arguments)
    limit_threads()
    known = {**origin(), "features": " ".join(processor_features())}
    for row in measure(parsed):
        append_rows(parsed.output, WATCH_COLUMNS, [{**known, **row}])
        print(", ".join(f"{name} {value}" for name, value in row.items() if value), flush=True)


if __name__ == "__main__":
    main()
