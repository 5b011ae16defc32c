"""Production settings pass Django's own checks, and lead to HTTPS."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

PRODUCTION = {
    "SECONDLOOK_MODE": "production",
    "SECONDLOOK_SECRET_KEY": "a-long-and-varied-key-that-nobody-will-ever-guess-0123456789",
    "SECONDLOOK_FILES_KEY": "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=",
    "SECONDLOOK_EMAIL_URL": "console:",
    "SECONDLOOK_ALLOWED_HOSTS": "look.example",
}
REDIRECT = """
import django
django.setup()
from django.test import Client
client = Client(headers={"host": "look.example"})
print(client.get("/").headers["Location"], client.get("/healthz").status_code)
response = client.get("/account/login/", secure=True)
print(response.headers["Strict-Transport-Security"])
cookie = response.cookies["__Host-csrf"]
print(cookie["secure"], cookie["httponly"], cookie["path"], cookie["domain"], cookie["samesite"])
client.post("/language/", {"language": "fr"}, secure=True)
print(sorted(client.cookies))
"""


@pytest.fixture
def environment(tmp_path: Path, site_bundle: Path) -> dict[str, str]:
    """Return the environment of a production site."""
    own = {"DJANGO_SETTINGS_MODULE": "secondlook.clinic.settings", "SECONDLOOK_DATA_FOLDER": str(tmp_path)}
    return {**os.environ, **own, **PRODUCTION, "SECONDLOOK_BUNDLES": str(site_bundle)}


def run(environment: dict[str, str], *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run Python to its end."""
    command = [sys.executable, *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)


def test_production_settings_pass_the_deployment_checks(environment: dict[str, str]) -> None:
    ended = run(environment, "-m", "django", "check", "--deploy", "--fail-level", "WARNING")
    assert ended.returncode == 0, ended.stderr
    assert "no issues" in ended.stdout


def test_local_settings_would_not_pass_them(environment: dict[str, str]) -> None:
    local = environment | {"SECONDLOOK_MODE": "local"}
    assert run(local, "-m", "django", "check", "--deploy", "--fail-level", "WARNING").returncode == 1


def test_production_leads_to_https_with_cookies_of_this_host_alone_but_answers_probes(
    environment: dict[str, str],
) -> None:
    run(environment, "-c", "from secondlook.clinic.server import prepare; prepare()")
    ended = run(environment, "-c", REDIRECT)
    assert ended.stdout.splitlines() == [
        "https://look.example/ 200",
        "max-age=31536000; includeSubDomains; preload",
        "True True /  Strict",
        "['__Host-csrf', '__Host-language']",
    ], ended.stderr
