"""Vehicles whose attributes are labelled, from a JSON Lines list of crops or of scenes.

A list of crops has one vehicle per picture, the whole picture is it; what is not known of it is null. In scenes each
vehicle whose class is labelled is taken, unless it is small or a teacher's that is not sure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, cast

from openplate.datatypes import Box
from openplate.errors import DatasetError
from openplate.evaluation.dataset import (
    SPLITS,
    ScenePicture,
    Split,
    find_list,
    picture_path,
    read_scenes,
    select_samples,
)
from openplate.evaluation.fields import Fields, json_lines

TYPE_WORDS: Final = ("sedan", "suv", "pickup truck", "van", "bus", "big truck", "motorcycle", "car", "truck")
"""In crops "car" is a car of unknown body; "truck" stands in scenes only, where nothing more is known."""
ORIENTATIONS: Final = ("front", "rear", "side")
VIEWS: Final = ("front", "front_left", "left", "rear_left", "rear", "rear_right", "right", "front_right")

LEAST_SIDE_PX: Final = 32
LEAST_TEACHER_SCORE: Final = 0.6

_FIELDS: Final = (
    *("image", "width", "height", "set", "split", "type", "body_type", "make", "model", "model_full", "year"),
    *("color", "orientation", "orientation_label", "view"),
)


@dataclass(frozen=True, slots=True)
class VehicleCrop:
    """A vehicle: the whole picture, or what is in ``box`` of a scene. Labels are None where they are not known."""

    path: Path
    width: int
    height: int
    set_name: str
    split: Split
    box: Box | None = None
    type: str | None = None
    body_type: str | None = None
    make: str | None = None
    model: str | None = None
    year: int | None = None
    color: str | None = None
    orientation: str | None = None
    view: str | None = None


def read_vehicle_crops(data: Path, split: Split | None = None, sets: Iterable[str] = ()) -> Iterator[VehicleCrop]:
    """The vehicles of a folder or list, in its order; ``split`` None and ``sets`` empty mean all.

    Raises:
        DatasetError: the list is not of the described form, or nothing in it is asked for.
    """
    path = find_list(data)
    if _is_of_scenes(path):
        found = [vehicle for scene in read_scenes(path, split, sets) for vehicle in _vehicles(scene)]
        if not found:
            raise DatasetError(f"{path}: no vehicle of at least {LEAST_SIDE_PX} pixels has a type")
        return iter(found)
    return select_samples(path, _parse_crop, split, tuple(sets))


def _is_of_scenes(path: Path) -> bool:
    for _, fields in json_lines(path):
        return fields.has("plates")
    raise DatasetError(f"{path}: the list is empty")


def _vehicles(scene: ScenePicture) -> Iterator[VehicleCrop]:
    for vehicle in scene.vehicles:
        is_sure = vehicle.label == "human" or (vehicle.score or 0.0) >= LEAST_TEACHER_SCORE
        is_large = min(vehicle.box.width, vehicle.box.height) >= LEAST_SIDE_PX
        if vehicle.type is not None and is_sure and is_large:
            size = scene.width, scene.height
            yield VehicleCrop(scene.path, *size, scene.set_name, scene.split, box=vehicle.box, type=vehicle.type)


def _parse_crop(fields: Fields, folder: Path) -> VehicleCrop:
    fields.allow(*_FIELDS)
    crop = VehicleCrop(
        path=picture_path(fields, folder),
        width=fields.positive_integer("width"),
        height=fields.positive_integer("height"),
        set_name=fields.string("set"),
        split=cast(Split, fields.one_of("split", SPLITS)),
        type=_word(fields, "type", TYPE_WORDS),
        body_type=fields.optional_string("body_type"),
        make=fields.optional_string("make"),
        model=fields.optional_string("model"),
        year=fields.positive_integer("year") if fields.given("year") else None,
        color=fields.optional_string("color"),
        orientation=_word(fields, "orientation", ORIENTATIONS),
        view=_word(fields, "view", VIEWS),
    )
    if crop.model is not None and crop.make is None:
        raise fields.error("'model' is given without 'make'")
    return crop


def _word(fields: Fields, name: str, words: tuple[str, ...]) -> str | None:
    return fields.one_of(name, words) if fields.given(name) else None
