"""The command line in this process, with a recognizer of stand-ins that sees painted streets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
from typer.testing import CliRunner, Result

from factories import NOON
from openplate import RecognitionOptions, Recognizer
from openplate.cli import app
from openplate.cli.surroundings import Surroundings
from openplate.datatypes import Box
from openplate.imaging import ImageLimits
from openplate.settings import Settings
from stand_ins import make_stages, paint_street

TEXTS = ("1AB2345", "KLX472")
CAR = Box(40, 60, 240, 220)
PLATE = Box(100, 150, 180, 174)


@dataclass
class Bench:
    """Runs commands and keeps what the recognizer was asked to be."""

    asked: list[tuple[RecognitionOptions, Settings, int]] = field(default_factory=list)

    def build(self, options: RecognitionOptions, settings: Settings, workers: int) -> Recognizer:
        self.asked.append((options, settings, workers))
        return Recognizer.from_stages(
            make_stages(TEXTS, [{"cz": 0.9, "pl": 0.1}, {"pl": 0.9, "cz": 0.1}]),
            options,
            ImageLimits(settings.limits.max_bytes, settings.limits.max_pixels),
        )

    def run(self, *arguments: str | Path, stdin: bytes = b"") -> Result:
        surroundings = Surroundings(build_recognizer=self.build, now=lambda: NOON)
        return CliRunner().invoke(app, [str(a) for a in arguments], input=stdin, obj=surroundings)

    @property
    def options(self) -> RecognitionOptions:
        return self.asked[-1][0]


def save_street(path: Path, number: int = 0, plates: Sequence[tuple[Box, int]] | None = None) -> Path:
    """A painted street (320x240) with a car and the plate of that number on it; ``plates`` () for none."""
    shown = [(PLATE, number)] if plates is None else plates
    pixels = paint_street(320, 240, [CAR], shown)
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR))
    return path
