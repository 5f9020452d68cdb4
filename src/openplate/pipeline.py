"""The whole system for stills on one page: picture, search, crops, texts and regions, recognition."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from time import perf_counter

import numpy as np

from openplate.datatypes import (
    Box,
    Corners,
    Detection,
    Mode,
    Plate,
    PlateReading,
    Recognition,
    Timings,
    Vehicle,
)
from openplate.errors import ImageError, UnknownModel
from openplate.imaging import DEFAULT_LIMITS, Image, ImageLimits, Source, source_name
from openplate.models import Device, Precision
from openplate.options import DEFAULT_OPTIONS, RecognitionOptions
from openplate.reading import GuidedReader
from openplate.regions import certain
from openplate.search import (
    PLANS,
    ZOOM_REACH,
    Found,
    best_of_each_vehicle,
    look_closer,
    may_hold_more,
    search,
    vehicle_of,
)
from openplate.stages import Stages

_SAME = 0.4  # of both boxes together: what they have in common where both are of one plate
_MOST_CLOSER = 2  # plates of a picture that are looked at from nearer
_WARM_UP_BATCH = 9  # of which sessions make pieces of 8 and 1
_CORNER_ROUNDS: dict[Mode, int] = {"fast": 1, "normal": 2, "redaction": 2}  # a third brings nothing


class Recognizer:
    """Finds and reads the plates of pictures; threads may share one."""

    def __init__(
        self,
        options: RecognitionOptions = DEFAULT_OPTIONS,
        *,
        device: Device = "auto",
        precision: Precision = "auto",
        limits: ImageLimits = DEFAULT_LIMITS,
        workers: int = 1,
    ) -> None:
        """Loads the networks.

        Args:
            options: what to look for.
            device: where the networks run.
            precision: what they compute with.
            limits: on pictures.
            workers: how many threads will call ``recognize`` at the same time.

        Raises:
            ModelError: a network or the device cannot be used.
            RegionError: an unknown code in ``options.regions``.
        """
        certain(options.regions)  # an unknown code is told before the networks are loaded
        self._set_up(Stages.open(device, precision, workers=workers), options, limits)

    @classmethod
    def from_stages(
        cls,
        stages: Stages,
        options: RecognitionOptions = DEFAULT_OPTIONS,
        limits: ImageLimits = DEFAULT_LIMITS,
    ) -> Recognizer:
        """A recognizer of networks that are loaded already: shared with another one, or not those of the package.

        Raises:
            RegionError: an unknown code in ``options.regions``.
        """
        recognizer = cls.__new__(cls)
        recognizer._set_up(stages, options, limits)
        return recognizer

    def _set_up(self, stages: Stages, options: RecognitionOptions, limits: ImageLimits) -> None:
        self.stages, self.options, self.limits = stages, options, limits
        self._guided_reader = GuidedReader(stages, options)
        self._plan = PLANS[options.mode].with_zooms(options.zoom_in_vehicles)
        self._thresholds = self._plan.thresholds(stages.detector, options.threshold_detection)

    def with_options(self, options: RecognitionOptions) -> Recognizer:
        """A recognizer with other options that shares the loaded networks; making one costs next to nothing.

        Raises:
            RegionError: an unknown code in ``options.regions``.
        """
        return Recognizer.from_stages(self.stages, options, self.limits)

    def warm_up(self, width: int, height: int) -> None:
        """Lets the networks get ready for pictures of that size in pixels, so that the first one does not wait for it.

        OpenVINO compiles for each size of input when it first comes, which takes seconds in all; with ONNX Runtime
        there is next to nothing to do.

        Raises:
            ModelError: the runtime failed.
        """
        image, detector = Image(np.zeros((height, width, 3), np.uint8)), self.stages.detector
        search(detector, image, self._plan, self._thresholds)
        if self._plan.zooms:  # nothing in an empty picture is worth one
            square = Image(np.zeros((width, width, 3), np.uint8))
            detector.detect([square], self._thresholds, reach=round(detector.reach * ZOOM_REACH))
        places = [Corners.from_box(Box(0, 0, width, height))] * _WARM_UP_BATCH
        self.refined(image, places)
        self.read_plates(image, places)
        if self.options.attributes and (classifier := self.stages.attribute_classifier) is not None:
            classifier.classify([classifier.crop(image.pixels, Box(0, 0, width, height))] * _WARM_UP_BATCH)

    def recognize(self, images: Sequence[Source], names: Sequence[str] | None = None) -> list[Recognition]:
        """One recognition for each picture, in order; the same picture gives the same however it comes in.

        Args:
            images: paths, bytes of picture files, or RGB arrays.
            names: what to call them in ``Recognition.source``; default: the path, "bytes" or "array".

        Raises:
            ImageError: a picture cannot be used. ``recognize_each`` goes on instead.
        """
        recognitions = []
        for answer in self.recognize_each(images, names):
            if isinstance(answer, ImageError):
                raise answer
            recognitions.append(answer)
        return recognitions

    def recognize_each(
        self, images: Iterable[Source], names: Iterable[str] | None = None
    ) -> Iterator[Recognition | ImageError]:
        """The same one by one as it is asked for; a picture that cannot be used gives its error as a value."""
        if names is None:
            for image in images:
                yield self._recognize(image, source_name(image))
        else:
            for image, name in zip(images, names, strict=True):
                yield self._recognize(image, name)

    def _recognize(self, source: Source, name: str) -> Recognition | ImageError:
        start = perf_counter()
        try:
            image = Image.from_source(source, self.limits)
        except ImageError as error:
            return error
        decoded = perf_counter()
        found = search(self.stages.detector, image, self._plan, self._thresholds)
        found = replace(found, plates=self.refine(image, found.plates))
        detected = perf_counter()
        plates = self._plates(image, found)
        vehicles, more_names = self._vehicles(image, found)
        read = perf_counter()
        return Recognition(
            source=name,
            width=image.width,
            height=image.height,
            plates=plates,
            vehicles=vehicles,
            timings=Timings(
                decode_ms=1e3 * (decoded - start),
                detect_ms=1e3 * (detected - decoded),
                read_ms=1e3 * (read - detected),
                total_ms=1e3 * (read - start),
            ),
            model_names=(*self.stages.names, *more_names),
        )

    def _vehicles(self, image: Image, found: Found) -> tuple[tuple[Vehicle, ...], tuple[str, ...]]:
        """The vehicles, with their attributes where they are asked for, and the name of the network for these."""
        if not self.options.attributes:
            return tuple(Vehicle(vehicle) for vehicle in found.vehicles), ()
        classifier = self.stages.attribute_classifier
        if classifier is None:
            raise UnknownModel("attributes are asked for, but there is no network 'attributes' beside the others")
        crops = [classifier.crop(image.pixels, vehicle.box) for vehicle in found.vehicles]
        pairs = zip(found.vehicles, classifier.classify(crops), strict=True)
        return tuple(Vehicle(vehicle, attributes) for vehicle, attributes in pairs), (classifier.name,)

    def refine(self, image: Image, plates: Sequence[Detection]) -> tuple[Detection, ...]:
        """The plates with their corners found again from close up; their boxes stay.

        From the box around a plate the corners come out better than from those of the detector.
        """
        corners = self.refined(image, [Corners.from_box(plate.box) for plate in plates])
        return tuple(replace(plate, corners=found) for plate, found in zip(plates, corners, strict=True))

    def refined(self, image: Image, corners: Sequence[Corners]) -> list[Corners]:
        """Where plates are that are known to be about there."""
        return self.stages.corner_refiner.refine(image.pixels, corners, _CORNER_ROUNDS[self.options.mode])

    def read_plates(
        self, image: Image, corners: Sequence[Corners], boxes: Sequence[Box] | None = None
    ) -> list[PlateReading | None]:
        """What the plates at those places of a picture say, with their regions; see ``GuidedReader.read``."""
        return self._guided_reader.read(image.pixels, corners, boxes)

    def _plates(self, image: Image, found: Found) -> tuple[Plate, ...]:
        places = [(plate, vehicle_of(plate, found.vehicles)) for plate in found.plates]
        if self.options.vehicle_required:
            places = [(plate, vehicle) for plate, vehicle in places if vehicle is not None]
        corners, boxes = [_corners(plate) for plate, _ in places], [plate.box for plate, _ in places]
        readings = self.read_plates(image, corners, boxes)
        if self.options.mode == "normal" and self._plan.zooms:  # to cover too much is no fault of redaction
            self._read_closer(image, places, readings)
        plates = []
        for (plate, vehicle), reading in zip(places, readings, strict=True):
            if reading is None and self._guided_reader.is_strict:
                continue
            plates.append(Plate(plate, reading if self._is_read(reading) else None, vehicle))
        return best_of_each_vehicle(plates, self.options.plates_per_vehicle)

    def _read_closer(
        self, image: Image, places: list[tuple[Detection, int | None]], readings: list[PlateReading | None]
    ) -> None:
        """Where nothing could be read, the box may be wrong: another one, and its reading, take their places."""
        unread = [i for i, each in enumerate(readings) if not self._is_read(each) and may_hold_more(places[i][0].box)]
        for i in unread[:_MOST_CLOSER]:
            plate, vehicle = places[i]
            closer = look_closer(self.stages.detector, image, plate, self._thresholds)
            if closer is None or any(closer.box.iou(other.box) > _SAME for other, _ in places):
                continue
            (closer,) = self.refine(image, [closer])
            (reading,) = self.read_plates(image, [_corners(closer)], [closer.box])
            if self._is_read(reading):
                places[i], readings[i] = (closer, vehicle), reading

    def _is_read(self, reading: PlateReading | None) -> bool:
        return reading is not None and reading.confidence >= self.options.threshold_reading


def _corners(plate: Detection) -> Corners:
    return Corners.from_box(plate.box) if plate.corners is None else plate.corners
