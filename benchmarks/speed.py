"""What a picture costs: processor time, memory, and the time until the first result.

    python -m benchmarks.speed                              # processor time on examples/gate.jpg, one plate
    python -m benchmarks.speed --start --memory             # also the start of the command, and the memory
    python -m benchmarks.speed --attributes                 # also telling what one vehicle is
    python -m benchmarks.speed --mode normal fast --device cpu openvino --precision auto float int8

The processor time of decoding the JPEG alone is measured in the same rounds, between the others; the ratio
to it holds on any machine, the milliseconds only on this one. One thread, decoding included. Every
measurement becomes a row of results/speed.csv.
"""

from __future__ import annotations

import argparse
import multiprocessing
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path
from statistics import median
from typing import Any

import simplejpeg  # type: ignore[import-untyped]

from benchmarks.results import RESULTS, ROOT, SPEED_COLUMNS, append_rows, origin, processor_features
from openplate.attributes import AttributeClassifier
from openplate.datatypes import Box, Mode
from openplate.imaging import Image, limit_threads
from openplate.models import DEVICES, PRECISIONS, Device, Precision
from openplate.options import RecognitionOptions
from openplate.pipeline import Recognizer
from openplate.search import PLANS

_WARM_UP = 3
_MEMORY_PICTURES = 200


@dataclass(frozen=True, slots=True)
class Configuration:
    """How the recognizer is set up for one measurement."""

    mode: Mode
    device: Device
    precision: Precision

    def open(self) -> Recognizer:
        return Recognizer(RecognitionOptions(mode=self.mode), device=self.device, precision=self.precision)

    def columns(self) -> dict[str, str]:
        return {"mode": self.mode, "device": self.device, "precision": self.precision}

    def __str__(self) -> str:
        return f"{self.mode} {self.device} {self.precision}"


@dataclass(frozen=True, slots=True)
class Times:
    """Processor time of one thing over all rounds, in milliseconds."""

    minimum: float
    median: float

    @classmethod
    def of(cls, seconds: Sequence[float]) -> Times:
        return cls(1e3 * min(seconds), 1e3 * median(seconds))


def processor_seconds(work: Callable[[], object]) -> float:
    """Processor time that the whole process, all its threads, spends on one call."""
    start = time.process_time()
    work()
    return time.process_time() - start


def measure_times(works: Sequence[Callable[[], object]], rounds: int) -> list[Times]:
    """Each work once in every round, so that what disturbs the machine disturbs all of them alike."""
    seconds: list[list[float]] = [[] for _ in works]
    for number in range(_WARM_UP + rounds):
        for work, spent in zip(works, seconds, strict=True):
            taken = processor_seconds(work)
            if number >= _WARM_UP:
                spent.append(taken)
    return [Times.of(spent) for spent in seconds]


def time_rows(picture: Path, configurations: Sequence[Configuration], rounds: int) -> Iterator[dict[str, str]]:
    """One row for decoding alone, one for each configuration."""
    data = picture.read_bytes()
    recognizers = [configuration.open() for configuration in configurations]
    works: list[Callable[[], object]] = [lambda: simplejpeg.decode_jpeg(data, colorspace="RGB")]
    works += [lambda each=each: each.recognize([data]) for each in recognizers]  # type: ignore[misc]
    decoding, *times = measure_times(works, rounds)
    yield {"measure": "decoding", "picture": picture.name, "unit": "ms", **_columns(decoding, decoding)}
    for configuration, recognizer, spent in zip(configurations, recognizers, times, strict=True):
        (recognition,) = recognizer.recognize([data])
        yield {
            "measure": "time",
            **configuration.columns(),
            "picture": picture.name,
            "plates": str(len(recognition.plates)),
            "unit": "ms",
            **_columns(spent, decoding),
        }


def _columns(times: Times, decoding: Times) -> dict[str, str]:
    return {
        "minimum": f"{times.minimum:.2f}",
        "median": f"{times.median:.2f}",
        "decoding": f"{decoding.median:.2f}",
        "ratio": f"{times.median / decoding.median:.2f}",
    }


def attribute_rows(picture: Path, configurations: Sequence[Configuration], rounds: int) -> Iterator[dict[str, str]]:
    """Cutting out one vehicle, half of the picture wide and high, and telling what it is; decoding not included."""
    data = picture.read_bytes()
    image = Image.from_bytes(data)
    box = Box(image.width / 4, image.height / 4, image.width * 3 / 4, image.height * 3 / 4)
    classifiers = [AttributeClassifier.open(each.device, each.precision) for each in configurations]
    works: list[Callable[[], object]] = [lambda: simplejpeg.decode_jpeg(data, colorspace="RGB")]
    works += [lambda one=one: one.classify([one.crop(image.pixels, box)]) for one in classifiers]  # type: ignore[misc]
    decoding, *times = measure_times(works, rounds)
    for configuration, spent in zip(configurations, times, strict=True):
        columns = {**configuration.columns(), "mode": ""}
        named = {"measure": "attributes", **columns, "picture": picture.name, "unit": "ms"}
        yield {**named, **_columns(spent, decoding)}


def start_row(picture: Path, configuration: Configuration, rounds: int) -> dict[str, str]:
    """Seconds by the clock from the start of the command until its first line stands there."""
    command = [str(Path(sys.executable).with_name("openplate")), "recognize", str(picture), "--format", "json"]
    command += ["--mode", configuration.mode, "--device", configuration.device]
    seconds = []
    for _ in range(rounds):
        start = time.perf_counter()
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            line = process.stdout.readline()
            seconds.append(time.perf_counter() - start)
            process.stdout.read()
        if process.returncode or not line:
            raise SystemExit(f"the command failed with {process.returncode}: {' '.join(command)}")
    return {
        "measure": "start",
        **configuration.columns(),
        "precision": "auto",
        "picture": picture.name,
        "minimum": f"{min(seconds):.2f}",
        "median": f"{median(seconds):.2f}",
        "unit": "s",
    }


def resident_megabytes() -> float:
    """Memory of this process that is in RAM, as the kernel counts it."""
    for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise OSError("the kernel does not tell the resident memory of this process")


def _memory_after(pictures: Sequence[Path], configuration: Configuration) -> float:
    limit_threads()
    recognizer = configuration.open()
    for _ in recognizer.recognize_each(islice(cycle(pictures), _MEMORY_PICTURES)):
        pass
    return resident_megabytes()


def memory_row(pictures: Sequence[Path], configuration: Configuration) -> dict[str, str]:
    """Resident memory of a process of its own after 200 pictures, the given ones in turn."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        megabytes = pool.apply(_memory_after, (pictures, configuration))
    return {
        "measure": "memory",
        **configuration.columns(),
        "picture": pictures[0].name if len(pictures) == 1 else f"{len(pictures)} pictures",
        "minimum": f"{megabytes:.0f}",
        "median": f"{megabytes:.0f}",
        "unit": "MB",
    }


def measure(arguments: argparse.Namespace) -> Iterator[dict[str, str]]:
    """Every row that is asked for."""
    configurations = [
        Configuration(mode, device, precision)
        for device in arguments.device
        for precision in arguments.precision
        for mode in arguments.mode
    ]
    for picture in arguments.image:
        yield from time_rows(picture, configurations, arguments.rounds)
    if arguments.attributes:
        different = {(each.device, each.precision): each for each in configurations}
        yield from attribute_rows(arguments.image[0], list(different.values()), arguments.rounds)
    if arguments.start:
        for device in arguments.device:
            yield start_row(arguments.image[0], Configuration("normal", device, "auto"), min(arguments.rounds, 7))
    if arguments.memory:
        for configuration in configurations:
            yield memory_row(arguments.image, configuration)


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed", description=(__doc__ or "").split("\n")[0])
    add: Any = parser.add_argument
    add("--image", nargs="+", type=Path, default=[ROOT / "examples" / "gate.jpg"], help="JPEG files")
    add("--mode", nargs="+", choices=tuple(PLANS), default=["normal", "fast"])
    add("--device", nargs="+", choices=DEVICES, default=["cpu", "openvino"])
    add("--precision", nargs="+", choices=PRECISIONS, default=["auto"])
    add("--rounds", type=int, default=30, help="how often each is measured")
    add("--attributes", action="store_true", help="also: telling what one vehicle is")
    add("--start", action="store_true", help="also: from the start of the command to the first result")
    add("--memory", action="store_true", help="also: resident memory after 200 pictures")
    add("--output", type=Path, default=RESULTS / "speed.csv", help="where the rows are added")
    parsed = parser.parse_args(arguments)
    for picture in parsed.image:
        if not picture.is_file() or not simplejpeg.is_jpeg(picture.read_bytes()):
            parser.error(f"{picture} is no JPEG file")
    return parsed


def main(arguments: Sequence[str] | None = None) -> None:
    parsed = _parse(arguments)
    limit_threads()
    features = ", ".join(processor_features()) or "none that is known here"
    common = {**origin(), "features": features}
    print(f"{common['machine']}; {features}")
    for row in measure(parsed):
        what = " ".join(filter(None, (row["measure"], row.get("mode"), row.get("device"), row.get("precision"))))
        ratio = f", {row['ratio']} times decoding" if "ratio" in row else ""
        plates = f", {row['plates']} plates" if "plates" in row else ""
        print(f"{what}: {row['median']} {row['unit']} (least {row['minimum']}){ratio}{plates}", flush=True)
        append_rows(parsed.output, SPEED_COLUMNS, [{**dict.fromkeys(SPEED_COLUMNS, ""), **common, **row}])


if __name__ == "__main__":
    main()
