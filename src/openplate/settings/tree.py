"""Every setting there is: its default, what it accepts and what it means."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Final, Literal

from openplate.models import DEVICES, Device
from openplate.settings.mqtt import MqttSection
from openplate.settings.rules import DatabaseUrl, Flag, Folder, Number, OneOf, Secret, Text, WholeNumber
from openplate.settings.watch import CameraSettings, ScoutSection, WatchSettings

Flavour = Literal["sdk", "cloud"]
Keep = Literal["nothing", "recognitions", "crops"]
TokenRule = Literal["flavour", "always", "never"]
MailEncryption = Literal["starttls", "tls", "none"]

FLAVOURS: Final[tuple[Flavour, ...]] = ("sdk", "cloud")

_DAY_S: Final = 24 * 3600
_MIB: Final = 2**20
_LARGEST: Final = 2**50


@dataclass(frozen=True, slots=True)
class LimitSettings:
    """What is refused before any of it is decoded."""

    max_bytes: Annotated[int, WholeNumber(1, 2**31 - 1), "Largest picture file, in bytes."] = 64 * _MIB
    max_pixels: Annotated[int, WholeNumber(1, 2**30), "Largest picture, in pixels."] = 100_000_000


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """Where and how ``openplate serve`` answers."""

    host: Annotated[
        str, Text("a host name or address"), "Where to listen: 127.0.0.1 is this machine only, 0.0.0.0 every network."
    ] = "127.0.0.1"
    port: Annotated[int, WholeNumber(0, 65535), "Port to listen on; 0: any that is free."] = 8080
    processes: Annotated[int, WholeNumber(1, 64), "Processes that answer, each with its own networks."] = 1
    flavour: Annotated[
        Flavour,
        OneOf(FLAVOURS),
        "Which product's answers: sdk (no token, usage in the answer) or cloud (tokens, statistics).",
    ] = "sdk"
    success_status: Annotated[int, WholeNumber(200, 201), "Status of a recognition's answer."] = 200
    queue: Annotated[
        int, WholeNumber(0, 10_000), "Pictures of one process that may wait for a worker; more are answered with 503."
    ] = 64
    max_connections: Annotated[
        int, WholeNumber(1, 65535), "Open connections of one process; more are answered with 503."
    ] = 512
    max_upload_bytes: Annotated[int, WholeNumber(1, 2**31 - 1), "Largest body of a request, in bytes."] = 64 * _MIB
    max_waiting_bytes: Annotated[
        int, WholeNumber(1, _LARGEST), "Bodies that one process holds at the same time; more are answered with 503."
    ] = 512 * _MIB
    upload_timeout_s: Annotated[
        float, Number(1, 3600), "Longest time in which the body of a request may arrive, in seconds."
    ] = 60.0
    idle_timeout_s: Annotated[
        int, WholeNumber(1, 3600), "How long a connection stays open without the whole head of a request, in seconds."
    ] = 15
    stop_timeout_s: Annotated[
        int, WholeNumber(0, 3600), "How long running requests may take to finish when the server stops, in seconds."
    ] = 30
    access_log: Annotated[bool, Flag(), "Whether a line is logged for each request."] = False
    trusted_proxies: Annotated[
        str,
        Text("addresses or networks with commas between them, or *"),
        "Reverse proxies whose X-Forwarded-For and X-Forwarded-Proto are believed.",
    ] = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class AccountSettings:
    """Who may ask, and how often. Tokens have limits of their own (``openplate tokens``)."""

    require_token: Annotated[
        TokenRule,
        OneOf(("flavour", "always", "never")),
        "Whether a token is asked for; flavour: by cloud, not by sdk.",
    ] = "flavour"
    max_calls: Annotated[
        int | None, WholeNumber(0, _LARGEST), "Calls in a month without a token; not set: any number."
    ] = None


@dataclass(frozen=True, slots=True)
class StorageSettings:
    """What is kept, and where."""

    url: Annotated[
        str | None,
        DatabaseUrl("a URL that starts with sqlite: or postgresql:"),
        "The database; not set: SQLite in the data folder.",
    ] = None
    data_folder: Annotated[
        Path | None,
        Folder(must_exist=False),
        "Folder for everything that is kept; not set: openplate in the user's folder for data.",
    ] = None
    keep: Annotated[
        Keep,
        OneOf(("nothing", "recognitions", "crops")),
        "What is kept of each call besides counters: its answer, or its answer and the pictures of its plates.",
    ] = "nothing"
    keep_for_s: Annotated[int, WholeNumber(60, 3660 * _DAY_S), "How long a recognition is kept, in seconds."] = (
        30 * _DAY_S
    )
    keep_bytes: Annotated[
        int, WholeNumber(_MIB, _LARGEST), "Most bytes of kept recognitions and pictures; the oldest go first."
    ] = 1024 * _MIB
    max_outbox: Annotated[
        int, WholeNumber(1, 10**9), "Most undelivered webhook messages; beyond it calls are answered with 503."
    ] = 1_000_000
    min_free_bytes: Annotated[
        int, WholeNumber(0, _LARGEST), "Free disk space that is left alone; without it calls are answered with 503."
    ] = 256 * _MIB


@dataclass(frozen=True, slots=True)
class WebhookSettings:
    """How messages reach their receivers."""

    allow_private: Annotated[
        bool, Flag(), "Whether receivers may have private or loopback addresses (10.0.0.5, localhost)."
    ] = False
    timeout_s: Annotated[float, Number(0.1, 600), "How long a receiver may take for its answer, in seconds."] = 30.0
    max_redirects: Annotated[int, WholeNumber(0, 10), "How many redirects are followed."] = 3
    senders: Annotated[int, WholeNumber(1, 256), "Receivers that one process sends to at the same time."] = 32
    give_up_after_s: Annotated[
        int, WholeNumber(60, 366 * _DAY_S), "How long a message is tried, and how long a receiver may fail, in seconds."
    ] = 3 * _DAY_S


@dataclass(frozen=True, slots=True)
class UploadUrlSettings:
    """What may be fetched when a request names a picture by ``upload_url``."""

    enabled: Annotated[bool, Flag(), "Whether pictures are fetched at all."] = True
    allow_private: Annotated[bool, Flag(), "Whether private and loopback addresses may be fetched from."] = False
    timeout_s: Annotated[float, Number(0.1, 600), "How long fetching a picture may take, in seconds."] = 15.0
    max_bytes: Annotated[int, WholeNumber(1, 2**31 - 1), "Largest picture that is fetched, in bytes."] = 64 * _MIB
    max_redirects: Annotated[int, WholeNumber(0, 10), "How many redirects are followed."] = 3


@dataclass(frozen=True, slots=True)
class SmtpSettings:
    """The mail server through which owners of webhooks are told of failures."""

    host: Annotated[str | None, Text("a host name or address"), "The mail server; not set: no mail is sent."] = None
    port: Annotated[int, WholeNumber(1, 65535), "Its port."] = 587
    encryption: Annotated[
        MailEncryption, OneOf(("starttls", "tls", "none")), "How the connection is protected; port 465 wants tls."
    ] = "starttls"
    user: Annotated[str | None, Text("a text"), "User name; not set: no login."] = None
    password: Annotated[str | None, Secret("a text"), "Password; better in the environment than in a file."] = None
    sender: Annotated[str, Text("a mail address"), "Whom the mail is from."] = "openplate@localhost"
    timeout_s: Annotated[float, Number(0.1, 600), "How long the mail server may take, in seconds."] = 30.0


@dataclass(frozen=True, slots=True)
class Settings:
    """The whole tree: sections, and settings with what they accept and what they mean."""

    limits: LimitSettings = LimitSettings()
    device: Annotated[
        Device,
        OneOf(DEVICES),
        "Where the networks run: cpu and cuda are ONNX Runtime, auto is cpu or else openvino.",
    ] = "auto"
    threads: Annotated[int, WholeNumber(1, 64), "Processor threads for one run of a network."] = 1
    workers: Annotated[
        int | None,
        WholeNumber(1, 256),
        "Pictures that one process works on at the same time; not set: as many as the processor has cores.",
    ] = None
    weights: Annotated[Path | None, Folder(), "Folder with the networks; not set: those that come with Openplate."] = (
        None
    )
    server: ServerSettings = ServerSettings()
    accounts: AccountSettings = AccountSettings()
    storage: StorageSettings = StorageSettings()
    webhooks: WebhookSettings = WebhookSettings()
    upload_url: UploadUrlSettings = UploadUrlSettings()
    smtp: SmtpSettings = SmtpSettings()
    watch: WatchSettings = field(default_factory=WatchSettings)
    scout: ScoutSection = field(default_factory=ScoutSection)
    mqtt: MqttSection = field(default_factory=MqttSection)
    cameras: tuple[CameraSettings, ...] = ()
    """The sections ``[cameras.NAME]`` of the file, in its order."""

    @property
    def token_required(self) -> bool:
        """Whether recognition asks for a token."""
        if self.accounts.require_token == "flavour":
            return self.server.flavour == "cloud"
        return self.accounts.require_token == "always"
