"""What a user may ask of a recognizer."""

from __future__ import annotations

from dataclasses import dataclass

from openplate.datatypes import Mode
from openplate.regions import parse_text_formats
from openplate.search import PLANS


@dataclass(frozen=True, slots=True)
class RecognitionOptions:
    """What a user may ask for.

    Attributes:
        mode: "fast" is exactly one pass, "normal" looks again where it pays, "redaction" misses least.
        regions: codes of the region table that guide the texts.
        strict: keep only texts that have exactly a form of one of ``regions`` or one of ``text_formats``; without
            either it changes nothing.
        threshold_detection: least confidence of a plate, 0 to 1; None: what the network's card says.
        threshold_reading: below it a plate counts as found but not readable, 0 to 1.
        top_n: most candidates for each plate, 1 or more.
        vehicle_required: keep only plates that are on a vehicle.
        text_formats: regular expressions (see ``openplate.regions.text_formats``) that guide the texts.
        plates_per_vehicle: most plates of one vehicle, 1 or more; None: all.
        zoom_in_vehicles: most vehicles to look at again, enlarged, 0 or more; None: as the mode has it. The mode
            "fast" enlarges none.
        attributes: whether to tell type, make, model, colour and so on of each vehicle.
    """

    mode: Mode = "normal"
    regions: tuple[str, ...] = ()
    strict: bool = False
    threshold_detection: float | None = None
    threshold_reading: float = 0.2
    top_n: int = 10
    vehicle_required: bool = False
    text_formats: tuple[str, ...] = ()
    plates_per_vehicle: int | None = None
    zoom_in_vehicles: int | None = None
    attributes: bool = False

    def __post_init__(self) -> None:
        if self.mode not in PLANS:
            raise ValueError(f"no mode {self.mode!r}; the modes are {', '.join(PLANS)}")
        for name in ("threshold_detection", "threshold_reading"):
            value = getattr(self, name)
            if value is not None and not 0.0 <= value <= 1.0:
                raise ValueError(f"{name} must lie between 0 and 1, not {value!r}")
        if self.top_n < 1:
            raise ValueError(f"top_n must be 1 or more, not {self.top_n}")
        if self.plates_per_vehicle is not None and self.plates_per_vehicle < 1:
            raise ValueError(f"plates_per_vehicle must be 1 or more, not {self.plates_per_vehicle}")
        if self.zoom_in_vehicles is not None and self.zoom_in_vehicles < 0:
            raise ValueError(f"zoom_in_vehicles must be 0 or more, not {self.zoom_in_vehicles}")
        parse_text_formats(self.text_formats)


DEFAULT_OPTIONS = RecognitionOptions()
