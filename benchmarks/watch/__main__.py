"""What watching 1080p cameras costs.

    python -m benchmarks.watch                              # cost of busy and quiet cameras, delays of four live ones
    python -m benchmarks.watch --minutes 60 --cameras 4     # memory over an hour
    python -m benchmarks.watch --seconds 8 --cameras --device cpu --output smoke.csv    # the cost alone, short

`cost` is measured in one thread, frames as fast as they go; `cameras_per_core` is the time that was shown by the time
that the processor took for it. `live` runs cameras by the clock, as `openplate watch` does, with Scout's pictures and
messages on the disk; delays are from the arrival of the deciding frame until its event is there. `camera_mb` is all
memory that came after the networks were ready, by the number of cameras; `growth_mb` what came after the first 20
seconds. Rows go to results/watch.csv.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from benchmarks.results import RESULTS, WATCH_COLUMNS, append_rows, origin, processor_features
from benchmarks.watch.cost import measure_cost
from benchmarks.watch.live import CLOCKS, LivePlan, live_columns
from benchmarks.watch.scenes import PASS_S, SCENES, Scene, make_clip
from openplate.imaging import limit_threads
from openplate.models import DEVICES, Device
from openplate.pipeline import RecognitionOptions, Recognizer

ANALYSED_FPS: Final = 5.0
_SETTLE_S: Final = 20.0


def measure(arguments: argparse.Namespace) -> Iterator[dict[str, str]]:
    """Every row that is asked for; each camera rate has clips of its own."""
    with tempfile.TemporaryDirectory() as folder:
        for rate in arguments.camera_fps:
            for scene in arguments.scene:
                clip = make_clip(Path(folder) / f"{scene}_{rate:g}.mp4", scene, arguments.clip_seconds, rate)
                for device in arguments.device:
                    yield from _rows(arguments, clip, scene, device, rate)


def _rows(
    arguments: argparse.Namespace, clip: Path, scene: Scene, device: Device, rate: float
) -> Iterator[dict[str, str]]:
    sample = max(1, round(rate / ANALYSED_FPS))
    named = {"device": device, "scene": scene, "camera_fps": f"{rate:g}", "analysed_fps": f"{rate / sample:g}"}
    recognizer = Recognizer(RecognitionOptions(), device=device)
    # Networks get ready for each size of picture when it first comes: once round belongs to the start.
    cost = measure_cost(
        clip,
        recognizer,
        seconds=arguments.seconds,
        frames_per_s=rate,
        sample=sample,
        warm_up_s=max(2.0, arguments.clip_seconds),
    )
    yield {"measure": "cost", **named, **cost.columns()}
    for cameras in arguments.cameras:
        for clocks in arguments.clocks if cameras > 1 else arguments.clocks[:1]:
            seconds = 60 * arguments.minutes or arguments.seconds
            plan = LivePlan(clip, cameras, rate, sample, seconds, device, arguments.workers, clocks, arguments.settle)
            yield {"measure": "live", **named, **live_columns(plan)}


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.watch", description=(__doc__ or "").split("\n")[0])
    add: Any = parser.add_argument
    add("--scene", nargs="+", choices=SCENES, default=list(SCENES))
    add("--device", nargs="+", choices=DEVICES, default=["cpu", "openvino"])
    add("--camera-fps", nargs="+", type=float, default=[5.0, 15.0], help="one in so many is taken that 5 a second are")
    add("--seconds", type=float, default=60.0, help="of video, for the cost; of live cameras too without --minutes")
    add("--clip-seconds", type=float, default=4 * PASS_S, help="of the clip that is shown again and again")
    add("--cameras", nargs="*", type=int, default=[1, 4], help="how many live ones; none: only the cost is measured")
    add("--minutes", type=float, default=0.0, help="of live cameras")
    add("--settle", type=float, default=_SETTLE_S, help="seconds before live cameras are measured")
    add("--clocks", nargs="+", choices=CLOCKS, default=list(CLOCKS), help="in which phase frames of live cameras come")
    add("--workers", type=int, default=0, help="frames of live cameras analysed at once; 0: as openplate watch has it")
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
