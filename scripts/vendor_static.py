"""Bring Bootstrap and htmx from their npm packages into the repository, with their licences.

Run it after a change of a version below; it needs npm and a network. The server never does.
"""

import hashlib
import json
import re
import subprocess
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[1] / "src/secondlook/clinic/static/vendor"
SOURCE_MAP = re.compile(r"\s*(/\*|//)# sourceMappingURL=\S+( \*/)?\s*$")


@dataclass(frozen=True)
class Package:
    """An npm package and the files of it that the page uses."""

    name: str
    version: str
    folder: str
    files: tuple[str, ...]


# htmx 4 sends with fetch, which reports no progress of an upload; version 2 does.
PACKAGES = (
    Package("bootstrap", "5.3.8", "bootstrap", ("dist/css/bootstrap.min.css", "LICENSE")),
    Package("htmx.org", "2.0.11", "htmx", ("dist/htmx.min.js", "LICENSE")),
)


def fetch_package(package: Package, folder: Path) -> dict[str, bytes]:
    """Return the wanted files of a package, as npm delivers and verifies them."""
    subprocess.run(["npm", "pack", "--silent", f"{package.name}@{package.version}"], cwd=folder, check=True)
    (archive,) = folder.glob("*.tgz")
    with tarfile.open(archive) as tar:
        found = {name: tar.extractfile(f"package/{name}") for name in package.files}
        return {Path(name).name: stream.read() for name, stream in found.items() if stream is not None}


def vendor_package(package: Package) -> dict[str, object]:
    """Write the files of one package and return its entry for the list."""
    target = FOLDER / package.folder
    target.mkdir(parents=True, exist_ok=True)
    sums = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, content in fetch_package(package, Path(folder)).items():
            # The maps are not brought along, and a link to a missing file breaks the hashed names.
            text = SOURCE_MAP.sub("", content.decode()).rstrip() + "\n"
            (target / name).write_text(text, encoding="utf-8", newline="\n")
            sums[f"{package.folder}/{name}"] = hashlib.sha256(text.encode()).hexdigest()
    return {"name": package.name, "version": package.version, "sha256": sums}


def main() -> None:
    """Vendor every package and write the list of what is there."""
    entries = [vendor_package(package) for package in PACKAGES]
    (FOLDER / "vendored.json").write_text(json.dumps(entries, indent=2) + "\n", encoding="utf-8")
    print(f"Vendored {', '.join(f'{package.name} {package.version}' for package in PACKAGES)}.")


if __name__ == "__main__":
    main()
