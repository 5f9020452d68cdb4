"""Openplate's settings: one strict tree; every setting has a default, a range and a description.

A value comes from the command line, else from the environment (``OPENPLATE_LIMITS_MAX_BYTES`` is
``limits.max_bytes``), else from a TOML file (``--settings`` or ``OPENPLATE_SETTINGS``), else it is the
default. Unknown names are errors, wherever they stand. Only the command line and the services know that
settings exist: everything that computes takes arguments.
"""

from openplate.settings.loading import (
    FILE_VARIABLE,
    PREFIX,
    LoadedSettings,
    SettingDescription,
    describe_settings,
    load_settings,
    shown_values,
)
from openplate.settings.tree import (
    FLAVOURS,
    AccountSettings,
    Flavour,
    Keep,
    LimitSettings,
    MailEncryption,
    ServerSettings,
    Settings,
    SmtpSettings,
    StorageSettings,
    TokenRule,
    UploadUrlSettings,
    WebhookSettings,
)

__all__ = [
    "FILE_VARIABLE",
    "FLAVOURS",
    "PREFIX",
    "AccountSettings",
    "Flavour",
    "Keep",
    "LimitSettings",
    "LoadedSettings",
    "MailEncryption",
    "ServerSettings",
    "SettingDescription",
    "Settings",
    "SmtpSettings",
    "StorageSettings",
    "TokenRule",
    "UploadUrlSettings",
    "WebhookSettings",
    "describe_settings",
    "load_settings",
    "shown_values",
]
