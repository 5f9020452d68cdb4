"""What each evaluation asks a recognizer, and how it measures the answers.

Plate crops are read at their labelled corners, or where there are none at those found in their labelled box.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any, Generic, TypeVar

from openplate.attributes import AttributeClassifier, stretch
from openplate.cli.screen import Screen
from openplate.cli.work import in_order
from openplate.datatypes import Corners, Detection, Guess, Mode, Plate, PlateReading, VehicleAttributes
from openplate.errors import DatasetError, ImageError, UnknownModel
from openplate.evaluation import (
    AttributesReport,
    Mistake,
    PlateCrop,
    Report,
    ScenePicture,
    VehicleCrop,
    attribute_mistakes,
    detection_mistakes,
    evaluate_attributes,
    evaluate_detection,
    evaluate_plates,
    evaluate_reading,
    evaluate_regions,
    plates_mistakes,
    read_plate_crops,
    read_scenes,
    read_vehicle_crops,
    reading_mistakes,
    region_mistakes,
)
from openplate.evaluation.attribute_truth import model_name
from openplate.evaluation.dataset import Split
from openplate.imaging import Image
from openplate.options import RecognitionOptions
from openplate.pipeline import Recognizer
from openplate.reading import read_plates
from openplate.search import PLANS, search

LOWEST_THRESHOLD = 0.01
"""From here on detections count for the average precision; what is less sure hardly changes it."""

Sample = TypeVar("Sample", ScenePicture, PlateCrop, VehicleCrop)
Answer = TypeVar("Answer")


class Measurement(ABC, Generic[Sample, Answer]):
    """One kind of evaluation: reads samples, answers one, measures all the answers."""

    options = RecognitionOptions()

    @abstractmethod
    def read(self, data: Path, split: Split | None, sets: Iterable[str]) -> Iterator[Sample]:
        """The samples of a list. Raises DatasetError."""

    @abstractmethod
    def answer(self, recognizer: Recognizer, sample: Sample) -> Answer:
        """What the recognizer makes of one. Raises ImageError or DatasetError."""

    @abstractmethod
    def report(self, recognizer: Recognizer, samples: Sequence[Sample], answers: Sequence[Answer]) -> Report:
        """The metrics."""

    @abstractmethod
    def mistakes(
        self, recognizer: Recognizer, samples: Sequence[Sample], answers: Sequence[Answer]
    ) -> Iterator[Mistake]:
        """What went wrong."""


class DetectionMeasurement(Measurement[ScenePicture, list[Detection]]):
    """Searches as the mode does, but keeps what is unsure, for the average precisions. The headline is counted
    at the thresholds of real use.

    A low threshold on plates leaves the search as it is. One on vehicles would not, as they are looked at again:
    so unsure vehicles are searched apart.
    """

    def __init__(self, mode: Mode) -> None:
        self.options = RecognitionOptions(mode)
        self._plan = PLANS[mode]

    def read(self, data: Path, split: Split | None, sets: Iterable[str]) -> Iterator[ScenePicture]:
        return read_scenes(data, split, sets)

    def answer(self, recognizer: Recognizer, sample: ScenePicture) -> list[Detection]:
        image = load_sample(recognizer, sample)
        detector = recognizer.stages.detector
        usual = self._plan.thresholds(detector)
        plates = search(detector, image, self._plan, replace(usual, plate=LOWEST_THRESHOLD)).plates
        looked_once = replace(self._plan, zooms=0)
        vehicles = search(detector, image, looked_once, replace(usual, vehicle=LOWEST_THRESHOLD)).vehicles
        return [*recognizer.refine(image, plates), *vehicles]

    def report(
        self, recognizer: Recognizer, samples: Sequence[ScenePicture], answers: Sequence[list[Detection]]
    ) -> Report:
        usual = self._plan.thresholds(recognizer.stages.detector)
        return evaluate_detection(samples, answers, plate_threshold=usual.plate, vehicle_threshold=usual.vehicle)

    def mistakes(
        self, recognizer: Recognizer, samples: Sequence[ScenePicture], answers: Sequence[list[Detection]]
    ) -> Iterator[Mistake]:
        usual = self._plan.thresholds(recognizer.stages.detector)
        return detection_mistakes(samples, answers, plate_threshold=usual.plate)


class ReadingMeasurement(Measurement[PlateCrop, tuple[PlateReading | None, float]]):
    """The settled reading, and the probability that the network itself gave its text, before calibration."""

    def read(self, data: Path, split: Split | None, sets: Iterable[str]) -> Iterator[PlateCrop]:
        return read_plate_crops(data, split, sets)

    def answer(self, recognizer: Recognizer, sample: PlateCrop) -> tuple[PlateReading | None, float]:
        image = load_sample(recognizer, sample)
        corners = corners_of(sample, image, recognizer)
        (reading,) = recognizer.read_plates(image, [corners], [sample.box])
        stages = recognizer.stages
        ((spelling, _),) = read_plates(stages.reader, stages.corner_refiner, image.pixels, [corners], [sample.box])
        return reading, min(max(spelling.probability, 0.0), 1.0)

    def report(
        self,
        recognizer: Recognizer,  # noqa: ARG002
        samples: Sequence[PlateCrop],
        answers: Sequence[tuple[PlateReading | None, float]],
    ) -> Report:
        return evaluate_reading(samples, [reading for reading, _ in answers], [raw for _, raw in answers])

    def mistakes(
        self,
        recognizer: Recognizer,  # noqa: ARG002
        samples: Sequence[PlateCrop],
        answers: Sequence[tuple[PlateReading | None, float]],
    ) -> Iterator[Mistake]:
        return reading_mistakes(samples, [reading for reading, _ in answers])


class RegionMeasurement(Measurement[PlateCrop, tuple[Guess, ...]]):
    """The regions of the reading, or of the plate's look alone where nothing could be read."""

    def read(self, data: Path, split: Split | None, sets: Iterable[str]) -> Iterator[PlateCrop]:
        return read_plate_crops(data, split, sets)

    def answer(self, recognizer: Recognizer, sample: PlateCrop) -> tuple[Guess, ...]:
        image = load_sample(recognizer, sample)
        corners = corners_of(sample, image, recognizer)
        (reading,) = recognizer.read_plates(image, [corners], [sample.box])
        if reading is not None:
            return reading.regions
        classifier = recognizer.stages.region_classifier
        return classifier.classify_plates(image.pixels, [corners])[0]

    def report(
        self, recognizer: Recognizer, samples: Sequence[PlateCrop], answers: Sequence[tuple[Guess, ...]]
    ) -> Report:
        return evaluate_regions(samples, answers, recognizer.stages.region_classifier.labels)

    def mistakes(
        self, recognizer: Recognizer, samples: Sequence[PlateCrop], answers: Sequence[tuple[Guess, ...]]
    ) -> Iterator[Mistake]:
        return region_mistakes(samples, answers, recognizer.stages.region_classifier.labels)


class PlatesMeasurement(Measurement[ScenePicture, tuple[Plate, ...]]):
    """Whole pictures; all readings are kept for the sweep, the headline has the usual threshold."""

    def __init__(self, mode: Mode) -> None:
        self._threshold = RecognitionOptions().threshold_reading
        self.options = RecognitionOptions(mode, threshold_reading=0.0)

    def read(self, data: Path, split: Split | None, sets: Iterable[str]) -> Iterator[ScenePicture]:
        return read_scenes(data, split, sets)

    def answer(self, recognizer: Recognizer, sample: ScenePicture) -> tuple[Plate, ...]:
        (recognition,) = recognizer.recognize([sample.path])
        check_size(sample, recognition.width, recognition.height)
        return recognition.plates

    def report(
        self,
        recognizer: Recognizer,  # noqa: ARG002
        samples: Sequence[ScenePicture],
        answers: Sequence[tuple[Plate, ...]],
    ) -> Report:
        return evaluate_plates(samples, answers, threshold=self._threshold)

    def mistakes(
        self,
        recognizer: Recognizer,  # noqa: ARG002
        samples: Sequence[ScenePicture],
        answers: Sequence[tuple[Plate, ...]],
    ) -> Iterator[Mistake]:
        return plates_mistakes(samples, answers, threshold=self._threshold)


class AttributesMeasurement(Measurement[VehicleCrop, VehicleAttributes]):
    """What can be told of vehicles by their look."""

    def read(self, data: Path, split: Split | None, sets: Iterable[str]) -> Iterator[VehicleCrop]:
        return read_vehicle_crops(data, split, sets)

    def answer(self, recognizer: Recognizer, sample: VehicleCrop) -> VehicleAttributes:
        classifier = attribute_classifier(recognizer)
        pixels = load_sample(recognizer, sample).pixels
        if sample.box is None:  # cut out already
            crop = stretch(pixels, classifier.width, classifier.height)
        else:
            crop = classifier.crop(pixels, sample.box)
        return classifier.classify([crop])[0]

    def report(
        self, recognizer: Recognizer, samples: Sequence[VehicleCrop], answers: Sequence[VehicleAttributes]
    ) -> AttributesReport:
        return evaluate_attributes(samples, answers, _model_names(recognizer))

    def mistakes(
        self, recognizer: Recognizer, samples: Sequence[VehicleCrop], answers: Sequence[VehicleAttributes]
    ) -> Iterator[Mistake]:
        return attribute_mistakes(samples, answers, _model_names(recognizer))


def attribute_classifier(recognizer: Recognizer) -> AttributeClassifier:
    """Raises UnknownModel where there is none."""
    classifier = recognizer.stages.attribute_classifier
    if classifier is None:
        raise UnknownModel("there is no network 'attributes' beside the others")
    return classifier


def _model_names(recognizer: Recognizer) -> frozenset[str]:
    models = attribute_classifier(recognizer).models
    return frozenset(model_name(make, model) for make, model in models if model is not None)


def corners_of(crop: PlateCrop, image: Image, recognizer: Recognizer) -> Corners:
    """Where the plate is in its crop: the labelled corners, else what the corner network makes of the box."""
    if crop.corners is not None:
        return crop.corners
    return recognizer.refined(image, [Corners.from_box(crop.box)])[0]


def load_sample(recognizer: Recognizer, sample: ScenePicture | PlateCrop | VehicleCrop) -> Image:
    """A sample's picture, of the size that its labels are for."""
    image = Image.from_path(sample.path, recognizer.limits)
    check_size(sample, image.width, image.height)
    return image


def check_size(sample: ScenePicture | PlateCrop | VehicleCrop, width: int, height: int) -> None:
    """DatasetError where the labels are for a picture of another size."""
    if (width, height) != (sample.width, sample.height):
        raise DatasetError(f"{sample.path} has {width}x{height} pixels, its list says {sample.width}x{sample.height}")


def spread(samples: Sequence[Any], limit: int | None) -> list[Any]:
    """At most ``limit`` of the samples, evenly from the whole list, so that every set is among them."""
    if limit is None or limit >= len(samples):
        return list(samples)
    return [samples[index * len(samples) // limit] for index in range(limit)]


def answer_all(
    measurement: Measurement[Any, Any], recognizer: Recognizer, samples: Sequence[Any], workers: int
) -> list[Any]:
    """One answer per sample, in order, with a progress bar.

    Raises:
        DatasetError: a picture of the list is missing or cannot be used.
    """
    answers: list[Any] = []

    def work(sample: Any) -> Any:
        try:
            return measurement.answer(recognizer, sample)
        except ImageError as error:
            raise DatasetError(f"a picture of the list cannot be used: {error}") from error

    with Screen(len(samples)) as screen, closing(in_order(work, samples, workers)) as answered:
        for _, answer in answered:
            answers.append(answer)
            screen.advance()
    return answers
