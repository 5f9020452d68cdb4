"""The pipeline for stills, end to end on painted streets: pictures in, values out."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from openplate import RecognitionOptions, Recognizer
from openplate.datatypes import Box, Corners, Mode, Plate, Recognition, Timings
from openplate.errors import ImageError, ImageTooLarge, RegionError, UndecodableImage
from openplate.imaging import Image, ImageLimits, encode_jpeg, encode_png
from stand_ins import Network, RawAnswers, make_detector, make_stages, paint_street, patches, see_painted

TEXTS = ("ABC1234", "XYZ9876", "XX99", "", "ABC1234567")
LOOKS = ({"br": 0.9, "ar": 0.08, "cl": 0.02},) * len(TEXTS)
NO_LOOKS = ({"zz": 1.0},) * len(TEXTS)
"""Of no region of the table, so that no format guides the text."""
USUAL_LIMITS = ImageLimits()


def make_recognizer(
    texts: tuple[str, ...] = TEXTS,
    looks: tuple[dict[str, float], ...] = LOOKS,
    *,
    confidence: float = 0.999,
    doubts: dict[str, str] | None = None,
    limits: ImageLimits = USUAL_LIMITS,
    **options: Any,
) -> Recognizer:
    """A recognizer of painted streets that reads plate number n as ``texts[n]`` and sees ``looks[n]`` in it."""
    stages = make_stages(texts, looks, confidence, doubts)
    return Recognizer.from_stages(stages, RecognitionOptions(**options), limits)


CAR, PLATE = Box(300, 200, 900, 650), Box(550, 500, 650, 530)


def street(*numbers: int) -> NDArray[np.uint8]:
    """A street with a plate for each number, beside each other, each on a car of its own."""
    moves = [420 * place - 200 for place in range(len(numbers))]
    cars = [Box(300, 200, 660, 500).shift(move, 0) for move in moves]
    plates = [(Box(430, 400, 530, 430).shift(move, 0), number) for move, number in zip(moves, numbers, strict=True)]
    return paint_street(1280, 720, cars, plates)


def only(recognitions: list[Recognition]) -> Recognition:
    (recognition,) = recognitions
    return recognition


def read_texts(recognition: Recognition) -> list[str | None]:
    """The texts from left to right."""
    plates = sorted(recognition.plates, key=lambda plate: plate.detection.box.x1)
    return [plate.reading.text if plate.reading else None for plate in plates]


def timeless(recognition: Recognition) -> Recognition:
    """Without what differs from run to run and from name to name."""
    return replace(recognition, timings=Timings(), source="")


# --- values in, values out ------------------------------------------------------------------------------------


def test_a_street_becomes_a_recognition() -> None:
    recognition = only(make_recognizer().recognize([paint_street(1280, 720, [CAR], [(PLATE, 0)])]))
    assert (recognition.source, recognition.width, recognition.height) == ("array", 1280, 720)
    assert recognition.model_names == ("stand-in 1",) * 4
    assert recognition.captured_at is None
    (plate,), (vehicle,) = recognition.plates, recognition.vehicles
    assert vehicle.detection.box.as_tuple() == pytest.approx(CAR.as_tuple(), abs=2.5)
    assert vehicle.detection.label == "car"
    assert plate.detection.box.as_tuple() == pytest.approx(PLATE.as_tuple(), abs=2.5)
    assert plate.detection.corners is not None
    assert plate.detection.corners.box.as_tuple() == pytest.approx(PLATE.as_tuple(), abs=2.5)
    assert plate.detection.confidence == pytest.approx(0.95, abs=1e-3)
    assert plate.vehicle_index == 0
    reading = plate.reading
    assert reading is not None
    assert reading.text == "ABC1234"
    assert 0.999**7 < reading.confidence <= 1  # the form of the text speaks for it
    assert [guess.value for guess in reading.characters] == list("ABC1234")
    assert reading.candidates[0].text == "ABC1234"
    assert reading.candidates[0].matches_pattern
    assert reading.regions[0].value == "br"


def test_timings_add_up() -> None:
    timings = only(make_recognizer().recognize([encode_jpeg(Image(street(0)))])).timings
    parts = (timings.decode_ms, timings.detect_ms, timings.read_ms)
    assert all(part >= 0 for part in parts)
    assert timings.total_ms == pytest.approx(sum(parts))
    assert 0 < timings.total_ms < 60_000


def test_each_plate_has_its_text_and_its_vehicle() -> None:
    pixels = street(0, 1, 2)
    pixels[600:630, 1100:1200] = (230, 24, 20)  # plate number 1 on no vehicle
    recognition = only(make_recognizer(threshold_reading=0.0).recognize([pixels]))
    assert sorted(read_texts(recognition)) == ["ABC1234", "XX99", "XYZ9876", "XYZ9876"]
    for plate in recognition.plates:
        if plate.detection.box.y1 > 550:
            assert plate.vehicle_index is None
        else:
            assert plate.vehicle_index is not None
            holder = recognition.vehicles[plate.vehicle_index].detection.box
            assert plate.detection.box.intersect(holder) == plate.detection.box


@pytest.mark.parametrize("size", [(1, 1), (1, 5000), (3000, 2), (32, 32)])
def test_a_picture_without_anything_is_an_empty_recognition(size: tuple[int, int]) -> None:
    recognition = only(make_recognizer().recognize([paint_street(*size)]))
    assert (recognition.width, recognition.height) == size
    assert (recognition.plates, recognition.vehicles) == ((), ())


def test_no_pictures_no_recognitions() -> None:
    assert make_recognizer().recognize([]) == []


# --- however a picture comes in ----------------------------------------------------------------------------------


def test_the_same_picture_gives_the_same_however_it_comes_in(tmp_path: Path) -> None:
    pixels = street(0, 1)
    png = encode_png(Image(pixels))
    path = tmp_path / "street.png"
    path.write_bytes(png)
    with_alpha = np.dstack([pixels, np.full(pixels.shape[:2], 255, np.uint8)])
    recognitions = make_recognizer().recognize(
        [path, str(path), png, bytearray(png), memoryview(png), pixels, np.asfortranarray(pixels), with_alpha]
    )
    sources = [recognition.source for recognition in recognitions]
    assert sources == [str(path), str(path), "bytes", "bytes", "bytes", "array", "array", "array"]
    assert read_texts(recognitions[0]) == ["ABC1234", "XYZ9876"]
    assert {timeless(recognition) for recognition in recognitions} == {timeless(recognitions[0])}


def test_a_jpeg_gives_the_same_from_its_path_its_bytes_and_its_pixels(tmp_path: Path) -> None:
    jpeg = encode_jpeg(Image(street(0)))
    path = tmp_path / "picture.of.no.type"
    path.write_bytes(jpeg)
    recognitions = make_recognizer().recognize([path, jpeg, Image.from_bytes(jpeg).pixels])
    assert read_texts(recognitions[0]) == ["ABC1234"]
    assert {timeless(recognition) for recognition in recognitions} == {timeless(recognitions[0])}


def test_pictures_can_be_given_names() -> None:
    recognitions = make_recognizer().recognize([street(0), street(1)], names=["left", "right"])
    assert [recognition.source for recognition in recognitions] == ["left", "right"]
    with pytest.raises(ValueError, match="shorter"):
        make_recognizer().recognize([street(0), street(1)], names=["left"])


# --- pictures that cannot be used ------------------------------------------------------------------------------


def test_failures_are_values_in_their_place(tmp_path: Path) -> None:
    limits = ImageLimits(max_pixels=1280 * 720)
    given: list[Any] = [
        street(0),
        b"no picture",
        tmp_path / "nowhere.jpg",
        tmp_path,
        np.zeros((4, 4, 3), np.float32),
        encode_png(Image(np.zeros((721, 1280, 3), np.uint8))),
        b"",
        street(1),
    ]
    answers = list(make_recognizer(limits=limits).recognize_each(given))
    kinds = [type(answer) for answer in answers]
    assert kinds == [
        Recognition,
        UndecodableImage,
        ImageError,
        ImageError,
        ImageError,
        ImageTooLarge,
        UndecodableImage,
        Recognition,
    ]
    assert str(tmp_path / "nowhere.jpg") in str(answers[2])
    assert [read_texts(a) for a in answers if isinstance(a, Recognition)] == [["ABC1234"], ["XYZ9876"]]


def test_recognize_raises_the_first_failure() -> None:
    with pytest.raises(UndecodableImage):
        make_recognizer().recognize([street(0), b"no picture", street(1)])


def test_pictures_are_taken_as_answers_are_asked_for() -> None:
    taken: list[int] = []

    def pictures() -> Iterator[NDArray[np.uint8]]:
        for number in range(3):
            taken.append(number)
            yield street(number)

    answers = make_recognizer().recognize_each(pictures())
    assert taken == []
    next(answers)
    assert taken == [0]
    next(answers)
    assert taken == [0, 1]


# --- reading or not -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("threshold", "expected"), [(0.0, "ABC1234"), (0.45, "ABC1234"), (0.6, None), (1.0, None)])
def test_below_the_threshold_a_plate_is_found_but_not_readable(threshold: float, expected: str | None) -> None:
    recognizer = make_recognizer(looks=NO_LOOKS, confidence=0.9, threshold_reading=threshold)  # 0.9 ** 7 = 0.48
    recognition = only(recognizer.recognize([street(0)]))
    assert read_texts(recognition) == [expected]
    assert len(recognition.plates) == 1
    assert recognition.plates[0].vehicle_index == 0


def test_a_plate_without_characters_is_found_but_not_readable() -> None:
    assert read_texts(only(make_recognizer(threshold_reading=0.0).recognize([street(3)]))) == [None]


@pytest.mark.parametrize("top_n", [1, 2, 7])
def test_candidates_are_as_many_as_asked_for(top_n: int) -> None:
    doubts = {"0": "D", "1": "T", "2": "Q", "3": "J"}
    recognizer = make_recognizer(("0123",), ({"br": 1.0},), confidence=0.7, doubts=doubts, top_n=top_n)
    (plate,) = only(recognizer.recognize([street(0)])).plates
    assert plate.reading is not None
    candidates = plate.reading.candidates
    assert len(candidates) == top_n
    assert (candidates[0].text, candidates[0].confidence) == (plate.reading.text, plate.reading.confidence)


# --- regions --------------------------------------------------------------------------------------------------


def reading_of(plate: Plate) -> tuple[str, bool, float]:
    assert plate.reading is not None
    best = plate.reading.candidates[0]
    return best.text, best.matches_pattern, best.confidence


def test_the_format_of_a_named_region_settles_a_doubt() -> None:
    options: dict[str, Any] = {"confidence": 0.6, "doubts": {"O": "0"}, "threshold_reading": 0.0}
    (plain,) = only(make_recognizer(("ABC12O4",), NO_LOOKS, **options).recognize([street(0)])).plates
    guided_recognizer = make_recognizer(("ABC12O4",), NO_LOOKS, regions=("br",), **options)
    (guided,) = only(guided_recognizer.recognize([street(0)])).plates
    assert reading_of(plain)[:2] == ("ABC12O4", False)
    assert reading_of(guided)[:2] == ("ABC1204", True)


def test_a_sure_look_of_a_region_settles_a_doubt() -> None:
    for share, expected in ((0.9, "ABC1204"), (0.3, "ABC12O4")):
        looks = ({"br": share, "zz": 1 - share},)
        recognizer = make_recognizer(("ABC12O4",), looks, confidence=0.9, doubts={"O": "0"}, threshold_reading=0.0)
        assert read_texts(only(recognizer.recognize([street(0)]))) == [expected]


def test_a_look_that_is_no_code_of_the_table_guides_nothing() -> None:
    """A plate that the network took for one of Puerto Rico ("us-pr") ended with "there is no region"."""
    recognition = only(make_recognizer(looks=({"us-pr": 0.97, "br": 0.03},) * 5).recognize([street(0)]))
    assert read_texts(recognition) == ["ABC1234"]
    assert recognition.plates[0].reading is not None
    assert recognition.plates[0].reading.regions[0].value == "us-pr"


def test_strict_keeps_only_exact_matches() -> None:
    pixels = street(0, 2, 3)
    lenient = only(make_recognizer(regions=("br",)).recognize([pixels]))
    strict = only(make_recognizer(regions=("br",), strict=True).recognize([pixels]))
    assert read_texts(lenient) == ["ABC1234", "XX99", None]
    assert sorted(reading_of(p)[:2] for p in lenient.plates if p.reading) == [("ABC1234", True), ("XX99", False)]
    assert read_texts(strict) == ["ABC1234"]
    assert len(strict.vehicles) == 3
    assert strict.plates[0].vehicle_index is not None


def test_strict_without_regions_keeps_everything() -> None:
    assert read_texts(only(make_recognizer(strict=True).recognize([street(0, 2)]))) == ["ABC1234", "XX99"]


def test_regions_come_best_first_and_not_too_many() -> None:
    looks = (dict.fromkeys(("ar", "br", "cl", "de", "es", "fr", "it", "pl", "pt", "ro"), 0.1),)
    (plate,) = only(make_recognizer(("ABC1234",), looks).recognize([street(0)])).plates
    assert plate.reading is not None
    confidences = [guess.confidence for guess in plate.reading.regions]
    assert len(confidences) == 5
    assert confidences == sorted(confidences, reverse=True)
    assert "br" in [guess.value for guess in plate.reading.regions]  # the text has its form


# --- modes and thresholds -------------------------------------------------------------------------------------

FAR = ([Box(100, 200, 300, 350)], [(Box(188, 310, 212, 318), 0)])


@pytest.mark.parametrize(("mode", "expected"), [("fast", []), ("normal", ["ABC1234"]), ("redaction", ["ABC1234"])])
def test_a_plate_far_away_is_read_by_a_second_look(mode: Mode, expected: list[str]) -> None:
    assert read_texts(only(make_recognizer(mode=mode).recognize([paint_street(1280, 720, *FAR)]))) == expected


@pytest.mark.parametrize(("mode", "runs"), [("fast", 1), ("normal", 2), ("redaction", 2)])
def test_the_fast_mode_looks_once_at_a_doubtful_plate(mode: Mode, runs: int) -> None:
    recognizer = make_recognizer(("AB12",), ({"br": 0.7, "ar": 0.3},), confidence=0.95, mode=mode)
    assert read_texts(only(recognizer.recognize([street(0)]))) == ["AB12"]
    reader, regions = recognizer.stages.reader, recognizer.stages.region_classifier
    assert [len(network._session.batches) for network in (reader, regions)] == [runs, runs]  # type: ignore[attr-defined]


@pytest.mark.parametrize("mode", ["fast", "normal", "redaction"])
@pytest.mark.parametrize(("threshold", "count"), [(0.5, 1), (0.96, 0)])
def test_plates_below_the_asked_threshold_are_not_found(mode: Mode, threshold: float, count: int) -> None:
    recognition = only(make_recognizer(mode=mode, threshold_detection=threshold).recognize([street(0)]))
    assert len(recognition.plates) == count


# --- options --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"mode": "quick"}, "no mode 'quick'; the modes are fast, normal, redaction"),
        ({"threshold_detection": 1.5}, "threshold_detection must lie between 0 and 1, not 1.5"),
        ({"threshold_reading": -0.1}, "threshold_reading must lie between 0 and 1, not -0.1"),
        ({"threshold_reading": float("nan")}, "threshold_reading must lie between 0 and 1, not nan"),
        ({"top_n": 0}, "top_n must be 1 or more, not 0"),
    ],
)
def test_wrong_options_are_named(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}"):
        RecognitionOptions(**options)


def test_an_unknown_region_is_told_before_anything_is_loaded() -> None:
    with pytest.raises(RegionError, match="'xx'"):
        Recognizer(RecognitionOptions(regions=("br", "xx")))
    with pytest.raises(RegionError, match="'xx'"):
        make_recognizer(regions=("xx",))


def test_threads_may_share_a_recognizer() -> None:
    recognizer = make_recognizer()
    pictures = [street(0), street(1), street(0, 1), street(1, 0)]
    expected = [timeless(only(recognizer.recognize([picture]))) for picture in pictures]
    answers: list[list[Recognition]] = [[] for _ in pictures]

    def work(place: int) -> None:
        answers[place] = recognizer.recognize([pictures[place]] * 5)

    threads = [threading.Thread(target=work, args=(place,)) for place in range(len(pictures))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for given, wanted in zip(answers, expected, strict=True):
        assert [timeless(recognition) for recognition in given] == [wanted] * 5


# --- plates that were seen from afar --------------------------------------------------------------------------

SCOOTER, STRIP = Box(130, 230, 330, 620), Box(232, 440, 288, 456)


def see_too_much_from_afar(pictures: NDArray[np.uint8], *, also_right: bool = False) -> tuple[NDArray[Any], ...]:
    """A plate that is less than 60 pixels wide on the canvas is seen with all that is below it."""
    _, vehicles = see_painted(pictures)
    raw = RawAnswers(pictures.shape[2], pictures.shape[1])
    red, blue = pictures[0, :, :, 0], pictures[0, :, :, 2]
    for box in patches((red > 150) & (blue < 90)):
        is_far = box.width < 60
        if is_far:
            around = Box(box.x1 - 2, box.y1 - 2, box.x2 + 2, min(box.y2 + 3 * box.height, raw.height))
            raw.add_plate(Corners.from_box(around), 0.55)
        if also_right or not is_far:
            raw.add_plate(Corners.from_box(box), 0.5)
    return raw.as_outputs()[0], vehicles


def scooter_recognizer(network: Network = see_too_much_from_afar, **options: Any) -> Recognizer:
    """Reads the strip; where a box has its middle on the scooter, nothing."""
    stages = make_stages(("KL31K3137", ""), ({"in": 0.9},) * 2)
    detector, _ = make_detector(network)
    return Recognizer.from_stages(replace(stages, detector=detector), RecognitionOptions(**options))


def scooters(count: int = 1) -> NDArray[np.uint8]:
    moves = [360 * i for i in range(count)]
    return paint_street(
        352 * count,
        640,
        [SCOOTER.shift(move, 0) for move in moves],
        [(STRIP.shift(move, 0), 0) for move in moves],
    )


def test_a_plate_whose_box_was_too_large_from_afar_is_read_from_nearer() -> None:
    """The one-line plate of a scooter was found with half of its front, and never read."""
    (plate,) = only(scooter_recognizer().recognize([scooters()])).plates
    assert plate.reading is not None
    assert (plate.reading.text, plate.vehicle_index) == ("KL31K3137", 0)
    assert plate.detection.box.as_tuple() == pytest.approx(STRIP.as_tuple(), abs=2)
    assert plate.detection.corners is not None


@pytest.mark.parametrize("options", [{"mode": "fast"}, {"mode": "redaction"}, {"zoom_in_vehicles": 0}])
def test_who_wants_no_second_look_gets_none(options: dict[str, Any]) -> None:
    plates = only(scooter_recognizer(**options).recognize([scooters()])).plates
    assert any(plate.detection.box.height > 2 * STRIP.height and plate.reading is None for plate in plates)


def test_of_many_plates_without_a_text_few_are_looked_at_from_nearer() -> None:
    recognition = only(scooter_recognizer().recognize([scooters(4)]))
    assert sorted(plate.reading is not None for plate in recognition.plates) == [False, False, True, True]


def test_a_plate_that_is_there_already_is_not_told_twice() -> None:
    network = partial(see_too_much_from_afar, also_right=True)
    recognition = only(scooter_recognizer(network).recognize([scooters()]))
    assert [text for text in read_texts(recognition) if text] == ["KL31K3137"]
