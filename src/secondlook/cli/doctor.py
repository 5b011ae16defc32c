"""`secondlook doctor`: what works on this machine, what is missing, and how to get it."""

import importlib
import importlib.util
import json
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

CORE = ("numpy", "PIL", "onnxruntime", "pydantic", "pandas", "yaml", "typer", "rich")
SITE = ("django", "ninja", "csp", "whitenoise", "uvicorn")
TRAINING = ("torch", "torchvision", "timm", "onnx", "onnxscript", "safetensors", "matplotlib")
REPORTS = ("matplotlib", "weasyprint")
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
NEEDED_DISK_GB, NEEDED_MEMORY_GB = 1.0, 1.0


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        name: What it is.
        works: Whether it works.
        core: Whether `secondlook predict` needs it.
        found: What was found.
        cure: What to do when it does not work.
    """

    name: str
    works: bool
    core: bool
    found: str
    cure: str


def doctor(as_json: Annotated[bool, typer.Option("--json", help="Write JSON.")] = False) -> None:
    """Say what works on this machine, what is missing, and how to get it; exit 1 if pictures cannot be predicted."""
    findings = [finding for check in CHECKS for finding in check()]
    if as_json:
        sys.stdout.write(json.dumps([asdict(finding) for finding in findings], indent=2, ensure_ascii=False) + "\n")
    else:
        print_findings(findings)
    if any(finding.core and not finding.works for finding in findings):
        raise typer.Exit(1)


def print_findings(findings: list[Finding]) -> None:
    """Print a table of findings and one sentence that sums them up."""
    table = Table("", "What", "Found", "What to do")
    for finding in findings:
        mark = Text("works", "green") if finding.works else Text("missing", "bold red" if finding.core else "yellow")
        table.add_row(mark, Text(finding.name), Text(finding.found), Text("" if finding.works else finding.cure))
    console = Console(width=None if sys.stdout.isatty() else 140)
    console.print(table)
    broken = [finding.name for finding in findings if finding.core and not finding.works]
    verdict = f"Predicting does not work: {', '.join(broken)}." if broken else "Predicting works."
    console.print(Text(verdict, "bold red" if broken else "bold green"))
    if any("pip install" in finding.cure for finding in findings if not finding.works):
        console.print(Text("`pip` is the one of this installation: `.venv/bin/pip` after `make run`."))


def check_python() -> Iterator[Finding]:
    """Look at the interpreter."""
    fits = sys.version_info >= (3, 11)
    yield Finding("Python", fits, True, platform.python_version(), "Install Python 3.11 or newer.")


def check_packages() -> Iterator[Finding]:
    """Look for every package that a face of Secondlook needs."""
    again = "Install again, in the folder that holds Secondlook: pip install --force-reinstall ."
    yield import_packages("Predicting", CORE, core=True, cure=again)
    yield find_packages("Web application", SITE, cure=again)
    yield import_packages("DICOM pictures", ("pydicom", "openjpeg", "rle"), core=False, cure=again)
    yield import_packages("HEIC pictures", ("pillow_heif",), core=False, cure="pip install 'secondlook[heic]'")
    yield import_packages(
        "Reports of evaluation", REPORTS, core=False, cure="pip install 'secondlook[report]'; and by the system Pango"
    )
    yield import_packages("Training", TRAINING, core=False, cure="pip install 'secondlook[train]' (about 6 GB)")


def import_packages(name: str, modules: tuple[str, ...], *, core: bool, cure: str) -> Finding:
    """Return whether all modules can be imported, and what stands in the way."""
    for module in modules:
        try:
            importlib.import_module(module)
        except Exception as error:  # noqa: BLE001 - a broken binary package raises anything
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            return Finding(name, False, core, f"{module}: {reason}", cure)
    return Finding(name, True, core, ", ".join(modules), cure)


def find_packages(name: str, modules: tuple[str, ...], *, cure: str) -> Finding:
    """Return whether all modules are there; some of Django's cannot be imported without a site's settings."""
    missing = [module for module in modules if importlib.util.find_spec(module) is None]
    return Finding(name, not missing, False, f"no {', '.join(missing)}" if missing else ", ".join(modules), cure)


def check_inference() -> Iterator[Finding]:
    """Look at ONNX Runtime's version and what it can run on."""
    cure = "pip install --force-reinstall onnxruntime"
    try:
        import onnxruntime
    except ImportError as error:
        yield Finding("ONNX Runtime", False, True, str(error), cure)
        return
    providers = onnxruntime.get_available_providers()
    found = f"{onnxruntime.__version__}: {', '.join(providers)}"
    yield Finding("ONNX Runtime", "CPUExecutionProvider" in providers, True, found, cure)


def check_bundles() -> Iterator[Finding]:
    """Open every bundle that this installation ships."""
    cure = "Fetch the bundle again: install secondlook again, or restore src/secondlook/bundles from the repository."
    from secondlook.errors import BundleError

    try:
        from secondlook.inference.bundle import find_bundle, list_bundles, open_bundle
    except ImportError as error:
        yield Finding("Bundles", False, True, f"cannot be opened without {error.name}", "See the packages above.")
        return
    names = list_bundles()
    if not names:
        yield Finding("Bundles", False, True, "this installation ships none", cure)
    for name in names:
        try:
            bundle = open_bundle(find_bundle(name))
        except BundleError as error:
            yield Finding(f"Bundle {name}", False, True, str(error), cure)
        else:
            yield Finding(f"Bundle {name}", True, True, f"{bundle.facts.version}, {bundle.sha256[:12]}", cure)


def check_accelerator() -> Iterator[Finding]:
    """Look for a GPU that training could use."""
    cure = "None is needed; with an NVIDIA GPU and its driver, training is many times faster."
    try:
        import torch
    except (ImportError, OSError):
        return
    works = torch.cuda.is_available()
    yield Finding("GPU for training", works, False, torch.cuda.get_device_name() if works else "none", cure)


def check_browser() -> Iterator[Finding]:
    """Look for the browser that the project's own tests drive."""
    found = next((name for name in BROWSERS if shutil.which(name)), None)
    yield Finding("Browser for tests", found is not None, False, found or "none", "apt-get install chromium")


def check_machine() -> Iterator[Finding]:
    """Look at cores, memory and disk."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    yield Finding("Cores", True, False, f"{cores} of {os.cpu_count()} may be used", "")
    memory = find_memory_gb()
    if memory is not None:
        enough = memory >= NEEDED_MEMORY_GB
        yield Finding("Memory", enough, False, f"{memory:.1f} GB", "The largest pictures need 1 GB; give it more.")
    disk = shutil.disk_usage(Path.cwd()).free / 1e9
    enough = disk >= NEEDED_DISK_GB
    yield Finding("Disk", enough, False, f"{disk:.1f} GB free here", "Free some: a run and its cache take about 1 GB.")


def find_memory_gb() -> float | None:
    """Return the machine's memory, or nothing where the system does not tell."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    except (AttributeError, ValueError, OSError):
        return None


def check_cache() -> Iterator[Finding]:
    """Try to write to the folder where training keeps decoded pictures."""
    cure = "Set SECONDLOOK_CACHE to a folder that you may write to."
    try:
        from secondlook.training.dataset import find_cache_folder
    except ImportError:
        return  # without what training needs there is nothing to keep
    folder = find_cache_folder()
    shown = str(folder).replace(str(Path.home()), "~", 1)
    existing = next(path for path in (folder, *folder.absolute().parents) if path.is_dir())
    try:
        with tempfile.TemporaryFile(dir=existing):
            yield Finding("Cache folder", True, False, shown, cure)
    except OSError as error:
        yield Finding("Cache folder", False, False, f"{shown}: {error.strerror}", cure)


CHECKS: tuple[Callable[[], Iterator[Finding]], ...] = (
    check_python,
    check_packages,
    check_inference,
    check_bundles,
    check_accelerator,
    check_browser,
    check_machine,
    check_cache,
)
