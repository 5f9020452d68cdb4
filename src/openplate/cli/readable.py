"""Recognitions for people: plain lines for files and pipes, tables for terminals."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openplate.datatypes import UNKNOWN, Box, Plate, Recognition, Vehicle, VehicleAttributes

if TYPE_CHECKING:
    from rich.console import RenderableType

COLUMNS = ("plate", "confidence", "region", "vehicle", "box")
UNREAD = "(unread)"


def printable(text: str) -> str:
    """A name as it may be shown: what is no printable character, as in a hostile file name, is spelled out."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def percent(confidence: float) -> str:
    return f"{100 * confidence:.0f} %"


def heading(recognition: Recognition) -> str:
    """The first line about a picture: its name, size, what was found in it."""
    plates, vehicles = len(recognition.plates), len(recognition.vehicles)
    found = _count(plates, "plate") if plates else "no plates found"
    also = f", {_count(vehicles, 'vehicle')}" if vehicles else ""
    return f"{printable(recognition.source)} ({recognition.width}x{recognition.height}): {found}{also}"


def cells(plate: Plate, recognition: Recognition) -> tuple[str, str, str, str, str]:
    """One plate under ``COLUMNS``. The confidence of a plate that could not be read is that of its being one."""
    reading = plate.reading
    region = reading.regions[0] if reading and reading.regions else None
    vehicle = None if plate.vehicle_index is None else recognition.vehicles[plate.vehicle_index].detection
    return (
        reading.text if reading else UNREAD,
        percent(reading.confidence if reading else plate.detection.confidence),
        f"{region.value} {percent(region.confidence)}" if region else "-",
        f"{vehicle.label} {percent(vehicle.confidence)}" if vehicle else "-",
        _box(plate.detection.box),
    )


def plain_lines(recognition: Recognition) -> str:
    """A heading, one indented line per plate, in columns, and one per vehicle where its attributes were asked for."""
    rows = [cells(plate, recognition) for plate in recognition.plates]
    widths = [max(len(row[column]) for row in rows) for column in range(len(COLUMNS))] if rows else []
    lines = [
        "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]
    return "\n".join((heading(recognition), *lines, *("  " + line for line in vehicle_lines(recognition)))) + "\n"


def vehicle_lines(recognition: Recognition) -> list[str]:
    """What can be told of each vehicle by its look; nothing where nobody asked."""
    return [_told(vehicle, vehicle.attributes) for vehicle in recognition.vehicles if vehicle.attributes is not None]


def _told(vehicle: Vehicle, attributes: VehicleAttributes) -> str:
    from openplate.annotation import look_of

    lists = (attributes.types, attributes.years, attributes.views or attributes.orientations)
    bests = [guesses[0].value for guesses in lists if guesses]
    words = [word.replace("_", " ") for word in (look_of(attributes), *bests) if word and word != UNKNOWN]
    return f"{vehicle.detection.label} at {_box(vehicle.detection.box)}: {', '.join(words) or UNKNOWN}"


def plain_failure(name: str, message: str) -> str:
    return f"{printable(name)}: could not be read: {printable(message)}\n"


def terminal_table(recognition: Recognition) -> RenderableType:
    """The same for a terminal."""
    from rich.console import Group
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    title = Text(heading(recognition), style="bold" if recognition.plates else "yellow")
    told = [Padding(Text(line), (0, 0, 0, 2)) for line in vehicle_lines(recognition)]
    if not recognition.plates:
        return Group(title, *told) if told else title
    table = Table(box=None, header_style="dim", padding=(0, 1))
    for name in COLUMNS:
        table.add_column(name, justify="right" if name == "confidence" else "left", no_wrap=name != "box")
    for plate in recognition.plates:
        row = [Text(cell) for cell in cells(plate, recognition)]
        confidence = plate.reading.confidence if plate.reading else 0.0
        row[0].stylize("bold green" if confidence >= 0.8 else "yellow")
        table.add_row(*row)
    return Group(title, Padding(table, (0, 0, 0 if told else 1, 1), expand=False), *told)


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}" + ("" if number == 1 else "s")


def _box(box: Box) -> str:
    return f"{box.x1:.0f},{box.y1:.0f} {box.x2:.0f},{box.y2:.0f}"
