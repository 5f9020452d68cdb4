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
├── SettingsError           a setting is unknown or not acceptable
├── RequestError            a request to the server asks for something that cannot be done
│   ├── UploadTooLarge      its body exceeds the limit
│   └── AddressRefused      it names an address that the server may not connect to
├── TokenError              a token is missing, wrong or revoked
│   └── QuotaExceeded       the calls of the period are used up
├── RateExceeded            too many calls in a second
├── Overloaded              more work than can be waited for
├── StorageError            the database or the data folder cannot be used
│   └── StorageFull         there is no room for what would have to be kept
├── DeliveryError           a message did not reach its receiver
└── SourceError             a camera, video or folder gives no pictures
    ├── SourceUnavailable   it cannot be opened, or has fallen silent
    └── SourceEnded         a live source was closed by the other side
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


class RequestError(OpenplateError):
    """A request asks for something that cannot be done; the message is for the person who sent it."""


class UploadTooLarge(RequestError):
    """The body of a request exceeds the limit."""


class AddressRefused(RequestError):
    """The server may not connect to that address."""


class TokenError(OpenplateError):
    """A token is missing, wrong or revoked."""


class QuotaExceeded(TokenError):
    """The calls of the period are used up."""


class RateExceeded(OpenplateError):
    """Too many calls in a second; ``retry_after_s`` says when to come back."""

    def __init__(self, message: str, retry_after_s: float) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class Overloaded(OpenplateError):
    """More work than can be waited for; ``retry_after_s`` says when to come back."""

    def __init__(self, message: str, retry_after_s: float) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class StorageError(OpenplateError):
    """The database or the data folder cannot be used."""


class StorageFull(StorageError):
    """There is no room for what would have to be kept."""


class DeliveryError(OpenplateError):
    """A message did not reach its receiver."""


class SourceError(OpenplateError):
    """A camera, a video or a folder gives no pictures."""


class SourceUnavailable(SourceError):
    """The source cannot be opened, or a live one has fallen silent."""


class SourceEnded(SourceError):
    """The other side has closed a live source."""
