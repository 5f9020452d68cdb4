"""Labelled pictures and answers for the evaluation's tests: say only what the test is about."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from factories import make_plate, make_reading
from openplate.datatypes import Box, Corners, Detection, Plate
from openplate.evaluation import PlateCrop, PlateLabel, ScenePicture, VehicleLabel

PLATE = Box(100, 100, 160, 120)
OTHER = Box(300, 200, 360, 220)


def make_scene(
    *plates: PlateLabel,
    vehicles: Iterable[VehicleLabel] = (),
    exhaustive: bool = True,
    set_name: str = "streets",
    name: str = "a.webp",
    **others: Any,
) -> ScenePicture:
    return ScenePicture(
        path=Path(name),
        width=640,
        height=480,
        set_name=set_name,
        split="val",
        plates=plates,
        vehicles=tuple(vehicles),
        plates_exhaustive=exhaustive,
        **others,
    )


def human_plate(box: Box = PLATE, text: str | None = None, **others: Any) -> PlateLabel:
    return PlateLabel(box=box, label="human", text=text, text_label=None if text is None else "human", **others)


def make_crop(
    text: str | None = "AB12", set_name: str = "us_nyc_crops", region: str | None = None, **others: Any
) -> PlateCrop:
    if text is not None:
        others.setdefault("text_label", "human")
    return PlateCrop(
        path=Path("crop.webp"),
        width=100,
        height=40,
        set_name=set_name,
        split="val",
        box=Box(0, 0, 100, 40),
        text=text,
        region=region,
        **others,
    )


def plate_at(box: Box = PLATE, confidence: float = 0.9, corners: Corners | None = None) -> Detection:
    return Detection("plate", "plate", box, confidence, corners)


def vehicle_at(box: Box, label: str = "car", confidence: float = 0.9) -> Detection:
    return Detection("vehicle", label, box, confidence)


def answer(text: str | None, box: Box = PLATE, confidence: float = 0.9) -> Plate:
    return make_plate(box=box, reading=None if text is None else make_reading(text, confidence), text=None)


def scene_line(**changes: Any) -> dict[str, Any]:
    """A scene as its list has it."""
    plate = {
        "box": [10, 20, 70, 40],
        "corners": [[10, 20], [70, 21], [69, 40], [11, 39]],
        "corners_label": "human",
        "text": "AB12",
        "text_label": "teacher",
        "min_char": 0.97,
        "region": "us-ny",
        "label": "human",
        "score": None,
    }
    line = {
        "image": "images/a.webp",
        "width": 640,
        "height": 480,
        "set": "streets",
        "split": "val",
        "plates": [plate],
        "vehicles": [{"box": [0, 0, 200, 150], "type": "car", "label": "teacher", "score": 0.8}],
        "plates_exhaustive": True,
        "vehicles_exhaustive": False,
        "ignore": [[300, 300, 310, 305]],
        "ignore_vehicles": [],
    }
    return line | changes


def crop_line(**changes: Any) -> dict[str, Any]:
    """A plate crop as its list has it."""
    line = {
        "image": "images/c.webp",
        "width": 100,
        "height": 40,
        "set": "vn_crops",
        "split": "train",
        "text": "59A12345",
        "text_label": "human",
        "min_char": None,
        "region": "vn",
        "box": [0, 0, 100, 40],
        "corners": None,
        "lines": 2,
    }
    return line | changes


def write_list(folder: Path, *lines: dict[str, Any] | str, name: str = "list.jsonl") -> Path:
    path = folder / name
    path.write_text("".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines), "utf-8")
    return path
