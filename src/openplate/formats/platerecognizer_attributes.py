"""Attributes of vehicles as Plate Recognizer's answers have them: at most three of each, best first."""

from __future__ import annotations

from collections.abc import Sequence

from openplate.datatypes import UNKNOWN, Guess, MakeModel, Vehicle, VehicleAttributes
from openplate.formats.attribute_words import renamed

MOST_LISTED = 3

TYPES = {
    "sedan": "Sedan",
    "suv": "SUV",
    "pickup truck": "Pickup Truck",
    "van": "Van",
    "bus": "Bus",
    "big truck": "Big Truck",
    "motorcycle": "Motorcycle",
}
"""Our word to the vendor's ``vehicle.type``."""

COLORS = {
    "black": "black",
    "blue": "blue",
    "brown": "brown",
    "green": "green",
    "grey": "silver",
    "red": "red",
    "silver": "silver",
    "white": "white",
    "yellow": "yellow",
    "gold-beige": "unknown",
    "orange": "unknown",
    "pink": "unknown",
    "purple": "unknown",
}
"""Our word to the vendor's colour. It has no grey: a grey car is one of its silver ones. Of the last four any name
would be a guess."""

ORIENTATIONS = {"front": "Front", "rear": "Rear", "side": "Unknown"}

_NO_COLOR, _NO_ORIENTATION = "unknown", "Unknown"


def type_of(vehicle: Vehicle, usual: str) -> str:
    """The vendor's type; ``usual`` where the attributes do not tell it."""
    types = vehicle.attributes.types if vehicle.attributes else ()
    return TYPES.get(types[0].value, usual) if types else usual


def make_models(attributes: VehicleAttributes | None) -> list[tuple[str, str, float]]:
    """Make, model and score; a make that is surer than any model of it stands before them, with no model."""
    if attributes is None or not attributes.make_models:
        return [(UNKNOWN, UNKNOWN, 0.0)]
    listed = [_named(guess) for guess in attributes.make_models]
    is_model_open = attributes.make_models[0].make == UNKNOWN
    if is_model_open and attributes.makes and attributes.makes[0].value != UNKNOWN:
        listed[0] = (attributes.makes[0].value, UNKNOWN, attributes.makes[0].confidence)
    return listed[:MOST_LISTED]


def colors(attributes: VehicleAttributes | None) -> list[tuple[str, float]]:
    return _renamed(attributes.colors if attributes else (), COLORS, _NO_COLOR)


def orientations(attributes: VehicleAttributes | None) -> list[tuple[str, float]]:
    return _renamed(attributes.orientations if attributes else (), ORIENTATIONS, _NO_ORIENTATION)


def _named(guess: MakeModel) -> tuple[str, str, float]:
    return guess.make, UNKNOWN if guess.model is None else guess.model, guess.confidence


def _renamed(guesses: Sequence[Guess], names: dict[str, str], unknown: str) -> list[tuple[str, float]]:
    return renamed(guesses, names, unknown)[:MOST_LISTED] or [(unknown, 0.0)]
