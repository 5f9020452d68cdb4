"""The error tree. Each message says what is wrong and, where there is one, what to do about it.

OpenplateError
├── ImageError              a picture could not be used
│   ├── UndecodableImage    its bytes are not a picture that can be decoded
│   └── ImageTooLarge       it exceeds a limit on pixels or bytes
├── ModelError              a network could not be used
│   ├── UnknownModel        no network of that name
│   ├── ChecksumMismatch    the file is not the one its card describes
│   ├── ModelLoadFailed     the file is there but does not load
│   ├── DeviceUnavailable   the asked-for device is not on this machine
│   └── InferenceFailed     the network ran and failed
├── RegionError             no region of that code
├── DatasetError            an evaluation or training list is not of the described form
└── SettingsError           a setting is unknown or not acceptable
"""


class OpenplateError(Exception):
    """Anything that Openplate reports to its caller on purpose."""


class ImageError(OpenplateError):
    """A picture could not be used."""


class UndecodableImage(ImageError):
    """The bytes are not a picture that can be decoded."""


class ImageTooLarge(ImageError):
    """The picture exceeds a limit on pixels or bytes."""


class ModelError(OpenplateError):
    """A network could not be used."""


class UnknownModel(ModelError):
    """There is no network of that name."""


class ChecksumMismatch(ModelError):
    """A weight file is not the one that its card describes."""


class ModelLoadFailed(ModelError):
    """A weight file is there but cannot be loaded."""


class DeviceUnavailable(ModelError):
    """The asked-for device or runtime is not on this machine."""


class InferenceFailed(ModelError):
    """A network was run and failed."""


class RegionError(OpenplateError):
    """There is no region of that code."""


class DatasetError(OpenplateError):
    """An evaluation or training list is not of the described form."""


class SettingsError(OpenplateError):
    """A setting is unknown or not acceptable."""
