"""Settings from the environment: what is taken, and the sentences for what is refused."""

import base64
import stat
from pathlib import Path

import pytest

from secondlook.clinic.configuration import (
    LOOPBACK,
    choose_database,
    load_configuration,
    read_files_key,
    read_secret_key,
)
from secondlook.errors import InputError
from secondlook.inference.bundle import list_bundles

FILES_KEY = base64.b64encode(bytes(range(32))).decode()
KEY = "a-long-and-varied-key-that-nobody-will-ever-guess-0123456789"


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Start without any setting of ours."""
    import os

    for name in list(os.environ):
        if name.startswith("SECONDLOOK_") or name == "DATABASE_URL":
            monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))


def test_nothing_needs_to_be_set(tmp_path: Path) -> None:
    configuration = load_configuration()
    assert configuration.mode == "local"
    assert configuration.allowed_hosts == LOOPBACK
    assert configuration.bundles[0] == "skin"
    assert set(configuration.bundles) == set(list_bundles())
    assert configuration.data_folder == tmp_path / "secondlook"


def test_lists_are_split_at_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECONDLOOK_BUNDLES", "skin, /srv/mole ,")
    assert load_configuration().bundles == ("skin", "/srv/mole")


def test_an_empty_variable_is_no_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECONDLOOK_ALLOWED_HOSTS", "")
    assert load_configuration().allowed_hosts == LOOPBACK


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("MODE", "debug", "SECONDLOOK_MODE: input should be 'local' or 'production', got 'debug'"),
        ("LANGUAGE", "de", "SECONDLOOK_LANGUAGE: input should be 'en' or 'fr', got 'de'"),
        ("LOG_LEVEL", "loud", "SECONDLOOK_LOG_LEVEL: "),
        ("BUNDLES", " , ", "SECONDLOOK_BUNDLES: "),
        ("ALOWED_HOSTS", "x", "SECONDLOOK_ALOWED_HOSTS is unknown, SECONDLOOK_ALLOWED_HOSTS is meant"),
    ],
)
def test_wrong_settings_are_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str, sentence: str) -> None:
    monkeypatch.setenv(f"SECONDLOOK_{name}", value)
    with pytest.raises(InputError) as caught:
        load_configuration()
    assert sentence in str(caught.value)


def test_all_wrong_settings_are_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECONDLOOK_MODE", "x")
    monkeypatch.setenv("SECONDLOOK_LANGUAGE", "x")
    with pytest.raises(InputError, match=r"MODE.*LANGUAGE"):
        load_configuration()


def test_variables_of_other_tools_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECONDLOOK_DATA", "somewhere")
    load_configuration()


def test_production_tells_all_that_it_lacks_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECONDLOOK_MODE", "production")
    with pytest.raises(InputError) as refused:
        load_configuration()
    for name in ("SECRET_KEY", "FILES_KEY", "EMAIL_URL", "ALLOWED_HOSTS"):
        assert f"production needs SECONDLOOK_{name}" in str(refused.value)


@pytest.mark.parametrize(
    ("settings", "missing"),
    [
        ({"ALLOWED_HOSTS": "look.example"}, "SECONDLOOK_SECRET_KEY"),
        ({"SECRET_KEY": KEY, "ALLOWED_HOSTS": "look.example"}, "SECONDLOOK_FILES_KEY"),
        ({"SECRET_KEY": KEY, "FILES_KEY": FILES_KEY, "ALLOWED_HOSTS": "look.example"}, "SECONDLOOK_EMAIL_URL"),
        ({"SECRET_KEY": KEY, "FILES_KEY": FILES_KEY, "EMAIL_URL": "console:"}, "SECONDLOOK_ALLOWED_HOSTS"),
        (
            {"SECRET_KEY": KEY, "FILES_KEY": FILES_KEY, "EMAIL_URL": "console:", "ALLOWED_HOSTS": "*"},
            "SECONDLOOK_ALLOWED_HOSTS",
        ),
    ],
)
def test_production_demands_keys_and_hosts(
    monkeypatch: pytest.MonkeyPatch, settings: dict[str, str], missing: str
) -> None:
    for name, value in {"MODE": "production", **settings}.items():
        monkeypatch.setenv(f"SECONDLOOK_{name}", value)
    with pytest.raises(InputError, match=missing) as caught:
        load_configuration()
    assert KEY not in str(caught.value)
    assert FILES_KEY not in str(caught.value)


def test_a_database_may_be_named_under_its_usual_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgres://anna:secret@db/look")
    chosen = choose_database(load_configuration())
    assert (chosen["ENGINE"], chosen["HOST"], chosen["NAME"]) == ("django.db.backends.postgresql", "db", "look")
    monkeypatch.setenv("SECONDLOOK_DATABASE_URL", "sqlite:////srv/look.sqlite3")
    chosen = choose_database(load_configuration())
    assert (chosen["NAME"], chosen["OPTIONS"]["transaction_mode"]) == ("/srv/look.sqlite3", "IMMEDIATE")


@pytest.mark.parametrize("url", ["mysql://anna:secret@db/look", "nonsense", "postgres://anna:secret@db:port/look"])
def test_a_database_that_cannot_be_used_is_refused_and_not_shown(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("SECONDLOOK_DATABASE_URL", url)
    with pytest.raises(InputError, match="SECONDLOOK_DATABASE_URL") as caught:
        choose_database(load_configuration())
    assert url not in str(caught.value)
    assert "secret" not in str(caught.value)


def test_two_keys_are_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SECONDLOOK_SECRET_KEY", KEY)
    monkeypatch.setenv("SECONDLOOK_SECRET_KEY_FILE", str(tmp_path / "key"))
    with pytest.raises(InputError, match="not both"):
        load_configuration()


def test_a_local_key_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    configuration = load_configuration()
    key = read_secret_key(configuration)
    assert read_secret_key(configuration) == key
    assert len(key) >= 50
    mode = (tmp_path / "secondlook" / "secret-key").stat().st_mode
    assert stat.S_IMODE(mode) == 0o600


def test_a_key_comes_from_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "key").write_text(f"{KEY}\n")
    monkeypatch.setenv("SECONDLOOK_SECRET_KEY_FILE", str(tmp_path / "key"))
    assert read_secret_key(load_configuration()) == KEY


@pytest.mark.parametrize("content", [None, "short", "a" * 80])
def test_a_bad_key_file_is_refused_without_its_path(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: str | None
) -> None:
    if content:
        (tmp_path / "key").write_text(content)
    monkeypatch.setenv("SECONDLOOK_SECRET_KEY_FILE", str(tmp_path / "key"))
    with pytest.raises(InputError, match="secret key") as caught:
        read_secret_key(load_configuration())
    assert str(tmp_path) not in str(caught.value)


def test_a_local_key_for_files_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    configuration = load_configuration()
    key = read_files_key(configuration)
    assert read_files_key(configuration) == key
    assert len(key) == 32
    assert stat.S_IMODE((tmp_path / "secondlook" / "files-key").stat().st_mode) == 0o600


@pytest.mark.parametrize("text", [FILES_KEY, "_-_-" * 10 + "AbC="])
def test_a_key_for_files_comes_in_either_base64(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str) -> None:
    monkeypatch.setenv("SECONDLOOK_FILES_KEY", text)
    assert read_files_key(load_configuration()) == base64.b64decode(text.translate(str.maketrans("-_", "+/")))
    assert not (tmp_path / "secondlook").exists()


@pytest.mark.parametrize("text", ["secret", KEY, base64.b64encode(bytes(range(16))).decode(), "A" * 43 + "="])
def test_a_bad_key_for_files_is_refused_and_not_shown(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("SECONDLOOK_FILES_KEY", text)
    with pytest.raises(InputError, match="openssl rand -base64 32") as caught:
        read_files_key(load_configuration())
    assert text not in str(caught.value)


def test_a_data_folder_that_cannot_be_made_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("SECONDLOOK_DATA_FOLDER", str(tmp_path / "file" / "data"))
    with pytest.raises(InputError, match="SECONDLOOK_DATA_FOLDER"):
        read_secret_key(load_configuration())
