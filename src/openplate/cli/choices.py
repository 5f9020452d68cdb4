"""The words that options accept."""

from __future__ import annotations

from enum import StrEnum


class OutputFormat(StrEnum):
    TEXT = "text"
    JSON = "json"
    PLATERECOGNIZER = "platerecognizer"
    OPENALPR = "openalpr"
    CSV = "csv"


class ModeChoice(StrEnum):
    NORMAL = "normal"
    FAST = "fast"
    REDACTION = "redaction"


class DeviceChoice(StrEnum):
    AUTO = "auto"
    CPU = "cpu"
    CUDA = "cuda"
    OPENVINO = "openvino"


class SplitChoice(StrEnum):
    TRAIN = "train"
    VAL = "val"
    EVAL = "eval"


class FlavourChoice(StrEnum):
    SDK = "sdk"
    CLOUD = "cloud"


class ImageChoice(StrEnum):
    ORIGINAL = "original"
    VEHICLE = "vehicle"
    PLATE = "plate"


class CoveringChoice(StrEnum):
    BLUR = "blur"
    FILL = "fill"
    LOGO = "logo"
