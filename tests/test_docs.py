"""Documentation that cannot rot: commands, options, settings, links, figures and what a file must not name."""

import re
import subprocess
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import typer

import secondlook
from scripts.write_figures import read_evidences, render_figures, replace_block
from secondlook.cli import app
from secondlook.clinic.configuration import PREFIX, Configuration

ROOT = Path(__file__).parents[1]
COMMANDS = ROOT / "docs" / "command-line.md"
SETTINGS = ROOT / "docs" / "settings.md"


def list_files() -> list[Path]:
    """Return every file that git tracks, or would."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    paths = [ROOT / name for name in listed.stdout.decode().split("\0") if name]
    return [path for path in paths if path.is_file()]


def walk_commands(command: Any, name: str) -> Iterator[tuple[str, Any]]:
    """Yield every command below a command (of click, which some versions of Typer bring along), and how to call it."""
    if hasattr(command, "commands"):
        for word, inner in command.commands.items():
            yield from walk_commands(inner, f"{name} {word}")
    else:
        yield name, command


def list_commands() -> dict[str, set[str]]:
    """Return every command with its options."""
    return {
        name: {
            option
            for parameter in command.params
            for option in (*parameter.opts, *parameter.secondary_opts)
            if option.startswith("--")
        }
        for name, command in walk_commands(typer.main.get_command(app), "secondlook")
    }


def read_sections(path: Path) -> dict[str, str]:
    """Return the text below each heading that names a command."""
    text = path.read_text(encoding="utf-8")
    starts = [*re.finditer(r"^#+ `?(secondlook [a-z -]+?)`?$", text, re.MULTILINE)]
    ends = [start.start() for start in starts[1:]] + [len(text)]
    return {start[1]: text[start.end() : end] for start, end in zip(starts, ends, strict=True)}


def test_every_command_has_a_section_and_every_section_a_command() -> None:
    assert set(read_sections(COMMANDS)) == set(list_commands())
    assert len(list_commands()) >= 8


@pytest.mark.parametrize(("command", "options"), list_commands().items())
def test_options_are_documented_as_they_are(command: str, options: set[str]) -> None:
    documented = set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", read_sections(COMMANDS)[command]))
    assert documented - {"--help"} == options - {"--help"}


def list_settings() -> set[str]:
    """Return every environment variable of ours that the code reads."""
    fields = {PREFIX + name.upper() for name in Configuration.model_fields}
    named = {
        name
        for path in (ROOT / "src").rglob("*.py")
        for name in re.findall(rf"[\"'`]({PREFIX}[A-Z_]*[A-Z])[\"'`]", path.read_text(encoding="utf-8"))
    }
    return fields | named


def test_every_setting_is_documented_and_every_documented_one_exists() -> None:
    documented = set(re.findall(rf"{PREFIX}[A-Z0-9_]*[A-Z]", SETTINGS.read_text(encoding="utf-8")))
    assert documented == list_settings()
    assert len(documented) >= 10


def list_pages() -> list[Path]:
    return [path for path in list_files() if path.suffix == ".md" and "node_modules" not in path.parts]


def name_anchors(text: str) -> set[str]:
    """Return the anchors that a page's headings get."""
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", list_pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", target):
            continue
        file, _, anchor = target.partition("#")
        found = (page.parent / file).resolve() if file else page
        assert found.exists(), f"{page.name} links to {target}"
        if anchor:
            assert anchor in name_anchors(found.read_text(encoding="utf-8")), f"{page.name} links to {target}"


def test_every_page_of_docs_is_in_its_index() -> None:
    index = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    pages = [path for path in list_pages() if path.parent == ROOT / "docs" and path.name != "README.md"]
    assert len(pages) >= 3
    assert [path.name for path in pages if f"]({path.name})" not in index] == []


# Spelt in pieces, so that this file does not name what it forbids.
FOLDERS = "|".join(["wo" + "rk", "ro" + "ot", "ho" + "me/[a-z]", "Us" + "ers/[A-Za-z]", "opt/(?:wheels|pypi)"])
HOSTS = [
    "py" + "pi.org",
    "python" + "hosted.org",
    "registry." + "npmjs.org",
    "registry.yarn" + "pkg.com",
    "deb." + "debian.org",
]
FORBIDDEN = re.compile(rf"(?<![\w.}}/-])/(?:{FOLDERS})[/\w]|" + "|".join(re.escape(host) for host in HOSTS))


def test_no_file_names_a_machine_path_or_a_registry_host() -> None:
    found = []
    for path in list_files():
        text = path.read_bytes().decode(encoding="utf-8", errors="ignore")
        found += [f"{path.relative_to(ROOT)}: {match[0]}" for match in FORBIDDEN.finditer(text)]
    assert found == []


@pytest.mark.parametrize("text", ["see /wo" + "rk/main", "in '/ro" + "ot/x'", "from py" + "pi.org"])
def test_the_search_finds_what_it_forbids(text: str) -> None:
    assert FORBIDDEN.search(text)


def test_one_version_number() -> None:
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"\nversion: {secondlook.__version__}\n" in citation
    assert "## [Unreleased]" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("job", ["data source", "model", "language"])
def test_contributing_tells_each_job_in_under_ten_lines(job: str) -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    headings = [*re.finditer(r"^## (.+)$", text, re.MULTILINE), None]
    sections = {
        start[1]: text[start.end() : end.start() if end else len(text)]
        for start, end in pairwise(headings)
        if start is not None
    }
    lines = [line for line in sections[f"Add a {job}"].splitlines() if line.strip()]
    assert 0 < len(lines) < 10
    for name in re.findall(r"`((?:src|tests|docs|scripts)/[\w/.-]+)`", "\n".join(lines)):
        assert (ROOT / name).exists(), f"CONTRIBUTING.md names {name}"


def test_figures_in_the_readme_are_those_of_the_shipped_evidence() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert replace_block(text, render_figures(read_evidences())) == text
