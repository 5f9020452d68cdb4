"""The networks that are there: a name to a card, a checked file, a running session. Nothing is downloaded."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path
from typing import Final

from openplate.errors import ChecksumMismatch, ModelLoadFailed, UnknownModel
from openplate.models import PRECISIONS, Device, Precision, WeightPrecision
from openplate.models.card import CARD_FILE, ModelCard, WeightFile
from openplate.models.session import Session, find_place

WEIGHTS: Final = Path(__file__).parent.parent / "weights"
"""The networks that come with the package."""

_REINSTALL: Final = "install Openplate again"


def names(folder: Path | None = None) -> tuple[str, ...]:
    """The networks in the folder (default: those of the package), sorted."""
    root = WEIGHTS if folder is None else folder
    if not root.is_dir():
        return ()
    return tuple(sorted(entry.name for entry in root.iterdir() if _is_network(entry)))


def card(name: str, folder: Path | None = None) -> ModelCard:
    """The card of one network.

    Raises:
        UnknownModel: there is no network of that name; the message lists those that there are.
        ModelLoadFailed: its card cannot be used.
    """
    root = WEIGHTS if folder is None else folder
    known = names(root)
    if name not in known:
        near = get_close_matches(name, known, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        there = f"there are: {', '.join(known)}" if known else f"there are none: {_REINSTALL}"
        raise UnknownModel(f"no network {name!r} in {root}; {there}{hint}")
    return ModelCard.load(root / name)


def verified_file(card: ModelCard, precision: WeightPrecision = "float") -> Path:
    """The path of a network's weight file, after checking that it is the one that the card describes.

    Raises:
        ModelLoadFailed: the card has no such file, or it cannot be read.
        ChecksumMismatch: it is another file.
    """
    if card.folder is None:
        raise ModelLoadFailed(f"the card of {card.name!r} was not loaded from a folder, so it has no file")
    if precision not in card.files:
        raise ModelLoadFailed(f"the network {card.name!r} has no {precision} weights; it has: {', '.join(card.files)}")
    expected = card.files[precision]
    path = card.folder / expected.file
    try:
        found = WeightFile.from_path(path)
    except OSError as error:
        raise ModelLoadFailed(
            f"{path}, the {precision} weights of {card.name!r}, cannot be read ({error.strerror}); "
            f"the file is part of Openplate: {_REINSTALL}"
        ) from error
    if found != expected:
        raise ChecksumMismatch(
            f"{path} is not the file that its card describes: it has the sha256 {found.sha256} "
            f"({found.size} bytes) instead of {expected.sha256} ({expected.size} bytes); "
            f"it is damaged or was changed: {_REINSTALL}"
        )
    return path


def open_session(
    name: str,
    device: Device = "auto",
    precision: Precision = "auto",
    *,
    folder: Path | None = None,
    threads: int = 1,
    workers: int = 1,
) -> Session:
    """Loads a network, ready to run.

    Args:
        name: one of ``names()``.
        device: where to run; there is no silent fall-back.
        precision: what to compute with.
        folder: where the networks are (default: those of the package).
        threads: processor threads for one call of ``run``.
        workers: how many threads of the caller run the session at the same time. More than that is allowed;
            OpenVINO then lets them wait for each other.

    Raises:
        ModelError: there is no such network, device or precision, or the file cannot be used.
    """
    if precision not in PRECISIONS:
        raise ModelLoadFailed(f"no precision {precision!r}; the precisions are {', '.join(PRECISIONS)}")
    described = card(name, folder)
    place = find_place(device)
    chosen = place.usual_precision(described) if precision == "auto" else precision
    path = verified_file(described, "int8" if chosen == "int8" else "float")
    return Session(described, path, place, chosen, threads=threads, workers=workers)


def _is_network(entry: Path) -> bool:
    """A folder with a card, or with weights that have lost theirs."""
    return entry.is_dir() and ((entry / CARD_FILE).exists() or any(entry.glob("*.onnx")))
