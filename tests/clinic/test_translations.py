"""Every sentence of the site is in the French catalogue, with the same figures, and no other is."""

import re
from pathlib import Path

import polib
import pytest
from django.utils.translation.template import templatize

import secondlook.clinic
from secondlook.clinic.preparation import compile_translations

CLINIC = Path(secondlook.clinic.__file__).parent
CATALOGUE = polib.pofile(str(CLINIC / "locale/fr/LC_MESSAGES/django.po"))
CALL = re.compile(r"(?<!\w)(?:_|gettext|gettext_lazy)\(\s*((?:u?\"(?:[^\"\\]|\\.)*\"\s*|u?'(?:[^'\\]|\\.)*'\s*)+)")
PLACE = re.compile(r"%\(\w+\)[sd]|\{\w+\}|</?strong>")


def find_sentences() -> set[str]:
    """Return every sentence that the code and the templates translate."""
    sources = {path: path.read_text(encoding="utf-8") for path in CLINIC.rglob("*.py")}
    sources |= {path: templatize(path.read_text(encoding="utf-8")) for path in CLINIC.rglob("*.html")}
    found: set[str] = set()
    for text in sources.values():
        for literals in CALL.findall(text):
            parts = re.findall(r"u?(\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*')", literals)
            found.add("".join(part[1:-1].replace('\\"', '"').replace("\\'", "'") for part in parts))
    return found


def test_the_catalogue_holds_every_sentence_and_no_other() -> None:
    found = find_sentences()
    assert len(found) > 60
    known = {entry.msgid for entry in CATALOGUE}
    assert found - known == set()
    assert known - found == set()


@pytest.mark.parametrize("entry", CATALOGUE, ids=lambda entry: entry.msgid[:40])
def test_every_sentence_is_translated_with_its_figures(entry: polib.POEntry) -> None:
    assert entry.msgstr
    assert not entry.fuzzy
    assert sorted(PLACE.findall(entry.msgid)) == sorted(PLACE.findall(entry.msgstr))
    assert not re.search(r" [;:!?»]|« ", entry.msgstr), "French punctuation takes a no-break space"


def test_the_compiled_catalogue_is_whole(tmp_path: Path) -> None:
    compile_translations(tmp_path)
    compiled = polib.mofile(str(tmp_path / "fr/LC_MESSAGES/django.mo"))
    assert {entry.msgid: entry.msgstr for entry in compiled} == {entry.msgid: entry.msgstr for entry in CATALOGUE}
