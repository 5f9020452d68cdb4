"""Settings: where values come from, what is accepted, and that every setting is described."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openplate.errors import OpenplateError, SettingsError
from openplate.imaging import DEFAULT_LIMITS
from openplate.settings import LimitSettings, Settings, StorageSettings, describe_settings, load_settings, shown_values


def write(folder: Path, text: str) -> Path:
    path = folder / "settings.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_without_anything_all_are_defaults() -> None:
    loaded = load_settings(environment={})
    assert loaded.settings == Settings()
    assert set(loaded.sources.values()) == {"default"}


def test_the_limits_are_those_of_imaging() -> None:
    assert asdict(LimitSettings()) == asdict(DEFAULT_LIMITS)


def test_each_layer_goes_before_those_below_it(tmp_path: Path) -> None:
    path = write(tmp_path, 'device = "cpu"\nthreads = 2\nworkers = 2\n[limits]\nmax_bytes = 1000\n')
    loaded = load_settings(
        path,
        environment={"OPENPLATE_THREADS": "3", "OPENPLATE_WORKERS": "3", "OPENPLATE_LIMITS_MAX_PIXELS": "9"},
        command_line={"workers": 4, "device": None},
    )
    assert loaded.settings == Settings(
        limits=LimitSettings(max_bytes=1000, max_pixels=9), device="cpu", threads=3, workers=4
    )
    given_sources = {name: source for name, source in loaded.sources.items() if source != "default"}
    assert given_sources == {
        "limits.max_bytes": f"file {path}",
        "limits.max_pixels": "environment OPENPLATE_LIMITS_MAX_PIXELS",
        "device": f"file {path}",
        "threads": "environment OPENPLATE_THREADS",
        "workers": "command line",
    }


def test_the_environment_names_the_file_unless_the_caller_does(tmp_path: Path) -> None:
    path = write(tmp_path, "threads = 2")
    other = tmp_path / "other.toml"
    other.write_text("threads = 5")
    environment = {"OPENPLATE_SETTINGS": str(path)}
    assert load_settings(environment=environment).settings.threads == 2
    assert load_settings(other, environment).settings.threads == 5


def test_empty_and_foreign_variables_are_left_alone() -> None:
    environment = {"OPENPLATE_DEVICE": "", "OPENPLATE_DATA": "anywhere", "PATH": "x", "OPENPLATES": "x"}
    assert load_settings(environment=environment).settings == Settings()


def test_the_environment_is_that_of_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENPLATE_THREADS", "7")
    assert load_settings().settings.threads == 7
    assert load_settings(environment={}).settings.threads == 1


def test_another_folder_of_networks_must_exist(tmp_path: Path) -> None:
    assert load_settings(environment={"OPENPLATE_WEIGHTS": str(tmp_path)}).settings.weights == tmp_path
    for wrong in (tmp_path / "gone", "long" * 1000):
        with pytest.raises(SettingsError, match="OPENPLATE_WEIGHTS must be a folder that exists, not '"):
            load_settings(environment={"OPENPLATE_WEIGHTS": str(wrong)})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("thread = 2", "'thread' is no setting; did you mean 'threads'?"),
        ("[limits]\nmax_byte = 2", "'limits.max_byte' is no setting; did you mean 'limits.max_bytes'?"),
        ("[limit]\nmax_bytes = 2", "'limit' is no setting; did you mean 'limits'?"),
        ("qqq = 2", "'qqq' is no setting; there are: limits.max_bytes, limits.max_pixels, device"),
        ("limits = 3", "limits is a section, [limits], not a value"),
        ("[device]\nname = 2", "device must be one of auto, cpu, cuda, openvino, not {'name': 2}"),
        ('device = "gpu"', "device must be one of auto, cpu, cuda, openvino, not 'gpu'"),
        ("device = 1", "device must be one of auto, cpu, cuda, openvino, not 1"),
        ("threads = 0", "threads must be a whole number from 1 to 64, not 0"),
        ("threads = 65", "threads must be a whole number from 1 to 64, not 65"),
        ("threads = true", "threads must be a whole number from 1 to 64, not True"),
        ("threads = 2.0", "threads must be a whole number from 1 to 64, not 2.0"),
        ('threads = "2"', "threads must be a whole number from 1 to 64, not '2'"),
        ("weights = 3", "weights must be a folder that exists, not 3"),
        ("[server]\nprot = 1", "'server.prot' is no setting; did you mean 'server.port'?"),
        ('[server]\nflavour = "SDK"', "server.flavour must be one of sdk, cloud, not 'SDK'"),
        ("[server]\nsuccess_status = 204", "server.success_status must be a whole number from 200 to 201, not 204"),
        ('[server]\nhost = "a\\nb"', "server.host must be a host name or address, not 'a\\nb'"),
        ('[server]\nhost = ""', "server.host must be a host name or address, not ''"),
        ("[webhooks]\nallow_private = 1", "webhooks.allow_private must be true or false, not 1"),
        ("[webhooks]\ntimeout_s = nan", "webhooks.timeout_s must be a number from 0.1 to 600, not nan"),
        ("[webhooks]\ntimeout_s = true", "webhooks.timeout_s must be a number from 0.1 to 600, not True"),
        ('[storage]\nurl = "mysql://x/y"', "storage.url must be a URL that starts with sqlite: or postgresql:"),
        ("[smtp]\npassword = 77", "smtp.password must be a text, not ******"),
        ("threads = ", "is not TOML"),
        ("threads = 1\nthreads = 2", "is not TOML"),
    ],
)
def test_what_is_wrong_in_a_file_is_named_with_the_file(tmp_path: Path, text: str, expected: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(SettingsError) as failure:
        load_settings(path, environment={})
    assert expected in str(failure.value)
    assert str(path) in str(failure.value)


@pytest.mark.parametrize(
    ("variable", "text", "expected"),
    [
        ("OPENPLATE_THREAD", "2", "'OPENPLATE_THREAD' is no setting; did you mean 'OPENPLATE_THREADS'?"),
        ("OPENPLATE_SETTING", "x", "did you mean 'OPENPLATE_SETTINGS'?"),
        ("OPENPLATE_THREADS", "two", "OPENPLATE_THREADS must be a whole number from 1 to 64, not 'two'"),
        ("OPENPLATE_THREADS", "-1", "OPENPLATE_THREADS must be a whole number from 1 to 64, not '-1'"),
        ("OPENPLATE_THREADS", "9" * 5000, "OPENPLATE_THREADS must be a whole number from 1 to 64"),
        ("OPENPLATE_UPLOAD_URL_ENABLED", "True", "OPENPLATE_UPLOAD_URL_ENABLED must be true or false, not 'True'"),
        ("OPENPLATE_SMTP_TIMEOUT_S", "inf", "OPENPLATE_SMTP_TIMEOUT_S must be a number from 0.1 to 600, not 'inf'"),
        ("OPENPLATE_DEVICE", "GPU", "OPENPLATE_DEVICE must be one of auto, cpu, cuda, openvino, not 'GPU'"),
    ],
)
def test_what_is_wrong_in_the_environment_is_named(variable: str, text: str, expected: str) -> None:
    with pytest.raises(SettingsError) as failure:
        load_settings(environment={variable: text})
    assert expected in str(failure.value)


def test_the_sections_of_the_server_are_read_from_both(tmp_path: Path) -> None:
    path = write(tmp_path, "[server]\nport = 9000\n[upload_url]\nallow_private = true\n[webhooks]\ntimeout_s = 2\n")
    environment = {
        "OPENPLATE_SMTP_TIMEOUT_S": "0.5",
        "OPENPLATE_UPLOAD_URL_ENABLED": "false",
        "OPENPLATE_STORAGE_DATA_FOLDER": str(tmp_path / "later"),
    }
    settings = load_settings(path, environment).settings
    assert (settings.server.port, settings.server.host) == (9000, "127.0.0.1")
    assert (settings.upload_url.enabled, settings.upload_url.allow_private) == (False, True)
    assert (settings.webhooks.timeout_s, settings.smtp.timeout_s) == (2.0, 0.5)
    assert settings.storage.data_folder == tmp_path / "later"


def test_the_folder_for_data_may_be_made_later_but_is_no_file(tmp_path: Path) -> None:
    path = write(tmp_path, "")
    with pytest.raises(SettingsError, match="must be a folder; it is made where it is missing"):
        load_settings(environment={"OPENPLATE_STORAGE_DATA_FOLDER": str(path)})


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://anna:geheim@db:5432/plates", "postgresql://anna:******@db:5432/plates"),
        ("postgresql+psycopg://anna:a%40b:c@[::1]/x", "postgresql+psycopg://anna:******@[::1]/x"),
        ("postgresql:///plates?host=/run/postgresql", "postgresql:///plates?host=/run/postgresql"),
        ("sqlite:////var/lib/openplate/x.db", "sqlite:////var/lib/openplate/x.db"),
        (None, None),
    ],
)
def test_secrets_are_hidden(url: str | None, shown: str | None) -> None:
    values = shown_values(Settings(storage=StorageSettings(url=url)))
    assert values["storage.url"] == shown
    assert values["smtp.password"] is None
    told = load_settings(environment={"OPENPLATE_SMTP_PASSWORD": "geheim"}).settings
    assert shown_values(told)["smtp.password"] == "******"


def test_a_refused_database_is_not_repeated_with_its_password() -> None:
    with pytest.raises(SettingsError) as failure:
        load_settings(environment={"OPENPLATE_STORAGE_URL": "mysql://anna:geheim@db/x"})
    assert "geheim" not in str(failure.value)


def test_what_is_wrong_on_the_command_line_is_named() -> None:
    with pytest.raises(SettingsError, match="the command line: workers must be a whole number from 1 to 256"):
        load_settings(environment={}, command_line={"workers": 0})
    with pytest.raises(SettingsError, match="the command line: 'worker' is no setting; did you mean 'work"):
        load_settings(environment={}, command_line={"worker": 1})


def test_a_file_that_cannot_be_read_says_why(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"gone\.toml cannot be read: No such file"):
        load_settings(tmp_path / "gone.toml", environment={})
    with pytest.raises(SettingsError, match=r"cannot be read: Is a directory"):
        load_settings(tmp_path, environment={})
    binary = tmp_path / "binary.toml"
    binary.write_bytes(b"\xff\x00")
    with pytest.raises(SettingsError, match=r"binary\.toml is not TOML"):
        load_settings(binary, environment={})
    assert issubclass(SettingsError, OpenplateError)


LEAVES = st.one_of(st.integers(), st.text(), st.booleans(), st.floats(), st.none(), st.lists(st.integers()))


@given(st.dictionaries(st.sampled_from([leaf.name for leaf in describe_settings()]), LEAVES))
def test_any_value_is_accepted_whole_or_refused_by_name(values: dict[str, Any]) -> None:
    try:
        loaded = load_settings(environment={}, command_line=values)
    except SettingsError as error:
        assert any(f"{name} must be " in str(error) for name in values)  # noqa: PT017  # either is right
    else:
        given_names = {name for name, value in values.items() if value is not None}
        assert {name for name, source in loaded.sources.items() if source == "command line"} == given_names


def test_every_setting_is_described_for_people() -> None:
    descriptions = {entry.name: entry for entry in describe_settings()}
    assert list(descriptions) == list(load_settings(environment={}).sources)
    for entry in descriptions.values():
        assert entry.accepts
        assert entry.description.endswith(".")
    pixels = descriptions["limits.max_pixels"]
    assert pixels.variable == "OPENPLATE_LIMITS_MAX_PIXELS"
    assert pixels.default == 100_000_000
    assert pixels.accepts == "a whole number from 1 to 1073741824"


def test_settings_cost_little_to_import() -> None:
    heavy = ("numpy", "cv2", "pydantic")
    code = f"import sys, openplate.settings; print([name for name in {heavy} if name in sys.modules])"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert ran.stdout == "[]\n"
