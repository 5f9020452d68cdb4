"""The loaded networks, for all recognizers that share them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock

from openplate.attributes import AttributeClassifier
from openplate.corner_refiner import CornerRefiner
from openplate.detection import Detector
from openplate.models import Device, Precision, catalog
from openplate.ocr import Reader
from openplate.region_classifier import RegionClassifier


class LateAttributes:
    """The classifier of attributes, loaded when it is first used: who asks for none pays nothing."""

    def __init__(self, load: Callable[[], AttributeClassifier | None]) -> None:
        """``load`` gives None where there is no such network; it is called once, whatever threads ask."""
        self._load = load
        self._lock = Lock()
        self._is_loaded = False
        self._classifier: AttributeClassifier | None = None

    def get(self) -> AttributeClassifier | None:
        """Raises ModelError where the network cannot be used."""
        with self._lock:
            if not self._is_loaded:
                self._classifier, self._is_loaded = self._load(), True
            return self._classifier


@dataclass(frozen=True, slots=True)
class Stages:
    """The loaded networks, in the order in which a picture meets them; recognizers with other options share them."""

    detector: Detector
    corner_refiner: CornerRefiner
    reader: Reader
    region_classifier: RegionClassifier
    late_attributes: LateAttributes = field(default_factory=lambda: LateAttributes(lambda: None))

    @classmethod
    def open(cls, device: Device = "auto", precision: Precision = "auto", *, workers: int = 1) -> Stages:
        """The networks that come with the package.

        Raises:
            ModelError: a network or the device cannot be used.
        """
        return cls(
            Detector.open(device, precision, workers=workers),
            CornerRefiner.open(device, precision, workers=workers),
            Reader.open(device, precision, workers=workers),
            RegionClassifier.open(device, precision, workers=workers),
            LateAttributes(lambda: _open_attributes(device, precision, workers)),
        )

    @property
    def attribute_classifier(self) -> AttributeClassifier | None:
        """Loaded on first use; None where there is no such network. Raises ModelError where it cannot be used."""
        return self.late_attributes.get()

    @property
    def names(self) -> tuple[str, ...]:
        """Name and version of each network that every picture meets."""
        return (self.detector.name, self.corner_refiner.name, self.reader.name, self.region_classifier.name)


def _open_attributes(device: Device, precision: Precision, workers: int) -> AttributeClassifier | None:
    if "attributes" not in catalog.names():
        return None
    return AttributeClassifier.open(device, precision, workers=workers)
