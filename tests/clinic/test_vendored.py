"""What came from npm is what the list says, with its licence."""

import hashlib
import json
from pathlib import Path

import secondlook.clinic

VENDOR = Path(secondlook.clinic.__file__).parent / "static/vendor"
LIST = json.loads((VENDOR / "vendored.json").read_text(encoding="utf-8"))


def test_every_vendored_file_is_listed_with_its_sum() -> None:
    sums = {name: total for package in LIST for name, total in package["sha256"].items()}
    files = {str(path.relative_to(VENDOR)): path for path in VENDOR.rglob("*") if path.is_file()}
    del files["vendored.json"]
    assert {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in files.items()} == sums


def test_every_package_keeps_its_licence() -> None:
    assert len(LIST) == 2
    for package in LIST:
        assert any(name.endswith("/LICENSE") for name in package["sha256"])
