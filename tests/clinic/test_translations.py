"""Every sentence of the site is in the French catalogue or one of its parts, with the same figures, and no other is."""

import re
from pathlib import Path

import polib
import pytest
from django.utils.translation.template import templatize

import secondlook.clinic
from secondlook.clinic.preparation import PARTS, compile_translations, join_catalogues

CLINIC = Path(secondlook.clinic.__file__).parent
MAIN = CLINIC / "locale/fr/LC_MESSAGES/django.po"
SOURCES = [MAIN, *sorted(PARTS.glob("*.po"))]
CATALOGUE = join_catalogues(*SOURCES)
CALL = re.compile(
    r"(?<!\w)(?:_|gettext|gettext_lazy|ngettext|ngettext_lazy)"
    r"\(\s*((?:u?\"(?:[^\"\\]|\\.)*\"\s*|u?'(?:[^'\\]|\\.)*'\s*)+)"
)
PLACE = re.compile(r"%\(\w+\)[sd]|\{\w+\}|</?strong>")


def find_sentences() -> set[str]:
    """Return every sentence that the code and the templates translate."""
    sources = {path: path.read_text(encoding="utf-8") for path in CLINIC.rglob("*.py")}
    templates = [*CLINIC.rglob("*.html"), *(CLINIC / "templates").rglob("*.txt")]
    sources |= {path: templatize(path.read_text(encoding="utf-8")) for path in templates}
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
    assert not entry.fuzzy
    for sentence in read_french(entry):
        assert sentence
        # The singular may say "one" where the plural has a figure.
        figures = set(PLACE.findall(entry.msgid_plural or entry.msgid))
        assert set(PLACE.findall(sentence)) == figures or (entry.msgid_plural and not PLACE.findall(entry.msgid))
        assert not re.search(r" [;:!?»]|« ", sentence), "French punctuation takes a no-break space"


def test_a_sentence_in_several_parts_has_one_translation() -> None:
    french: dict[str, dict[str, str]] = {}
    for source in SOURCES:
        for entry in polib.pofile(str(source)):
            french.setdefault(entry.msgid, {})[source.name] = "|".join(read_french(entry))
    assert {msgid: found for msgid, found in french.items() if len(set(found.values())) > 1} == {}


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.name)
def test_no_line_of_a_catalogue_stands_astray(source: Path) -> None:
    # polib takes it for the end of the sentence before.
    assert not re.findall(r'\n\n".*', source.read_text(encoding="utf-8"))


def test_the_compiled_catalogue_is_whole(tmp_path: Path) -> None:
    compile_translations(tmp_path)
    compiled = polib.mofile(str(tmp_path / "fr/LC_MESSAGES/django.mo"))
    assert {entry.msgid: read_french(entry) for entry in compiled} == {
        entry.msgid: read_french(entry) for entry in CATALOGUE
    }


def read_french(entry: polib.POEntry) -> list[str]:
    """Return the translation, or those of singular and plural."""
    return list(entry.msgstr_plural.values()) if entry.msgid_plural else [entry.msgstr]
