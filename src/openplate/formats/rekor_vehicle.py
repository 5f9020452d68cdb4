"""The object ``vehicle`` of Rekor's results and groups: what can be told of a vehicle by its look.

Habits followed: arrays of ``{name, confidence}``, best first, five at most, confidences 0 to 100; names in lower case
with hyphens, a model behind its make and ``_``; the orientation is an angle written as a text.
"""

from __future__ import annotations

from collections.abc import Sequence

from openplate.datatypes import UNKNOWN, Guess, MakeModel, VehicleAttributes
from openplate.formats.attribute_words import hyphenated, renamed

MOST_LISTED = 5

COLORS = {
    "black": "black",
    "blue": "blue",
    "brown": "brown",
    "gold-beige": "gold-beige",
    "green": "green",
    "grey": "silver-gray",
    "orange": "orange",
    "pink": "pink",
    "purple": "purple",
    "red": "red",
    "silver": "silver-gray",
    "white": "white",
    "yellow": "yellow",
}

BODY_TYPES = {
    "sedan": "sedan-standard",
    "hatchback": "sedan-compact",
    "coupe": "sedan-sports",
    "convertible": "sedan-convertible",
    "wagon": "sedan-wagon",
    "suv": "suv-standard",
    "pickup": "truck-standard",
    "van": "van-full",
    "minivan": "van-mini",
}
"""Of cars. Whether an SUV is a crossover cannot be told."""

TYPES = {"motorcycle": "motorcycle", "big truck": "tractor-trailer", "bus": UNKNOWN}
"""Of what is no car and has no body type of ours. Rekor has one name for lorries and none for buses."""

ORIENTATIONS = {
    "rear": "0",
    "rear_right": "45",
    "right": "90",
    "front_right": "135",
    "front": "180",
    "front_left": "225",
    "left": "270",
    "rear_left": "315",
}
"""Where the nose points on the picture, clockwise from up, like ``travel_direction``: of a vehicle that drives
towards the camera we see the front, and it goes down the picture."""


def rekor_vehicle(attributes: VehicleAttributes) -> dict[str, list[dict[str, object]]]:
    """The object; a list that is not known is one entry ``unknown`` with confidence 0, or begins with ``unknown``."""
    return {
        "color": _listed(renamed(attributes.colors, COLORS, UNKNOWN)),
        "make": _listed([(_name(guess.value), guess.confidence) for guess in attributes.makes]),
        "make_model": _listed([(_make_model(guess), guess.confidence) for guess in attributes.make_models]),
        "body_type": _listed(_body_types(attributes)),
        "year": _listed([(guess.value, guess.confidence) for guess in attributes.years]),
        "orientation": _listed(renamed(attributes.views, ORIENTATIONS, UNKNOWN)),
    }


def _listed(pairs: Sequence[tuple[str, float]]) -> list[dict[str, object]]:
    shown = list(pairs[:MOST_LISTED]) or [(UNKNOWN, 0.0)]
    return [{"name": name, "confidence": round(float(confidence) * 100, 4)} for name, confidence in shown]


def _name(make: str) -> str:
    return hyphenated(make) or UNKNOWN


def _make_model(guess: MakeModel) -> str:
    """``seat_leon``; ``seat_unknown`` for a model of that make that has no name of its own."""
    if guess.make == UNKNOWN:
        return UNKNOWN
    return f"{_name(guess.make)}_{UNKNOWN if guess.model is None else _name(guess.model)}"


def _body_types(attributes: VehicleAttributes) -> list[tuple[str, float]]:
    """Body types are of cars: each counts as far as the vehicle is a car at all."""
    others = [guess for guess in attributes.types if guess.value in TYPES]
    car = max(0.0, 1.0 - sum(guess.confidence for guess in others))
    known = [guess for guess in attributes.body_types if guess.value != UNKNOWN]
    bodies = [Guess(guess.value, guess.confidence * car) for guess in known]
    is_car = not others or car >= others[0].confidence
    deciding = attributes.body_types if is_car else attributes.types
    is_unsure = bool(deciding) and deciding[0].value == UNKNOWN
    ranked = sorted([*bodies, *others], key=lambda guess: -guess.confidence)
    return renamed([Guess(UNKNOWN, 0.0), *ranked] if is_unsure else ranked, {**BODY_TYPES, **TYPES}, UNKNOWN)
