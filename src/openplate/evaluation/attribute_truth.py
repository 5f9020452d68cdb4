"""Which answers to each question about a vehicle are right, by its labels; several where a label leaves it open."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

from openplate.datatypes import UNKNOWN, Guess, VehicleAttributes
from openplate.evaluation.vehicle_crops import VehicleCrop

QUESTIONS: Final = (
    *("type", "body_type", "make", "make_model", "year", "color"),
    *("view", "orientation", "front_or_rear"),
)
"""``front_or_rear`` is ``orientation`` over the vehicles that are not seen from the side."""

_ANY_CAR: Final = ("sedan", "suv", "van", "pickup truck")
_ANY_CAR_SETS: Final = frozenset(("type_car_motorcycle", "vn_fixed_cam_rear", "id_highway_vehicles"))
"""Sets whose word "car" may be any of these; in the others vans and pickups have words of their own."""
_IN_SCENES: Final[Mapping[str, tuple[str, ...]]] = {"car": _ANY_CAR, "truck": ("big truck", "pickup truck", "van")}
"""What detectors call by these two words."""
_NO_GREY_SETS: Final = frozenset(("color_vehicles",))


@dataclass(frozen=True, slots=True)
class Truth:
    """The label as it is shown and counted, and the answers that are right.

    ``also_true`` is no success, but not untrue either: that it is another model, of a model without a name.
    """

    label: str
    right: frozenset[str]
    also_true: frozenset[str] = frozenset()


def truth_of(crop: VehicleCrop, question: str, models: Collection[str]) -> Truth | None:
    """What is known of a vehicle; None where nothing is. ``models`` are "Make Model" of all that can be named."""
    match question:
        case "type":
            return _truth_of_type(crop)
        case "body_type":
            return _only(crop.body_type)
        case "make":
            return _only(crop.make)
        case "make_model":
            return _truth_of_model(crop, models)
        case "year":
            return None if crop.year is None else _only(f"{crop.year - crop.year % 5}-{crop.year - crop.year % 5 + 4}")
        case "color":
            is_open = crop.color == "silver" and crop.set_name in _NO_GREY_SETS
            return Truth("silver", frozenset(("silver", "grey"))) if is_open else _only(crop.color)
        case "view":
            return _only(crop.view)
        case "orientation":
            return _only(crop.orientation)
        case "front_or_rear":
            return None if crop.orientation == "side" else _only(crop.orientation)
    raise ValueError(f"no question {question!r}")


def guesses_of(attributes: VehicleAttributes, question: str) -> tuple[Guess, ...]:
    """The answers to a question, best first; it begins with ``UNKNOWN`` where the network is not sure."""
    match question:
        case "type":
            return attributes.types
        case "body_type":
            return attributes.body_types
        case "make":
            return attributes.makes
        case "make_model":
            return tuple(Guess(model_name(m.make, m.model), m.confidence) for m in attributes.make_models)
        case "year":
            return attributes.years
        case "color":
            return attributes.colors
        case "view":
            return attributes.views
        case "orientation" | "front_or_rear":
            return attributes.orientations
    raise ValueError(f"no question {question!r}")


def model_name(make: str, model: str | None) -> str:
    """ "SEAT Leon"; "SEAT (other)" for a model without a name."""
    if make == UNKNOWN:
        return UNKNOWN
    return f"{make} {model or '(other)'}"


def _only(label: str | None) -> Truth | None:
    return None if label is None else Truth(label, frozenset((label,)))


def _truth_of_type(crop: VehicleCrop) -> Truth | None:
    if crop.type is None:
        return None
    if crop.box is not None and crop.type in _IN_SCENES:
        return Truth(crop.type, frozenset(_IN_SCENES[crop.type]))
    if crop.type == "car":
        return Truth("car", frozenset(_ANY_CAR if crop.set_name in _ANY_CAR_SETS else _ANY_CAR[:2]))
    return _only(crop.type)


def _truth_of_model(crop: VehicleCrop, models: Collection[str]) -> Truth | None:
    if crop.make is None or crop.model is None:
        return None
    name = model_name(crop.make, crop.model)
    other = frozenset() if name in models else frozenset((model_name(crop.make, None),))
    return Truth(name, frozenset((name,)), other)
