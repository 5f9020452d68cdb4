"""The passport of a network: what it is, what goes in and comes out, where it comes from, how good it is.

A network is a folder with ``card.toml`` and one or more ``.onnx`` files. The card is the contract: sizes,
labels, alphabet and thresholds stand there and nowhere in the code. Reading it is strict: a key that is
missing, unknown or of the wrong form is an error that names the key and the file.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any, Final, Literal

from openplate.errors import ModelLoadFailed
from openplate.models import RUNTIMES, WEIGHT_PRECISIONS, Runtime, WeightPrecision
from openplate.models.tables import Table, toml_lines

CARD_FILE: Final = "card.toml"

Task = Literal["detection", "corners", "reading", "region", "attributes"]

_TASKS: Final[tuple[Task, ...]] = ("detection", "corners", "reading", "region", "attributes")
_CHANNELS: Final = (1, 3)
_NETWORK_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]*")
_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_WEIGHT_FILE_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*\.onnx")


@dataclass(frozen=True, slots=True)
class WeightFile:
    """A weight file as it must be: its name beside the card, its sha256 in hexadecimal, its size in bytes."""

    file: str
    sha256: str
    size: int

    @classmethod
    def from_path(cls, path: Path) -> WeightFile:
        """The description of the file as it is now."""
        with path.open("rb") as stream:
            sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
        return cls(path.name, sha256, path.stat().st_size)


@dataclass(frozen=True, slots=True)
class InputDescription:
    """What a network takes: uint8 (pictures, height, width, channels), RGB; the network scales by itself.

    ``width`` and ``height`` are those it was trained for (pixels); a network with free sizes takes others.
    ``channels`` is 3, or 1 for grey.
    """

    width: int
    height: int
    channels: int = 3


@dataclass(frozen=True, slots=True)
class DataSource:
    """A data set that a network was trained on, with its licence as its makers state it."""

    name: str
    licence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCard:
    """One network.

    ``files`` has "float" and perhaps "int8"; ``runtime`` names for each runtime the one to take when nobody
    asks. ``outputs`` are the names of the outputs in the order in which a session returns them. ``labels``
    are the classes in the order of the network's scores; a reading network has an ``alphabet`` instead, and one
    for attributes ``heads``: for each of its outputs the labels in the order of its scores.
    ``parameters`` are thresholds and calibration, ``measured`` results, ``limits`` sentences on what it
    cannot do. ``command`` and ``commit`` make it again. ``folder`` is where the card was loaded from.
    """

    name: str
    version: str
    task: Task
    summary: str
    licence: str
    origin: str
    command: str
    commit: str
    date: date
    outputs: tuple[str, ...]
    files: Mapping[WeightPrecision, WeightFile] = field(hash=False)
    runtime: Mapping[Runtime, WeightPrecision] = field(hash=False)
    input: InputDescription
    labels: tuple[str, ...] = ()
    alphabet: str | None = None
    heads: Mapping[str, tuple[str, ...]] = field(default_factory=dict, hash=False)
    parameters: Mapping[str, float] = field(default_factory=dict, hash=False)
    measured: Mapping[str, float] = field(default_factory=dict, hash=False)
    limits: tuple[str, ...] = ()
    trained_on: tuple[DataSource, ...] = ()
    folder: Path | None = field(default=None, compare=False)

    @classmethod
    def load(cls, folder: Path) -> ModelCard:
        """The card of the network in that folder.

        Raises:
            ModelLoadFailed: there is no card, or it is not of the described form.
        """
        path = folder / CARD_FILE
        try:
            text = path.read_text(encoding="utf-8")
        except OSError as error:
            raise ModelLoadFailed(
                f"{path} cannot be read ({error.strerror}); it is part of Openplate: install Openplate again"
            ) from error
        except UnicodeDecodeError as error:
            raise ModelLoadFailed(f"{path} is not text in UTF-8: {error}") from error
        card = cls.from_toml(text, str(path))
        if card.name != folder.resolve().name:
            raise ModelLoadFailed(f"{path}: name is {card.name!r}, but its folder is {folder.resolve().name!r}")
        return replace(card, folder=folder)

    @classmethod
    def from_toml(cls, text: str, source: str = CARD_FILE) -> ModelCard:
        """The card written in ``text``; ``source`` is what errors call it.

        Raises:
            ModelLoadFailed: it is not of the described form.
        """
        try:
            values = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise ModelLoadFailed(f"{source} is not TOML: {error}") from error
        return _parse_card(Table(source, "", values))

    def to_toml(self) -> str:
        """The text of ``card.toml``; ``from_toml`` gives an equal card back."""
        tables: dict[str, Any] = asdict(self)
        del tables["folder"]
        named: dict[str, object] = {"labels": self.labels} if self.labels else {}
        named |= {} if self.alphabet is None else {"alphabet": self.alphabet}
        named |= {"heads": self.heads} if self.heads else {}
        del tables["labels"], tables["alphabet"], tables["heads"]
        return "\n".join(toml_lines({**tables, **named})) + "\n"

    def save(self, folder: Path) -> ModelCard:
        """Writes ``card.toml`` into the folder and loads it again, so that only a valid card is ever kept.

        Raises:
            ModelLoadFailed: a value of this card is not of the described form; nothing is written.
        """
        path = folder / CARD_FILE
        text = self.to_toml()
        type(self).from_toml(text, str(path))
        path.write_text(text, encoding="utf-8")
        return type(self).load(folder)

    def parameter(self, name: str) -> float:
        """One number of ``parameters``.

        Raises:
            ModelLoadFailed: the card has none of that name.
        """
        try:
            return self.parameters[name]
        except KeyError:
            source = CARD_FILE if self.folder is None else self.folder / CARD_FILE
            raise ModelLoadFailed(
                f"{source}: the key 'parameters.{name}' is missing; the network {self.name!r} needs it"
            ) from None


def _parse_card(table: Table) -> ModelCard:
    task = table.choice("task", _TASKS)
    files = _parse_files(table.table("files"))
    outputs = table.texts("outputs", at_least=1)
    reads, has_labels = task == "reading", task in ("detection", "region")
    card = ModelCard(
        name=table.matching("name", _NETWORK_NAME, "a lower-case word"),
        version=table.text("version"),
        task=task,
        summary=table.text("summary"),
        licence=table.text("licence"),
        origin=table.text("origin"),
        command=table.text("command"),
        commit=table.text("commit"),
        date=table.day("date"),
        outputs=outputs,
        files=files,
        runtime=_parse_runtime(table.table("runtime"), files),
        input=_parse_input(table.table("input")),
        labels=table.texts("labels", at_least=1) if has_labels else (),
        alphabet="".join(table.distinct("alphabet", table.text("alphabet"))) if reads else None,
        heads=_parse_heads(table.table("heads"), outputs) if task == "attributes" else {},
        parameters=table.table("parameters").all_numbers(),
        measured=table.table("measured").all_numbers(),
        limits=table.texts("limits"),
        trained_on=tuple(_parse_data_source(source) for source in table.tables("trained_on")),
    )
    table.close()
    return card


def _parse_files(table: Table) -> dict[WeightPrecision, WeightFile]:
    files: dict[WeightPrecision, WeightFile] = {}
    for precision in WEIGHT_PRECISIONS:
        if precision in table or precision == "float":
            entry = table.table(precision)
            files[precision] = WeightFile(
                file=entry.matching("file", _WEIGHT_FILE_NAME, "the name of an .onnx file beside the card"),
                sha256=entry.matching("sha256", _SHA256, "64 lower-case hexadecimal digits"),
                size=entry.whole("size"),
            )
            entry.close()
    table.close()
    return files


def _parse_heads(table: Table, outputs: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    heads = {output: table.texts(output, at_least=2) for output in outputs}
    table.close()
    return heads


def _parse_runtime(table: Table, files: Mapping[WeightPrecision, WeightFile]) -> dict[Runtime, WeightPrecision]:
    runtime = {name: table.choice(name, tuple(files)) for name in RUNTIMES}
    table.close()
    return runtime


def _parse_input(table: Table) -> InputDescription:
    description = InputDescription(
        width=table.whole("width"), height=table.whole("height"), channels=table.choice("channels", _CHANNELS)
    )
    table.close()
    return description


def _parse_data_source(table: Table) -> DataSource:
    source = DataSource(table.text("name"), table.text("licence"))
    table.close()
    return source
