"""Openplate: automatic licence plate recognition on your own machine.

from openplate import Recognizer
(recognition,) = Recognizer().recognize(["car.jpg"])
print([plate.reading.text for plate in recognition.plates if plate.reading])
"""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from openplate.datatypes import Recognition as Recognition
    from openplate.errors import OpenplateError as OpenplateError
    from openplate.options import RecognitionOptions as RecognitionOptions
    from openplate.pipeline import Recognizer as Recognizer

__version__ = version("openplate")
__all__ = ["OpenplateError", "Recognition", "RecognitionOptions", "Recognizer", "__version__"]

# Names are looked up when first used, so that `import openplate` costs nothing (no numpy, no runtime).
_HOMES = {
    "OpenplateError": "openplate.errors",
    "Recognition": "openplate.datatypes",
    "RecognitionOptions": "openplate.options",
    "Recognizer": "openplate.pipeline",
}


def __getattr__(name: str) -> object:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'openplate' has no attribute {name!r}")
