"""Recognitions drawn by hypothesis."""

from __future__ import annotations

from hypothesis import strategies as st

from openplate.datatypes import (
    VEHICLE_LABELS,
    Box,
    Corners,
    Detection,
    Guess,
    MakeModel,
    Plate,
    PlateCandidate,
    PlateReading,
    Recognition,
    Timings,
    Vehicle,
    VehicleAttributes,
)

TEXTS = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", min_size=1, max_size=10)


def _numbers(low: float, high: float, digits: int | None) -> st.SearchStrategy[float]:
    """Floats; with ``digits`` only such as survive being written with so many decimals."""
    if digits is None:
        return st.floats(low, high)
    scale = 10**digits
    return st.integers(round(low * scale), round(high * scale)).map(lambda value: round(value / scale, digits))


def attributes(confidences: st.SearchStrategy[float]) -> st.SearchStrategy[VehicleAttributes]:
    """Any attributes, of words that nobody knows too."""
    words = st.sampled_from(["unknown", "suv", "bus", "grey", "silver", "gold-beige", "front_left", "side", "Škoda 1"])
    guesses = st.lists(st.builds(Guess, words | st.text(max_size=5), confidences), max_size=4).map(tuple)
    models = st.lists(st.builds(MakeModel, words, st.none() | words, confidences), max_size=4).map(tuple)
    names = ("types", "makes", "body_types", "years", "colors", "views", "orientations")
    return st.builds(VehicleAttributes, make_models=models, **dict.fromkeys(names, guesses))


@st.composite
def recognitions(draw: st.DrawFn, exact: bool = True) -> Recognition:
    """Any recognition; with ``exact`` only values that the native format keeps to the last digit."""
    pixels = _numbers(-50, 5000, 2 if exact else None)
    confidences = _numbers(0, 1, 4 if exact else None)
    milliseconds = _numbers(0, 10_000, 2 if exact else None)
    guesses = st.builds(Guess, st.sampled_from(["us", "us-mo", "vn", "pl"]), confidences)
    readings = st.builds(
        PlateReading,
        text=TEXTS,
        confidence=confidences,
        characters=st.lists(st.builds(Guess, st.sampled_from("AB12"), confidences), max_size=3).map(tuple),
        candidates=st.lists(st.builds(PlateCandidate, TEXTS, confidences, st.booleans()), max_size=3).map(tuple),
        regions=st.lists(guesses, max_size=1 if exact else 3).map(tuple),
    )
    boxes = st.tuples(pixels, pixels, pixels, pixels).map(
        lambda v: Box(min(v[0], v[2]), min(v[1], v[3]), max(v[0], v[2]), max(v[1], v[3]))
    )
    points = st.tuples(pixels, pixels)
    corners = st.builds(Corners, points, points, points, points)
    vehicles = draw(
        st.lists(
            st.builds(
                Vehicle,
                st.builds(Detection, st.just("vehicle"), st.sampled_from(VEHICLE_LABELS), boxes, confidences),
                st.none() | attributes(confidences),
            ),
            max_size=3,
        )
    )
    indices = st.none() | st.integers(0, len(vehicles) - 1) if vehicles else st.none()
    plates = st.builds(
        Plate,
        st.builds(Detection, st.just("plate"), st.just("plate"), boxes, confidences, st.none() | corners),
        st.none() | readings,
        indices,
    )
    return Recognition(
        source=draw(st.text(max_size=10)),
        width=draw(st.integers(1, 5000)),
        height=draw(st.integers(1, 5000)),
        plates=tuple(draw(st.lists(plates, max_size=3))),
        vehicles=tuple(vehicles),
        timings=draw(st.builds(Timings, milliseconds, milliseconds, milliseconds, milliseconds)),
    )
