"""Networks: cards, the catalog of verified files, sessions on every runtime that the gate installs.

The networks here are drawn in the test: output "scaled" is the input times a factor, "means" its mean over
height and width.
"""

from __future__ import annotations

import dataclasses
import logging
import os
import subprocess
import sys
import threading
import tomllib
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from onnx import TensorProto, helper

from openplate.errors import (
    ChecksumMismatch,
    DeviceUnavailable,
    InferenceFailed,
    ModelError,
    ModelLoadFailed,
    UnknownModel,
)
from openplate.models import DEVICES, Device, catalog
from openplate.models.card import CARD_FILE, DataSource, InputDescription, ModelCard, WeightFile
from openplate.models.session import available_devices, find_place
from openplate.models.tables import toml_lines

ON_EVERY_RUNTIME = pytest.mark.parametrize("device", ["cpu", "openvino"])
NO_FILE = WeightFile("model.onnx", "0" * 64, 1)
Pixels = NDArray[np.uint8]


def make_card(**changes: Any) -> ModelCard:
    values: dict[str, Any] = {
        "name": "tiny",
        "version": "1.2",
        "task": "detection",
        "summary": "Plates and vehicles.",
        "licence": "Apache-2.0",
        "origin": "trained from random weights",
        "command": "runs/tiny.sh",
        "commit": "0123abc",
        "date": date(2026, 11, 21),
        "outputs": ("means", "scaled"),
        "files": {"float": NO_FILE},
        "runtime": {"onnxruntime": "float", "openvino": "float"},
        "input": InputDescription(64, 32),
        "labels": ("car", "plate"),
        "parameters": {"threshold": 0.35, "temperature": 1.5},
        "measured": {"plates found, scenes val": 0.97, "AP50": 0.71},
        "limits": ('Plates under 12 pixels are "guessed".', "Not for motorcycles\tseen from above \\ below."),
        "trained_on": (DataSource("scenes", "CC BY 4.0"), DataSource("drawn plates", "ours")),
    }
    return ModelCard(**(values | changes))


def write_network(path: Path, factor: float = 2.0, pixels: str = "uint8", size: Any = ("h", "w")) -> None:
    kind = {"float32": TensorProto.FLOAT, "uint8": TensorProto.UINT8}[pixels]
    nodes = [
        helper.make_node("Cast", ["picture"], ["number"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["number", "factor"], ["scaled"]),
        helper.make_node("ReduceMean", ["number"], ["means"], axes=[1, 2], keepdims=0),
    ]
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("picture", kind, ["n", *size, 3])],
        [
            helper.make_tensor_value_info("scaled", TensorProto.FLOAT, ["n", *size, 3]),
            helper.make_tensor_value_info("means", TensorProto.FLOAT, ["n", 3]),
        ],
        [helper.make_tensor("factor", TensorProto.FLOAT, [1], [factor])],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)


def make_network(root: Path, pixels: str = "uint8", size: Any = ("h", "w"), **changes: Any) -> ModelCard:
    """A folder ``tiny`` in ``root``: the float file doubles its input, the int8 file makes it three times."""
    folder = root / "tiny"
    folder.mkdir()
    write_network(folder / "model.onnx", 2.0, pixels, size)
    write_network(folder / "model.int8.onnx", 3.0, pixels, size)
    files = {
        "float": WeightFile.from_path(folder / "model.onnx"),
        "int8": WeightFile.from_path(folder / "model.int8.onnx"),
    }
    return make_card(**({"files": files} | changes)).save(folder)


def make_pictures(count: int = 1, height: int = 8, width: int = 12, seed: int = 0) -> Pixels:
    return np.random.default_rng(seed).integers(0, 256, (count, height, width, 3), dtype=np.uint8)


# --- cards --------------------------------------------------------------------------------------------------


def test_a_card_comes_back_equal(tmp_path: Path) -> None:
    (tmp_path / "tiny").mkdir()
    loaded = make_card().save(tmp_path / "tiny")
    assert loaded == make_card()
    assert loaded.folder == tmp_path / "tiny"
    assert hash(loaded) == hash(make_card())


def test_a_reading_card_has_an_alphabet_in_place_of_labels() -> None:
    card = make_card(task="reading", labels=(), alphabet="0123456789ABC")
    assert ModelCard.from_toml(card.to_toml()) == card


HEADS = {"type": ("sedan", "big truck"), "model": ("SEAT|Leon", "SEAT|", "Citroën|ë-C4")}


def make_attributes_card(**changes: Any) -> ModelCard:
    return make_card(**({"task": "attributes", "labels": (), "outputs": ("type", "model"), "heads": HEADS} | changes))


def test_an_attributes_card_has_the_labels_of_each_head() -> None:
    card = ModelCard.from_toml(make_attributes_card().to_toml())
    assert card == make_attributes_card()
    assert dict(card.heads) == HEADS
    assert hash(card) == hash(make_attributes_card())


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"heads": {}}, "the key 'heads' is missing"),
        ({"heads": {"type": ("sedan", "bus")}}, "the key 'heads.model' is missing"),
        ({"outputs": ("type",)}, "unknown key 'heads.model'"),
        ({"heads": HEADS | {"type": ("sedan",)}}, "'heads.type' must be a list of at least 2"),
        ({"heads": HEADS | {"type": ("sedan", "sedan")}}, "'heads.type' must be without repetitions"),
        ({"heads": HEADS | {"type": ("sedan", " ")}}, "'heads.type' must be a list of texts"),
        ({"heads": HEADS | {"type": "sedan"}}, "'heads.type' must be a list of texts"),
        ({"labels": ("car", "plate")}, "unknown key 'labels'"),
        ({"task": "region", "labels": ("cz",)}, "unknown key 'heads'"),
    ],
)
def test_heads_that_do_not_fit_are_named(changes: dict[str, Any], expected: str) -> None:
    with pytest.raises(ModelLoadFailed, match=f"^weights/card.toml: {expected}"):
        ModelCard.from_toml(make_attributes_card(**changes).to_toml(), "weights/card.toml")


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(str.strip)
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)


@given(
    texts=st.tuples(TEXTS, TEXTS),
    lists=st.tuples(*[st.lists(TEXTS, min_size=1, unique=True).map(tuple)] * 3),
    numbers=st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), NUMBERS),
    day=st.dates(),
)
def test_any_card_comes_back_equal(
    texts: tuple[str, str], lists: tuple[tuple[str, ...], ...], numbers: dict[str, float], day: date
) -> None:
    card = make_card(
        summary=texts[0],
        origin=texts[1],
        outputs=lists[0],
        labels=lists[1],
        limits=lists[2],
        parameters=numbers,
        date=day,
        trained_on=(),
    )
    assert ModelCard.from_toml(card.to_toml()) == card


def key_paths(tree: Mapping[str, Any], above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for key, value in tree.items():
        yield (*above, key)
        if isinstance(value, dict) and key not in ("parameters", "measured"):
            yield from key_paths(value, (*above, key))


@pytest.mark.parametrize("path", [*key_paths(tomllib.loads(make_card().to_toml()))], ids=".".join)
def test_each_missing_key_is_named_with_its_file(path: tuple[str, ...]) -> None:
    tree = tomllib.loads(make_card().to_toml())
    table = tree
    for key in path[:-1]:
        table = table[key]
    del table[path[-1]]
    with pytest.raises(ModelLoadFailed, match=f"^weights/card.toml: the key '{'.'.join(path)}' is missing"):
        ModelCard.from_toml("\n".join(toml_lines(tree)), "weights/card.toml")


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ((), "unknown key 'colour'"),
        (("input",), "unknown key 'input.colour'"),
        (("files",), "unknown key 'files.colour'"),
        (("files", "float"), "unknown key 'files.float.colour'"),
        (("runtime",), "unknown key 'runtime.colour'"),
    ],
)
def test_unknown_keys_are_refused_in_every_table(path: tuple[str, ...], expected: str) -> None:
    tree = tomllib.loads(make_card().to_toml())
    table = tree
    for key in path:
        table = table[key]
    table["colour"] = 1
    with pytest.raises(ModelLoadFailed, match=expected):
        ModelCard.from_toml("\n".join(toml_lines(tree)))


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("width = 64", "widht = 64", "'input.width' is missing; there is 'input.widht'"),
        ("width = 64", "width = 64\nwidht = 64", "unknown key 'input.widht'; did you mean 'input.width'?"),
        ("width = 64", "width = 0", "'input.width' must be a whole number from 1, not 0"),
        ("width = 64", "width = true", "'input.width' must be a whole number"),
        ("width = 64", "width = 64.0", "'input.width' must be a whole number"),
        ("channels = 3", "channels = 2", "'input.channels' must be one of 1, 3, not 2"),
        ("channels = 3", "channels = 3.0", "'input.channels' must be one of 1, 3, not 3.0"),
        ("channels = 3", 'channels = 3\ntype = "float32"', "unknown key 'input.type'"),
        (
            'task = "detection"',
            'task = "tracking"',
            "'task' must be one of 'detection', 'corners', 'reading', 'region'",
        ),
        ('task = "detection"', 'task = "reading"', "'alphabet' is missing"),
        ('name = "tiny"', 'name = "../tiny"', "'name' must be a lower-case word"),
        ('summary = "Plates and vehicles."', 'summary = " "', "'summary' must be a text that is not empty"),
        ('summary = "Plates and vehicles."', "summary = 3", "'summary' must be a text that is not empty"),
        ("date = 2026-11-21", 'date = "2026-11-21"', "'date' must be a date"),
        ("date = 2026-11-21", "date = 2026-11-21T10:00:00", "'date' must be a date"),
        ('labels = ["car", "plate"]', "labels = []", "'labels' must be a list of at least 1"),
        ('labels = ["car", "plate"]', 'labels = ["car", "car"]', "'labels' must be without repetitions"),
        ('labels = ["car", "plate"]', 'labels = ["car", 3]', "'labels' must be a list of texts"),
        ('openvino = "float"', 'openvino = "int8"', "'runtime.openvino' must be one of 'float', not 'int8'"),
        ('file = "model.onnx"', 'file = "../model.onnx"', "'files.float.file' must be the name of an .onnx"),
        (f'"{"0" * 64}"', f'"{"0" * 63}"', "'files.float.sha256' must be 64 lower-case hexadecimal digits"),
        ("threshold = 0.35", 'threshold = "high"', "'parameters.threshold' must be a finite number"),
        ("threshold = 0.35", "threshold = inf", "'parameters.threshold' must be a finite number"),
        ("threshold = 0.35", "threshold = nan", "'parameters.threshold' must be a finite number"),
        ("threshold = 0.35", f"threshold = 1{'0' * 400}", "'parameters.threshold' must be a finite number"),
        ("AP50 = 0.71", "AP50 = false", "'measured.AP50' must be a finite number"),
        ('[[trained_on]]\nname = "scenes"', "[[trained_on]]", "'trained_on.name' is missing"),
        ("[input]", "[input", "is not TOML"),
    ],
)
def test_wrong_values_are_named(old: str, new: str, expected: str) -> None:
    text = make_card().to_toml()
    assert text.count(old) == 1
    with pytest.raises(ModelLoadFailed) as failure:
        ModelCard.from_toml(text.replace(old, new), "weights/card.toml")
    assert expected in str(failure.value)
    assert str(failure.value).startswith("weights/card.toml")


def test_a_card_that_is_not_valid_is_never_written(tmp_path: Path) -> None:
    with pytest.raises(ModelLoadFailed, match=r"parameters\.threshold"):
        make_card(parameters={"threshold": float("nan")}).save(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_numbers_of_numpy_are_written_as_numbers() -> None:
    card = make_card(measured={"AP50": np.float64(0.5)})
    assert ModelCard.from_toml(card.to_toml()).measured == {"AP50": 0.5}


def test_a_card_must_lie_in_the_folder_of_its_name(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    with pytest.raises(ModelLoadFailed, match="name is 'tiny', but its folder is 'other'"):
        make_card().save(tmp_path / "other")


def test_a_missing_or_binary_card_is_an_error_of_its_own(tmp_path: Path) -> None:
    with pytest.raises(ModelLoadFailed, match=r"card\.toml cannot be read .*install Openplate again"):
        ModelCard.load(tmp_path)
    (tmp_path / CARD_FILE).write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ModelLoadFailed, match="not text in UTF-8"):
        ModelCard.load(tmp_path)


def test_a_parameter_that_is_missing_is_named_with_its_file(tmp_path: Path) -> None:
    card = make_network(tmp_path)
    assert card.parameter("temperature") == 1.5
    with pytest.raises(ModelLoadFailed, match=r"tiny.card\.toml: the key 'parameters\.bias' is missing"):
        card.parameter("bias")


# --- the catalog --------------------------------------------------------------------------------------------


def test_the_networks_are_the_folders_with_cards_or_weights(tmp_path: Path) -> None:
    make_network(tmp_path)
    (tmp_path / "notes").mkdir()
    (tmp_path / "lost").mkdir()
    (tmp_path / "lost" / "model.onnx").touch()
    assert catalog.names(tmp_path) == ("lost", "tiny")
    assert catalog.card("tiny", tmp_path).summary == "Plates and vehicles."
    with pytest.raises(ModelLoadFailed, match="lost"):
        catalog.card("lost", tmp_path)


@pytest.mark.parametrize("name", ["tinny", "", "..", "../tiny", "tiny/"])
def test_an_unknown_name_lists_the_known_ones(tmp_path: Path, name: str) -> None:
    make_network(tmp_path)
    with pytest.raises(UnknownModel, match="there are: tiny"):
        catalog.card(name, tmp_path)


def test_a_folder_without_networks_says_so(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "nowhere"):
        assert catalog.names(folder) == ()
        with pytest.raises(UnknownModel, match="there are none: install Openplate again"):
            catalog.open_session("detector", folder=folder)


@pytest.mark.parametrize("name", catalog.names())
def test_each_network_of_the_package_opens(name: str) -> None:
    card = catalog.card(name)
    for precision in card.files:
        assert catalog.verified_file(card, precision).is_file()
    assert catalog.open_session(name).card == card


def damage_nothing_but_one_bit(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def empty(path: Path) -> None:
    path.write_bytes(b"")


@pytest.mark.parametrize("damage", [damage_nothing_but_one_bit, truncate, empty])
@ON_EVERY_RUNTIME
def test_a_tampered_file_is_refused(tmp_path: Path, device: Device, damage: Callable[[Path], None]) -> None:
    card = make_network(tmp_path)
    damage(tmp_path / "tiny" / "model.onnx")
    with pytest.raises(ChecksumMismatch) as failure:
        catalog.open_session("tiny", device, folder=tmp_path)
    message = str(failure.value)
    assert str(tmp_path / "tiny" / "model.onnx") in message
    assert card.files["float"].sha256 in message
    assert WeightFile.from_path(tmp_path / "tiny" / "model.onnx").sha256 in message
    assert "install Openplate again" in message


def test_a_missing_file_says_what_to_do(tmp_path: Path) -> None:
    make_network(tmp_path)
    (tmp_path / "tiny" / "model.onnx").unlink()
    with pytest.raises(ModelLoadFailed, match=r"model\.onnx.*cannot be read.*install Openplate again"):
        catalog.open_session("tiny", folder=tmp_path)


def test_a_precision_that_the_card_lacks_is_an_error(tmp_path: Path) -> None:
    card = make_network(tmp_path)
    dataclasses.replace(card, files={"float": card.files["float"]}).save(tmp_path / "tiny")
    with pytest.raises(ModelLoadFailed, match="has no int8 weights; it has: float"):
        catalog.open_session("tiny", precision="int8", folder=tmp_path)
    with pytest.raises(ModelLoadFailed, match="no precision 'half'; the precisions are auto, float"):
        catalog.open_session("tiny", precision="half", folder=tmp_path)  # type: ignore[arg-type]  # on purpose


# --- sessions -----------------------------------------------------------------------------------------------


def check_answers(outputs: tuple[NDArray[Any], ...], pictures: NDArray[Any], factor: float = 2.0) -> None:
    means, scaled = outputs
    np.testing.assert_allclose(means, pictures.mean(axis=(1, 2)), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(scaled, pictures * np.float32(factor), rtol=1e-6)


@ON_EVERY_RUNTIME
@pytest.mark.parametrize("count", [1, 2, 7, 8, 9, 20])
def test_any_batch_gives_the_outputs_in_the_order_of_the_card(tmp_path: Path, device: Device, count: int) -> None:
    make_network(tmp_path)
    session = catalog.open_session("tiny", device, folder=tmp_path)
    pictures = make_pictures(count)
    check_answers(session.run(pictures), pictures)


@ON_EVERY_RUNTIME
def test_any_number_of_sizes_runs(tmp_path: Path, device: Device) -> None:
    make_network(tmp_path)
    session = catalog.open_session("tiny", device, folder=tmp_path)
    sizes = [(8, 12), (12, 8), (12, 12), (300, 200), (4, 4), (1, 1), (20, 8)]
    for turn, (height, width) in enumerate([*sizes, *sizes]):
        for count in (1, 9):
            pictures = make_pictures(count, height, width, turn)
            check_answers(session.run(pictures), pictures)


@ON_EVERY_RUNTIME
def test_results_are_not_overwritten_by_the_next_run(tmp_path: Path, device: Device) -> None:
    make_network(tmp_path)
    session = catalog.open_session("tiny", device, folder=tmp_path)
    first, second = make_pictures(seed=1), make_pictures(seed=2)
    first_outputs = session.run(first)
    check_answers(session.run(second), second)
    check_answers(first_outputs, first)


@ON_EVERY_RUNTIME
def test_views_of_larger_arrays_run(tmp_path: Path, device: Device) -> None:
    make_network(tmp_path)
    pictures = make_pictures(4, 16, 24)[::2, ::2, ::-1]
    check_answers(catalog.open_session("tiny", device, folder=tmp_path).run(pictures), pictures)


@ON_EVERY_RUNTIME
@pytest.mark.parametrize(
    "wrong",
    [
        np.zeros((1, 8, 12, 3), np.float32),
        np.zeros((1, 8, 12, 3), np.int8),
        np.zeros((1, 3, 8, 12), np.uint8),
        np.zeros((1, 8, 12, 1), np.uint8),
        np.zeros((8, 12, 3), np.uint8),
        np.zeros((0, 8, 12, 3), np.uint8),
        np.zeros((1, 0, 12, 3), np.uint8),
    ],
    ids=lambda array: f"{array.dtype}{array.shape}",
)
def test_an_array_of_another_form_is_refused(tmp_path: Path, device: Device, wrong: Any) -> None:
    make_network(tmp_path)
    session = catalog.open_session("tiny", device, folder=tmp_path)
    with pytest.raises(InferenceFailed, match=r"'tiny' takes uint8 of \(pictures, height, width, 3\)"):
        session.run(wrong)


@ON_EVERY_RUNTIME
def test_what_the_runtime_refuses_is_told_and_leaves_the_session_whole(tmp_path: Path, device: Device) -> None:
    make_network(tmp_path, size=(8, 12))
    session = catalog.open_session("tiny", device, folder=tmp_path)
    with pytest.raises(InferenceFailed, match=r"'tiny' failed on .* with an input of \(1, 9, 12, 3\)") as failure:
        session.run(make_pictures(height=9))
    assert failure.value.__cause__ is not None
    check_answers(session.run(make_pictures()), make_pictures())


@ON_EVERY_RUNTIME
def test_many_threads_share_a_session(tmp_path: Path, device: Device) -> None:
    make_network(tmp_path)
    session = catalog.open_session("tiny", device, folder=tmp_path, workers=2)
    failures: list[BaseException] = []

    def work(seed: int) -> None:
        try:
            for turn in range(30):
                pictures = make_pictures(1 + turn % 9, 8 + 4 * (seed % 3), 12, 100 * seed + turn)
                check_answers(session.run(pictures), pictures)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


@ON_EVERY_RUNTIME
def test_a_file_that_is_no_network_does_not_load(tmp_path: Path, device: Device) -> None:
    card = make_network(tmp_path)
    path = tmp_path / "tiny" / "model.onnx"
    path.write_bytes(b"no network at all")
    files = {**card.files, "float": WeightFile.from_path(path)}
    dataclasses.replace(card, files=files).save(tmp_path / "tiny")
    with pytest.raises(ModelLoadFailed, match=r"cannot load .*model\.onnx") as failure:
        catalog.open_session("tiny", device, folder=tmp_path)
    assert failure.value.__cause__ is not None
    assert "\n" not in str(failure.value)


@ON_EVERY_RUNTIME
def test_a_network_that_is_not_as_its_card_says_does_not_load(tmp_path: Path, device: Device) -> None:
    card = make_network(tmp_path)
    dataclasses.replace(card, outputs=("boxes", "means")).save(tmp_path / "tiny")
    with pytest.raises(ModelLoadFailed, match="has the outputs scaled, means, but not boxes"):
        catalog.open_session("tiny", device, folder=tmp_path)


@ON_EVERY_RUNTIME
def test_a_network_that_takes_other_than_pixels_does_not_load(tmp_path: Path, device: Device) -> None:
    make_network(tmp_path, pixels="float32")
    with pytest.raises(ModelLoadFailed, match=r"\{'picture': 'float32'\}; a network takes one input of uint8"):
        catalog.open_session("tiny", device, folder=tmp_path)


@pytest.mark.parametrize(
    ("device", "precision", "factor"),
    [
        ("cpu", "auto", 2.0),
        ("openvino", "auto", 3.0),
        ("cpu", "int8", 3.0),
        ("openvino", "float", 2.0),
    ],
)
def test_the_card_chooses_the_precision_unless_told(
    tmp_path: Path, device: Device, precision: Any, factor: float
) -> None:
    make_network(tmp_path, runtime={"onnxruntime": "float", "openvino": "int8"})
    session = catalog.open_session("tiny", device, precision, folder=tmp_path)
    check_answers(session.run(make_pictures()), make_pictures(), factor)
    assert session.precision == ("float" if factor == 2.0 else "int8")


def test_bfloat16_runs_only_where_it_is_there(tmp_path: Path) -> None:
    make_network(tmp_path)
    with pytest.raises(DeviceUnavailable, match="bfloat16 runs on OpenVINO only"):
        catalog.open_session("tiny", "cpu", "bfloat16", folder=tmp_path)
    exact = catalog.open_session("tiny", "openvino", "float", folder=tmp_path).run(make_pictures())[1]
    import openvino  # not before: the session imports it without what it reports to the internet

    if "BF16" in openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
        session = catalog.open_session("tiny", "openvino", "bfloat16", folder=tmp_path)
        np.testing.assert_allclose(session.run(make_pictures())[1], exact, rtol=0.02)
    else:
        with pytest.raises(DeviceUnavailable, match="this processor has no bfloat16"):
            catalog.open_session("tiny", "openvino", "bfloat16", folder=tmp_path)


def test_the_choice_of_device_is_reported(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    make_network(tmp_path)
    with caplog.at_level(logging.INFO, logger="openplate"):
        session = catalog.open_session("tiny", folder=tmp_path)
    assert session.device_name == "onnxruntime cpu"
    assert caplog.messages == ["tiny 1.2 runs on onnxruntime cpu in float"]


# --- devices ------------------------------------------------------------------------------------------------


def hide(monkeypatch: pytest.MonkeyPatch, *modules: str) -> None:
    """Lets Python find no such modules, as where they are not installed."""
    for name in modules:
        monkeypatch.setitem(sys.modules, name, None)


def test_auto_takes_onnxruntime_or_else_openvino(monkeypatch: pytest.MonkeyPatch) -> None:
    assert find_place("auto").name == "onnxruntime cpu"
    hide(monkeypatch, "onnxruntime")
    assert find_place("auto").name == "openvino cpu"
    assert available_devices() == ("openvino",)


def test_a_missing_device_says_what_is_there_and_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    hide(monkeypatch, "openvino")
    with pytest.raises(DeviceUnavailable, match=r"'openvino' .* there is: cpu.*openplate\[openvino\]"):
        find_place("openvino")
    monkeypatch.undo()
    hide(monkeypatch, "onnxruntime")
    with pytest.raises(DeviceUnavailable, match=r"'cpu' .* there is: openvino; .*openplate\[cpu\]"):
        find_place("cpu")
    with pytest.raises(DeviceUnavailable, match=r"'cuda' .* there is: openvino; .*openplate\[gpu\]"):
        find_place("cuda")


@pytest.mark.skipif("cuda" in available_devices(), reason="this machine has CUDA")
def test_cuda_is_never_replaced_silently() -> None:
    with pytest.raises(DeviceUnavailable, match=r"'cuda' .* there is: cpu, openvino; .*openplate\[gpu\]"):
        find_place("cuda")


@pytest.mark.parametrize("device", DEVICES)
def test_without_any_runtime_the_command_to_install_one_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, device: Device
) -> None:
    make_network(tmp_path)
    hide(monkeypatch, "onnxruntime", "openvino")
    with pytest.raises(DeviceUnavailable, match=r"pip install 'openplate\[cpu\]'"):
        catalog.open_session("tiny", device, folder=tmp_path)


def test_an_unknown_device_lists_the_known_ones() -> None:
    with pytest.raises(DeviceUnavailable, match="no device 'gpu'; the devices are auto, cpu, cuda, openvino"):
        find_place("gpu")  # type: ignore[arg-type]  # on purpose


def run_python(code: str, *arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.mark.parametrize("runtime", ["onnxruntime", "openvino"])
def test_a_broken_runtime_is_told_from_a_missing_one(tmp_path: Path, runtime: str) -> None:
    make_network(tmp_path)
    (tmp_path / f"{runtime}.py").write_text("raise ImportError('libbroken.so is missing')\n")
    code = (
        "import sys; from pathlib import Path; from openplate.models.catalog import open_session\n"
        "open_session('tiny', sys.argv[2], folder=Path(sys.argv[1]))"
    )
    device = "cpu" if runtime == "onnxruntime" else runtime
    ran = run_python(code, tmp_path, device, PYTHONPATH=str(tmp_path))
    last = ran.stderr.splitlines()[-1]
    assert "DeviceUnavailable" in last
    assert "installed but does not start (libbroken.so is missing); install it again" in last


def test_nothing_heavy_is_imported_before_a_session_is_opened() -> None:
    code = (
        "import sys, openplate.models.catalog as catalog\n"
        "catalog.names()\n"
        "print([name for name in ('onnxruntime', 'openvino') if name in sys.modules])"
    )
    assert run_python(code).stdout == "[]\n"


WATCHED_RUN = """
import sys
from pathlib import Path

def watch(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo"):
        print(event, arguments, flush=True)

sys.addaudithook(watch)
import numpy as np
from openplate.models.catalog import open_session
session = open_session("tiny", sys.argv[2], folder=Path(sys.argv[1]))
session.run(np.zeros((1, 8, 12, 3), np.uint8))
"""


@ON_EVERY_RUNTIME
def test_a_session_is_silent_and_tells_nobody_anything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, device: Device
) -> None:
    """Both runtimes reported their use to services of their makers and left an id in the home folder."""
    make_network(tmp_path)
    home = tmp_path / "home"
    home.mkdir()
    for name in ("CI", "ORT_DISABLE_TELEMETRY"):  # either would silence a runtime without our doing
        monkeypatch.delenv(name, raising=False)
    folders = dict.fromkeys(("HOME", "LOCALAPPDATA", "XDG_CACHE_HOME"), str(home))
    ran = run_python(WATCHED_RUN, tmp_path, device, PYTHONDONTWRITEBYTECODE="1", **folders)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")
    assert list(home.iterdir()) == []


def test_every_error_of_a_network_is_a_model_error() -> None:
    for error in (ChecksumMismatch, DeviceUnavailable, InferenceFailed, ModelLoadFailed, UnknownModel):
        assert issubclass(error, ModelError)
