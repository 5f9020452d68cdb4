"""Where drawn pictures go: names that mirror those of the inputs, none twice, nothing ever overwritten."""

from __future__ import annotations

from pathlib import Path, PurePath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from openplate.datatypes import Recognition
    from openplate.imaging import Image

_AS_PNG = ".png"
_AS_JPEG = (".jpg", ".jpeg")


def encode_annotated(image: Image, recognition: Recognition, place: PurePath) -> bytes:
    """The picture with what was recognized drawn in, as the kind of file that ``output_name`` says."""
    from openplate.annotation import annotate
    from openplate.imaging import encode_jpeg, encode_png

    drawn = annotate(image, recognition)
    return encode_png(drawn) if output_name(place).suffix.lower() == _AS_PNG else encode_jpeg(drawn)


def output_name(place: PurePath) -> PurePath:
    """PNG stays PNG and JPEG JPEG; all else becomes JPEG, with ``.jpg`` behind the whole name."""
    if place.suffix.lower() in (_AS_PNG, *_AS_JPEG):
        return place
    return place.with_name(place.name + ".jpg")


def save_beside_others(folder: Path, place: PurePath, data: bytes) -> Path:
    """Write into the folder, below it as the input lay below its argument; ``-2``, ``-3`` ... where a name is taken.

    Raises:
        OSError: it cannot be written.
    """
    wanted = folder / output_name(place)
    wanted.parent.mkdir(parents=True, exist_ok=True)
    path, number = wanted, 1
    while True:
        try:
            with path.open("xb") as file:
                file.write(data)
            return path
        except FileExistsError:
            number += 1
            path = wanted.with_name(f"{wanted.stem}-{number}{wanted.suffix}")
