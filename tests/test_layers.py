"""A plain install answers without PyTorch, and the Python call needs no Django: tried with those blocked."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.drawing import draw_lesion

HEAVY = ("torch", "torchvision", "timm", "onnx", "onnxscript", "safetensors", "matplotlib", "sklearn", "scipy")
WEB = ("django", "ninja", "csp", "whitenoise", "uvicorn")

BLOCK = """
import sys
class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {blocked!r}:
            raise ModuleNotFoundError(f"blocked: {{name}}", name=name)
sys.meta_path.insert(0, Blocker())
"""


def run_without(blocked: tuple[str, ...], code: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-c", BLOCK.format(blocked=blocked) + code, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def test_the_block_holds() -> None:
    result = run_without(("numpy",), "import numpy")
    assert "blocked: numpy" in result.stderr


def test_python_call_without_torch_and_django(tiny_bundle: Path, tmp_path: Path) -> None:
    draw_lesion(3, "mel").save(tmp_path / "mole.jpg")
    code = "import secondlook; print(secondlook.load(sys.argv[1]).predict(sys.argv[2]).label)"
    result = run_without((*HEAVY, *WEB), code, str(tiny_bundle), str(tmp_path / "mole.jpg"))
    assert result.returncode == 0, result.stderr
    assert result.stdout.strip() in {"akiec", "bcc", "bkl", "df", "mel", "nv", "vasc"}


@pytest.mark.parametrize("command", ["--help", "predict --help", "serve --help", "doctor"])
def test_command_line_without_torch(command: str) -> None:
    code = "import secondlook.cli; sys.argv[0] = 'secondlook'; secondlook.cli.main()"
    result = run_without(HEAVY, code, *command.split())
    assert "blocked" not in result.stderr
    assert result.returncode in ({0, 1} if command == "doctor" else {0}), result.stderr


def test_train_without_torch_says_how_to_get_it(tmp_path: Path) -> None:
    code = "import secondlook.cli; sys.argv[0] = 'secondlook'; secondlook.cli.main()"
    result = run_without(HEAVY, code, "train", "skin", "--run", str(tmp_path / "run"))
    assert result.returncode == 1
    assert "Traceback" not in result.stderr
    assert "secondlook[train]" in result.stderr


def test_site_without_torch(tmp_path: Path) -> None:
    code = "import secondlook.clinic.asgi; print('up')"
    environment = f"import os; os.environ['SECONDLOOK_DATA_FOLDER'] = {str(tmp_path)!r}\n"
    result = run_without(HEAVY, environment + code)
    assert result.stdout.strip() == "up", result.stderr
