"""Refusals in both languages."""

import ast
import importlib.util
import inspect
import re
import runpy
from collections.abc import Iterator
from types import ModuleType

import pytest

from secondlook.errors import InputError
from secondlook.imaging import limits, read, signature
from secondlook.imaging.dicom import admission, frame
from secondlook.imaging.limits import check_memory, check_size
from secondlook.imaging.read import read_picture
from secondlook.imaging.refusal import FRENCH, refuse
from tests.dicom import build_dicom, draw_ramp

MODULES = (limits, read, signature, admission, frame)


def list_texts(module: ModuleType) -> set[str]:
    """Return every text in a module's code."""
    nodes = ast.walk(ast.parse(inspect.getsource(module)))
    return {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}


def list_refusals(module: ModuleType) -> Iterator[str]:
    """Yield every text that is written out in a refusal."""
    for node in ast.walk(ast.parse(inspect.getsource(module))):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "refuse":
            yield from (text.value for text in node.args if isinstance(text, ast.Constant))


def test_every_phrase_is_there_in_french_and_none_besides() -> None:
    told = {phrase for module in MODULES for phrase in list_refusals(module)}
    told |= {phrase for _, _, *phrases in signature._REFUSED for phrase in phrases}
    told |= {signature.ACCEPTED, admission._EXPECTED, admission._EXPORT}
    told |= {*admission._OTHER_MODALITIES.values(), *frame._OTHER_SYNTAXES.values()}
    assert len(told) > 70
    assert told - set(FRENCH) == set()
    assert set(FRENCH) - set().union(*map(list_texts, MODULES)) == set()


@pytest.mark.parametrize("found", [None, True])
def test_heic_is_expected_only_where_it_can_be_read(found: bool | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: found)
    accepted = runpy.run_path(signature.__file__)["ACCEPTED"]
    assert ("HEIC" in accepted) == bool(found)
    assert ("HEIC" in FRENCH[accepted]) == bool(found)


@pytest.mark.parametrize(("english", "french"), FRENCH.items(), ids=lambda text: text[:30])
def test_both_languages_have_the_same_figures(english: str, french: str) -> None:
    places = set(re.findall(r"\{[^}]*\}", english)) - {"{detail}"}  # what is broken in a file is said in English alone
    assert set(re.findall(r"\{[^}]*\}", french)) == places
    assert not re.search(r" [;:!?»]|« ", french), "French punctuation takes a no-break space"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "un fichier vide"),
        (b"%PDF-1.7", "un document PDF"),
        (b"hello", "un fichier de texte"),
        (b"<!doctype html>", "une page web"),
        (b"\xff\xd8\xff\xe0 cut short", "un fichier JPEG endommagé"),
        (build_dicom(draw_ramp(), modality="MG"), "une mammographie (MG)"),
        (build_dicom(draw_ramp(), NumberOfFrames=7), "une série de 7 images dans un fichier"),
    ],
)
def test_what_was_expected_what_came_and_what_to_do_in_french(content: bytes, words: str) -> None:
    with pytest.raises(InputError) as caught:
        read_picture(content)
    assert str(caught.value).startswith("Expected ")
    sentence = caught.value.french
    assert sentence is not None
    assert re.fullmatch(rf"Attendu\u00a0: une .* Reçu\u00a0: {re.escape(words)}[^{{}}]*\. [A-ZÉ].*\.", sentence)


def test_figures_are_filled_in() -> None:
    with pytest.raises(InputError) as size:
        check_size("PNG", 60_000, 1_000)
    assert "60000 × 1000 (60 mégapixels)" in str(size.value.french)
    with pytest.raises(InputError) as memory:
        check_memory("TIFF", 10, 20, 10**9)
    assert "10 × 20 pixels qui prend 1000 Mo" in str(memory.value.french)


def test_a_phrase_without_french_is_a_fault_of_the_code() -> None:
    with pytest.raises(KeyError):
        refuse(signature.ACCEPTED, "a duck", "Send a picture.")
