"""Networks: their cards, their verified files, and the one door to the runtimes that execute them.

``card`` describes a network, ``catalog`` finds it and checks its file, ``session`` runs it. This file holds
the words that all three share and imports nothing heavy.
"""

from typing import Final, Literal

Device = Literal["auto", "cpu", "cuda", "openvino"]
"""Where to run: ``cpu`` and ``cuda`` are ONNX Runtime, ``auto`` is ``cpu`` or else ``openvino``."""

Runtime = Literal["onnxruntime", "openvino"]

WeightPrecision = Literal["float", "int8"]
"""What a weight file is made of."""

Precision = Literal["auto", "float", "int8", "bfloat16"]
"""What to compute with: ``auto`` is what the card names for the runtime; ``bfloat16`` runs the float file
rounded to bfloat16, on OpenVINO and on processors that have it, and only when asked for."""

DEVICES: Final[tuple[Device, ...]] = ("auto", "cpu", "cuda", "openvino")
RUNTIMES: Final[tuple[Runtime, ...]] = ("onnxruntime", "openvino")
WEIGHT_PRECISIONS: Final[tuple[WeightPrecision, ...]] = ("float", "int8")
PRECISIONS: Final[tuple[Precision, ...]] = ("auto", "float", "int8", "bfloat16")
