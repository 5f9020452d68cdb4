"""Labelled pictures from a JSON Lines list: strict records, so that a wrong label is an error, not a number.

A list has one JSON object per line. Scenes (whole pictures) and plate crops have each their form; boxes are
[x1, y1, x2, y2] and corners [[x, y] x 4, clockwise from the plate's own top left], in pixels of the picture
named in the same line. Every label says where it comes from: "human", or "teacher" (another network).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal, Protocol, TypeVar, cast

from openplate.datatypes import VEHICLE_LABELS, Box, Corners, Guess
from openplate.errors import DatasetError
from openplate.evaluation.fields import Fields, LabelSource, json_lines

Split = Literal["train", "val", "eval"]

SPLITS = ("train", "val", "eval")


@dataclass(frozen=True, slots=True)
class PlateLabel:
    """A plate in a scene. ``label`` is the source of the box, ``score`` the teacher's (0 to 1);
    ``min_char`` is the probability of the weakest character as the teacher reads it.
    """

    box: Box
    label: LabelSource
    corners: Corners | None = None
    corners_label: LabelSource | None = None
    text: str | None = None
    text_label: LabelSource | None = None
    min_char: float | None = None
    region: str | None = None
    score: float | None = None
    suspect: bool = False
    teacher_text: str | None = None


@dataclass(frozen=True, slots=True)
class VehicleLabel:
    """A vehicle in a scene; ``type`` is one of VEHICLE_LABELS, or None where only the box is known."""

    box: Box
    label: LabelSource
    type: str | None = None
    score: float | None = None


@dataclass(frozen=True, slots=True)
class ScenePicture:
    """A whole picture. ``ignore`` and ``ignore_vehicles`` are areas that count neither as plates (vehicles)
    nor as background; ``plates_exhaustive``: apart from them every plate is labelled.
    """

    path: Path
    width: int
    height: int
    set_name: str
    split: Split
    plates: tuple[PlateLabel, ...] = ()
    vehicles: tuple[VehicleLabel, ...] = ()
    plates_exhaustive: bool = False
    vehicles_exhaustive: bool = False
    ignore: tuple[Box, ...] = ()
    ignore_vehicles: tuple[Box, ...] = ()


@dataclass(frozen=True, slots=True)
class PlateCrop:
    """A picture of one plate. ``box`` is the plate in it; ``region`` a code such as "vn" or "us-ny";
    ``suspect``: a sure teacher reads another text, ``teacher_text``; ``lines`` is 1, 2 or not known.
    """

    path: Path
    width: int
    height: int
    set_name: str
    split: Split
    box: Box
    text: str | None = None
    text_label: LabelSource | None = None
    min_char: float | None = None
    region: str | None = None
    corners: Corners | None = None
    lines: int | None = None
    suspect: bool = False
    teacher_text: str | None = None
    region_guess: Guess | None = None


class Labelled(Protocol):
    """What every line of a list says."""

    @property
    def path(self) -> Path: ...

    @property
    def set_name(self) -> str: ...

    @property
    def split(self) -> Split: ...


Sample = TypeVar("Sample", bound=Labelled)


def find_list(data: Path) -> Path:
    """The list that ``data`` names: a JSON Lines file itself, or the only one in a folder.

    Raises:
        DatasetError: there is no list, or more than one.
    """
    if data.is_file():
        return data
    if not data.is_dir():
        raise DatasetError(f"{data}: no such file or folder")
    lists = sorted(data.glob("*.jsonl"))
    if len(lists) != 1:
        found = ", ".join(path.name for path in lists) or "none"
        raise DatasetError(f"{data}: needs exactly one *.jsonl list, found {found}; name the list itself")
    return lists[0]


def read_scenes(data: Path, split: Split | None = None, sets: Iterable[str] = ()) -> Iterator[ScenePicture]:
    """The scenes of a folder or list, in its order; ``split`` None and ``sets`` empty mean all.

    Raises:
        DatasetError: the list is not of the described form (says file, line and what is wrong), or no
            picture of it is asked for by ``split`` and ``sets``.
    """
    return select_samples(find_list(data), _parse_scene, split, tuple(sets))


def read_plate_crops(data: Path, split: Split | None = None, sets: Iterable[str] = ()) -> Iterator[PlateCrop]:
    """The plate crops of a folder or list, in its order; filters and errors as in ``read_scenes``."""
    return select_samples(find_list(data), _parse_crop, split, tuple(sets))


def by_set(samples: Iterable[Labelled]) -> list[tuple[str, list[int]]]:
    """The sets' names in alphabetic order, each with the positions of its samples."""
    positions: dict[str, list[int]] = {}
    for index, sample in enumerate(samples):
        positions.setdefault(sample.set_name, []).append(index)
    return sorted(positions.items())


def select_samples(
    path: Path, parse: Callable[[Fields, Path], Sample], split: Split | None, sets: tuple[str, ...]
) -> Iterator[Sample]:
    """The samples of a list that the filters leave; every line is checked, also those that they leave out.

    Raises:
        DatasetError: the list is not of the form that ``parse`` knows, or nothing in it is asked for.
    """
    known_sets: set[str] = set()
    known_splits: set[str] = set()
    selected = False
    for sample in _samples(path, parse):
        known_sets.add(sample.set_name)
        known_splits.add(sample.split)
        if (split is None or sample.split == split) and (not sets or sample.set_name in sets):
            selected = True
            yield sample
    unknown = sorted(set(sets) - known_sets)
    if unknown:
        raise DatasetError(f"{path}: no set {', '.join(unknown)}; it has {', '.join(sorted(known_sets))}")
    if not selected:
        wanted = "picture" if split is None else f"picture of split {split!r}"
        asked = f" in {', '.join(sets)}" if sets else ""
        raise DatasetError(f"{path}: no {wanted}{asked}; it has the splits {', '.join(sorted(known_splits))}")


def _samples(path: Path, parse: Callable[[Fields, Path], Sample]) -> Iterator[Sample]:
    first_line: dict[Path, int] = {}
    for number, fields in json_lines(path):
        sample = parse(fields, path.parent)
        if sample.path in first_line:
            raise fields.error(f"'image' is the same as on line {first_line[sample.path]}")
        first_line[sample.path] = number
        yield sample
    if not first_line:
        raise DatasetError(f"{path}: the list is empty")


def picture_path(fields: Fields, folder: Path) -> Path:
    """Where the picture of a line is."""
    name = fields.string("image")
    relative = PurePosixPath(name)
    if relative.is_absolute() or ".." in relative.parts or "\0" in name:
        raise fields.wrong("image", "a path below the folder of the list")
    return folder / relative


_SCENE_FIELDS = (
    *("image", "width", "height", "set", "split", "plates", "vehicles"),
    *("plates_exhaustive", "vehicles_exhaustive", "ignore", "ignore_vehicles"),
)
_PLATE_FIELDS = (
    *("box", "corners", "corners_label", "text", "text_label", "min_char", "region"),
    *("label", "score", "suspect", "teacher_text"),
)
_VEHICLE_FIELDS = ("box", "type", "label", "score")
_CROP_FIELDS = (
    *("image", "width", "height", "set", "split", "text", "text_label", "min_char", "region"),
    *("box", "corners", "lines", "suspect", "teacher_text", "region_guess"),
)


def _parse_scene(fields: Fields, folder: Path) -> ScenePicture:
    if not fields.has("plates") and fields.has("box"):
        raise fields.error("this is a list of crops, not of scenes (no 'plates')")
    fields.allow(*_SCENE_FIELDS)
    width, height = fields.positive_integer("width"), fields.positive_integer("height")
    return ScenePicture(
        path=picture_path(fields, folder),
        width=width,
        height=height,
        set_name=fields.string("set"),
        split=cast(Split, fields.one_of("split", SPLITS)),
        plates=tuple(_parse_plate(plate, width, height) for plate in fields.objects("plates")),
        vehicles=tuple(_parse_vehicle(vehicle, width, height) for vehicle in fields.objects("vehicles")),
        plates_exhaustive=fields.flag("plates_exhaustive"),
        vehicles_exhaustive=fields.flag("vehicles_exhaustive"),
        ignore=fields.boxes("ignore", width, height),
        ignore_vehicles=fields.boxes("ignore_vehicles", width, height),
    )


def _parse_plate(fields: Fields, width: int, height: int) -> PlateLabel:
    fields.allow(*_PLATE_FIELDS)
    return PlateLabel(
        box=fields.box("box", width, height),
        label=fields.source("label"),
        corners=fields.corners("corners"),
        corners_label=fields.source_of("corners"),
        text=fields.optional_string("text"),
        text_label=fields.source_of("text"),
        min_char=fields.probability("min_char"),
        region=fields.region(),
        score=fields.probability("score"),
        suspect=fields.flag("suspect", default=False),
        teacher_text=fields.optional_string("teacher_text"),
    )


def _parse_vehicle(fields: Fields, width: int, height: int) -> VehicleLabel:
    fields.allow(*_VEHICLE_FIELDS)
    return VehicleLabel(
        box=fields.box("box", width, height),
        label=fields.source("label"),
        type=fields.one_of("type", VEHICLE_LABELS) if fields.optional_string("type") else None,
        score=fields.probability("score"),
    )


def _parse_crop(fields: Fields, folder: Path) -> PlateCrop:
    if fields.has("plates"):
        raise fields.error("this is a list of scenes, not of plate crops (it has 'plates')")
    fields.allow(*_CROP_FIELDS)
    width, height = fields.positive_integer("width"), fields.positive_integer("height")
    return PlateCrop(
        path=picture_path(fields, folder),
        width=width,
        height=height,
        set_name=fields.string("set"),
        split=cast(Split, fields.one_of("split", SPLITS)),
        box=fields.box("box", width, height),
        text=fields.optional_string("text"),
        text_label=fields.source_of("text"),
        min_char=fields.probability("min_char"),
        region=fields.region(),
        corners=fields.corners("corners"),
        lines=fields.line_count(),
        suspect=fields.flag("suspect", default=False),
        teacher_text=fields.optional_string("teacher_text"),
        region_guess=fields.guess("region_guess"),
    )
