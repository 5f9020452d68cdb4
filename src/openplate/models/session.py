"""Running a network: the one place that knows ONNX Runtime and OpenVINO.

The two are imported when a session is opened, not before: they are optional, and each takes a while.
"""

from __future__ import annotations

import contextlib
import importlib.util
import io
import logging
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any, Final, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from openplate.errors import DeviceUnavailable, InferenceFailed, ModelLoadFailed
from openplate.models import DEVICES, Device, Precision, Runtime
from openplate.models.card import ModelCard

Array = NDArray[Any]
Pixels = NDArray[np.uint8]
Processor = Literal["cpu", "cuda"]

_log: Final = logging.getLogger(__name__)

_INSTALL: Final = {
    "cpu": "pip install 'openplate[cpu]'",
    "cuda": "pip uninstall onnxruntime, then pip install 'openplate[gpu]'",
    "openvino": "pip install 'openplate[openvino]'",
}
_CUDA: Final = "CUDAExecutionProvider"
_CPU: Final = "CPUExecutionProvider"
_TELEMETRY: Final = "openvino_telemetry"
_MESSAGE_LENGTH: Final = 400

_COMPILED_SHAPES: Final = 3
"""How many input sizes of one network OpenVINO compiles on their own. Each takes 10 to 20 MB and 0.1 to 0.3 s
and runs about a tenth faster than one network compiled for any size, which takes all further sizes."""

_PIECE: Final = 8
_PIECE_PIXELS: Final = 2**15
"""OpenVINO runs a batch in pieces of 8 and 1, so that few sizes have to be compiled; inputs of more pixels
one by one, because pieces of them save nothing and take memory."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a network runs: a runtime and the processor it uses."""

    runtime: Runtime
    processor: Processor

    @property
    def name(self) -> str:
        """As people read it: "onnxruntime cpu"."""
        return f"{self.runtime} {self.processor}"

    def usual_precision(self, card: ModelCard) -> Precision:
        """What the card names for the runtime; float on CUDA, for which the int8 files are not made."""
        return "float" if self.processor == "cuda" else card.runtime[self.runtime]


def available_devices() -> tuple[Device, ...]:
    """The devices that may be asked for on this machine, without ``auto``."""
    there: list[Device] = []
    if _is_installed("onnxruntime"):
        there += ["cpu", "cuda"] if _has_cuda() else ["cpu"]
    if _is_installed("openvino"):
        there.append("openvino")
    return tuple(there)


def find_place(device: Device) -> Place:
    """Where to run when this device is asked for.

    ``auto`` is ONNX Runtime on the processor where that is installed (it loads faster and takes half the
    memory), else OpenVINO. CUDA, and OpenVINO beside ONNX Runtime, are used when asked for.

    Raises:
        DeviceUnavailable: it is not there; the message says what is, and what to install.
    """
    if device not in DEVICES:
        raise DeviceUnavailable(f"no device {device!r}; the devices are {', '.join(DEVICES)}")
    has_onnxruntime, has_openvino = _is_installed("onnxruntime"), _is_installed("openvino")
    if not has_onnxruntime and not has_openvino:
        raise DeviceUnavailable(
            f"no runtime for networks is installed; install one with: {_INSTALL['cpu']} (or {_INSTALL['openvino']})"
        )
    if device == "openvino" or (device == "auto" and not has_onnxruntime):
        place, is_there = Place("openvino", "cpu"), has_openvino
    elif device == "cuda":
        place, is_there = Place("onnxruntime", "cuda"), has_onnxruntime and _has_cuda()
    else:
        place, is_there = Place("onnxruntime", "cpu"), has_onnxruntime
    if not is_there:
        raise DeviceUnavailable(
            f"the device {device!r} is not on this machine; there is: {', '.join(available_devices())}; "
            f"to have it: {_INSTALL[device]}"
        )
    return place


class _Engine(Protocol):
    """A loaded network of either runtime; ``errors`` is what it raises when a run fails."""

    inputs: dict[str, str]
    """Names and types ("float32", "uint8", ...)."""
    outputs: list[str]
    errors: tuple[type[Exception], ...]

    def run(self, inputs: Array, outputs: tuple[str, ...]) -> tuple[Array, ...]: ...


class Session:
    """One network, ready to run. Any number of threads may call ``run`` at the same time."""

    def __init__(
        self, card: ModelCard, path: Path, place: Place, precision: Precision, *, threads: int, workers: int
    ) -> None:
        """Loads the file; ``catalog.open_session`` is the usual way here, it checks the file first.

        Raises:
            ModelLoadFailed: the runtime cannot load it, or it is not what the card says.
            DeviceUnavailable: the device is there but does not start, or lacks the precision.
        """
        if precision == "bfloat16" and place.runtime != "openvino":
            raise DeviceUnavailable("bfloat16 runs on OpenVINO only; ask for the device 'openvino' with it")
        self.card = card
        self.device_name = place.name
        self.precision = precision
        self._engine: _Engine
        if place.runtime == "onnxruntime":
            self._engine = _OnnxRuntimeNetwork(path, place.processor, threads)
        else:
            self._engine = _OpenVinoNetwork(path, precision == "bfloat16", threads, workers)
        _check_against_card(self._engine, card, path)
        _log.info("%s %s runs on %s in %s", card.name, card.version, self.device_name, precision)

    def run(self, inputs: Pixels) -> tuple[Array, ...]:
        """The network's outputs, in the order of the card's ``outputs``.

        Args:
            inputs: uint8 (pictures, height, width, channels), RGB, at least one picture; the network scales
                by itself.

        Raises:
            InferenceFailed: the array is not of that form, or the runtime failed.
        """
        wanted = self.card.input
        is_form = inputs.ndim == 4 and inputs.shape[3] == wanted.channels and inputs.size > 0
        if not is_form or inputs.dtype != np.uint8:
            raise InferenceFailed(
                f"the network {self.card.name!r} takes uint8 of (pictures, height, width, {wanted.channels}) "
                f"and at least one picture, not {inputs.dtype} of {inputs.shape}"
            )
        try:
            return self._engine.run(np.ascontiguousarray(inputs), self.card.outputs)
        except self._engine.errors as error:
            raise InferenceFailed(
                f"the network {self.card.name!r} failed on {self.device_name} with an input of "
                f"{inputs.shape}: {_one_line(error)}"
            ) from error


def _check_against_card(engine: _Engine, card: ModelCard, path: Path) -> None:
    if list(engine.inputs.values()) != ["uint8"]:
        raise ModelLoadFailed(f"{path} has the inputs {engine.inputs}; a network takes one input of uint8")
    missing = [name for name in card.outputs if name not in engine.outputs]
    if missing:
        raise ModelLoadFailed(
            f"{path} has the outputs {', '.join(engine.outputs)}, but not {', '.join(missing)}, which its card names"
        )


class _OnnxRuntimeNetwork:
    """A network in ONNX Runtime, whose sessions any number of threads may run at once."""

    def __init__(self, path: Path, processor: Processor, threads: int) -> None:
        onnxruntime = _onnxruntime()
        provider = _CUDA if processor == "cuda" else _CPU
        if processor == "cuda":
            _preload_cuda(onnxruntime)
        self.errors = _onnxruntime_errors()
        try:
            self._session = onnxruntime.InferenceSession(
                str(path), self._options(onnxruntime, threads), providers=[provider], enable_fallback=0
            )
        except self.errors as error:
            raise ModelLoadFailed(f"ONNX Runtime cannot load {path}: {_one_line(error)}") from error
        if provider not in self._session.get_providers():
            raise DeviceUnavailable(
                "CUDA is asked for, but it does not start in ONNX Runtime (its messages are above); check "
                "the driver and the CUDA and cuDNN libraries, or ask for the device 'cpu'"
            )
        self.inputs = {value.name: _numpy_type(value.type) for value in self._session.get_inputs()}
        self.outputs = [value.name for value in self._session.get_outputs()]

    @staticmethod
    def _options(onnxruntime: Any, threads: int) -> Any:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
        options.log_severity_level = 3  # errors
        # Threads that wait by spinning take whole cores from everything else on the machine.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        # The arena keeps what the largest picture ever took, the pattern one block for each input size;
        # without them a run is as fast within 1 % and the memory goes back.
        options.enable_cpu_mem_arena = False
        options.enable_mem_pattern = False
        return options

    def run(self, inputs: Array, outputs: tuple[str, ...]) -> tuple[Array, ...]:
        return tuple(self._session.run(list(outputs), dict.fromkeys(self.inputs, inputs)))


class _OpenVinoNetwork:
    """A network in OpenVINO, compiled once for each of the first few input sizes and once for all others."""

    def __init__(self, path: Path, is_bfloat16: bool, threads: int, workers: int) -> None:
        core = _openvino_core()
        if is_bfloat16 and "BF16" not in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
            raise DeviceUnavailable("this processor has no bfloat16; ask for the precision 'float' or 'int8'")
        self._options = {
            # Left to itself, OpenVINO takes bfloat16 where the processor has it: other answers elsewhere.
            "INFERENCE_PRECISION_HINT": "bf16" if is_bfloat16 else "f32",
            "PERFORMANCE_HINT": "LATENCY",
            "NUM_STREAMS": workers,
            "INFERENCE_NUM_THREADS": threads * workers,
            # Pinned threads of several processes would all sit on the first core.
            "ENABLE_CPU_PINNING": False,
        }
        try:
            self._network = core.read_model(str(path))
        except RuntimeError as error:
            raise ModelLoadFailed(f"OpenVINO cannot load {path}: {_one_line(error)}") from error
        self.errors: tuple[type[Exception], ...] = (RuntimeError, ValueError)
        self.inputs = {value.any_name: value.element_type.to_dtype().name for value in self._network.inputs}
        self._positions = {
            name: position for position, value in enumerate(self._network.outputs) for name in value.names
        }
        self.outputs = list(self._positions)
        self._compiled: dict[tuple[int, ...] | None, _IdleRequests] = {}
        self._compiling = Lock()

    def run(self, inputs: Array, outputs: tuple[str, ...]) -> tuple[Array, ...]:
        positions = [self._positions[name] for name in outputs]
        if len(inputs) == 1:
            return tuple(self._run_piece(inputs, positions))
        pieces = [self._run_piece(piece, positions) for piece in _pieces(inputs)]
        return tuple(np.concatenate(parts) for parts in zip(*pieces, strict=True))

    def _run_piece(self, inputs: Array, positions: list[int]) -> list[Array]:
        return self._requests(inputs.shape).run(inputs, positions)

    def _check_size(self, shape: tuple[int, ...]) -> None:
        # Compiling for a size would reshape a network of fixed size without a word, and its answers be wrong.
        for size, allowed in zip(shape[1:3], list(self._network.inputs[0].partial_shape)[1:3], strict=True):
            if allowed.is_static and allowed.get_length() != size:
                raise ValueError(f"the network takes {self._network.inputs[0].partial_shape} only")

    def _requests(self, shape: tuple[int, ...]) -> _IdleRequests:
        if shape in self._compiled:
            return self._compiled[shape]
        self._check_size(shape)
        with self._compiling:
            key = shape if shape in self._compiled or self._own_shapes() < _COMPILED_SHAPES else None
            if key not in self._compiled:
                network = self._network.clone()
                if key is not None:
                    network.reshape(list(key))
                compiled = _openvino_core().compile_model(network, "CPU", self._options)
                self._compiled[key] = _IdleRequests(compiled)
            return self._compiled[key]

    def _own_shapes(self) -> int:
        return len(self._compiled) - (None in self._compiled)


class _IdleRequests:
    """The inference requests of one compiled network; each serves one thread at a time."""

    def __init__(self, compiled: Any) -> None:
        self._network = compiled
        self._idle: list[_Request] = []

    def run(self, inputs: Array, positions: list[int]) -> list[Array]:
        try:
            request = self._idle.pop()
        except IndexError:
            request = _Request(self._network)
        answers = request.run(inputs, positions)
        self._idle.append(request)  # one that failed is not used again
        return answers


class _Request:
    """One inference request of a compiled network."""

    def __init__(self, compiled: Any) -> None:
        self._request = compiled.create_infer_request()
        # Written into where a network of one size expects it, an input costs a copy; given as a tensor of its own
        # each time, it costs much more: OpenVINO then connects its layers again.
        has_one_size = not compiled.inputs[0].partial_shape.is_dynamic
        self._input: Array | None = self._request.get_input_tensor(0).data if has_one_size else None

    def run(self, inputs: Array, positions: list[int]) -> list[Array]:
        if self._input is None:
            self._request.set_input_tensor(0, _openvino().Tensor(inputs, shared_memory=True))
        else:
            self._input[:] = inputs
        # Shared: not copied twice; what is given back is copied before the next run changes it.
        self._request.infer(share_outputs=True)
        return [np.array(self._request.get_output_tensor(position).data) for position in positions]


def _pieces(inputs: Array) -> Iterator[Array]:
    """The batch in pieces of 8 and 1."""
    is_small = inputs.shape[1] * inputs.shape[2] <= _PIECE_PIXELS
    whole = len(inputs) // _PIECE * _PIECE if is_small else 0
    for start in range(0, whole, _PIECE):
        yield inputs[start : start + _PIECE]
    for start in range(whole, len(inputs)):
        yield inputs[start : start + 1]


def _is_installed(runtime: Runtime) -> bool:
    return importlib.util.find_spec(runtime) is not None


def _has_cuda() -> bool:
    return _CUDA in _onnxruntime().get_available_providers()


@cache
def _onnxruntime() -> Any:
    # Since 1.29 it tells its makers of its use, by an id of the machine and the names and sums of networks,
    # unless this is set before the import. Openplate tells nobody; who has set it otherwise meant it.
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    try:
        import onnxruntime
    except ImportError as error:
        raise DeviceUnavailable(
            f"ONNX Runtime is installed but does not start ({error}); install it again: {_INSTALL['cpu']}"
        ) from error
    return onnxruntime


@cache
def _openvino() -> Any:
    try:
        with _without_telemetry():
            import openvino
    except ImportError as error:
        raise DeviceUnavailable(
            f"OpenVINO is installed but does not start ({error}); install it again: {_INSTALL['openvino']}"
        ) from error
    return openvino


@cache
def _openvino_core() -> Any:
    """OpenVINO's core, one for the whole process: it holds the plugins."""
    return _openvino().Core()


@contextlib.contextmanager
def _without_telemetry() -> Iterator[None]:
    """Lets ``import openvino`` find no telemetry package; it then takes the stand-in that it brings.

    With it, the import alone reports itself to a statistics service on the internet and writes into the home
    folder.
    """
    if _TELEMETRY in sys.modules:
        yield
        return
    sys.modules[_TELEMETRY] = None  # type: ignore[assignment]  # what stands for "not there"
    try:
        yield
    finally:
        del sys.modules[_TELEMETRY]


def _preload_cuda(onnxruntime: Any) -> None:
    """Loads the CUDA libraries that pip installed; what it prints on the way goes to the log."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        onnxruntime.preload_dlls()
    for line in printed.getvalue().splitlines():
        _log.debug("CUDA: %s", line)


def _onnxruntime_errors() -> tuple[type[Exception], ...]:
    """What ONNX Runtime raises; its own errors have no common base."""
    from onnxruntime.capi import onnxruntime_pybind11_state as state

    own = [kind for kind in vars(state).values() if isinstance(kind, type) and issubclass(kind, Exception)]
    return (RuntimeError, ValueError, *own)


def _numpy_type(onnxruntime_type: str) -> str:
    """The name of numpy for "tensor(float)" and the like; others are left as they are."""
    return {"tensor(float)": "float32", "tensor(uint8)": "uint8"}.get(onnxruntime_type, onnxruntime_type)


def _one_line(error: Exception) -> str:
    text = " ".join(str(error).split())
    return text if len(text) <= _MESSAGE_LENGTH else f"{text[:_MESSAGE_LENGTH]}..."
