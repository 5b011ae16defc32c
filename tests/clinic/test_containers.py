"""The container files fit together and name settings and commands that exist; nothing is built here."""

import re
from pathlib import Path
from typing import Any

import typer
import yaml

from secondlook.cli import app
from secondlook.clinic.configuration import PREFIX, Configuration

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = ("web", "worker")


def list_names(named: Any) -> list[str]:
    """Return what a service names, written as a list or as a table."""
    return list(named or [])


def test_every_setting_that_they_name_exists() -> None:
    named = {name for service in OURS for name in SERVICES[service]["environment"]}
    named |= set(re.findall(rf"{PREFIX}[A-Z0-9_]*[A-Z]", DOCKERFILE))
    assert len(named) > 10
    assert named <= {PREFIX + name.upper() for name in Configuration.model_fields}


def test_production_starts_with_what_they_set(tmp_path: Path, monkeypatch: Any) -> None:
    import os

    for name in list(os.environ):
        if name.startswith(PREFIX):
            monkeypatch.delenv(name)
    for name, value in SERVICES["web"]["environment"].items():
        monkeypatch.setenv(name, re.sub(r"\$\{[^}]*\}", "look.example", str(value)))
    monkeypatch.setenv(f"{PREFIX}MODE", "production")
    configuration = Configuration()
    assert configuration.mode == "production"
    assert configuration.s3_bucket == "pictures"


def test_every_command_exists() -> None:
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]  # it is a group
    for service in OURS:
        program, command, *options = SERVICES[service]["command"]
        assert program == "secondlook"
        known = {option for parameter in commands[command].params for option in parameter.opts}
        assert {option for option in options if option.startswith("--")} <= known


def test_secrets_volumes_and_services_that_they_name_are_there() -> None:
    for name, service in SERVICES.items():
        assert set(list_names(service.get("secrets"))) <= set(COMPOSE["secrets"]), name
        assert set(list_names(service.get("depends_on"))) <= set(SERVICES), name
        volumes = {volume.partition(":")[0] for volume in list_names(service.get("volumes"))}
        assert volumes <= set(COMPOSE["volumes"]), name


def test_no_secret_stands_in_them() -> None:
    for name, service in SERVICES.items():
        for variable, value in (service.get("environment") or {}).items():
            if re.search("KEY$|PASSWORD$|SECRET$|DATABASE_URL$", variable) and variable != f"{PREFIX}S3_ACCESS_KEY":
                raise AssertionError(f"{name} has {variable} in its environment: {value}")


def test_the_image_runs_as_nobody_in_particular_and_says_that_it_was_not_built() -> None:
    assert re.search(r"^USER \d+$", DOCKERFILE, re.MULTILINE)
    assert "not built" in DOCKERFILE.splitlines()[0]
    assert "not run" in (ROOT / "compose.yaml").read_text(encoding="utf-8").splitlines()[1]
