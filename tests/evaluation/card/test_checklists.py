"""The checklists: each item of the guidelines once, each place to be found, each lack said."""

import re
from collections import Counter
from pathlib import Path

import pytest

import secondlook.evaluation.report
from secondlook.evaluation.card.checklists import LISTS, answer_item, render_checklists
from secondlook.evaluation.card.places import INAPPLICABLE, KINDS, LACKS, PLACES, Item
from secondlook.evaluation.card.voice import Voice
from secondlook.inference.bundle import CARDS, CHECKLISTS

ROOT = Path(__file__).parents[3]
NUMBERS = {
    "TRIPOD+AI": "1 2 3abc 4 5ab 6abc 7 8abc 9abc 10 11 12abcdefg 13 14 15 16 17 18abcdef 19 20abc 21 22 23ab 24 25 26 "
    "27abc",
    "CLAIM": " ".join(map(str, range(1, 45))),
    "STARD-AI": "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15abcd 16abc 17ab 18 19 20 21 22 23 24 25 26ab 27 28 29 30 31 32 33 "
    "34 35 36 37 38 39 40ab",
}


def expand(numbers):
    """Return ``3abc`` as 3a, 3b, 3c."""
    for word in numbers.split():
        number, letters = re.fullmatch(r"(\d+)([a-z]*)", word).groups()
        yield from (number + letter for letter in letters) if letters else [number]


@pytest.mark.parametrize("checklist", LISTS, ids=lambda checklist: checklist.name)
def test_every_item_of_the_guideline_is_there_once_and_in_order(checklist):
    assert [item.number for item in checklist.items] == list(expand(NUMBERS[checklist.name]))
    assert {len(list(expand(numbers))) for numbers in NUMBERS.values()} == {52, 44, 48}
    for item in checklist.items:
        assert item.en
        assert item.fr
        assert item.places or item.lack, item.number
        assert {*item.places.split()} <= {*PLACES}
        assert item.lack in {"", *LACKS}


def test_no_place_and_no_lack_is_idle():
    items = [item for checklist in LISTS for item in checklist.items]
    used = Counter(key for item in items for key in item.places.split())
    assert {*PLACES} == {*used}
    assert {*LACKS} - {item.lack for item in items} == {"unknown", "unmeasured"}


@pytest.mark.parametrize("language", CARDS)
def test_places_of_the_card_are_its_headings(bundle, language):
    card = bundle.pages[CARDS[language]]
    headings = {*re.findall(r"^## (.+)$", card, flags=re.MULTILINE), {"en": "title", "fr": "titre"}[language]}
    named = {place.name[language] for place in PLACES.values() if place.kind == "card"}
    assert named <= headings


def test_places_of_the_report_and_the_documentation_exist():
    folder = Path(secondlook.evaluation.report.__file__).parent
    titles = {title for path in folder.glob("*.py") for title in re.findall(r'title="([^"]+)"', path.read_text())}
    assert {place.name["en"] for place in PLACES.values() if place.kind == "report"} <= titles
    pages = [place.name["en"] for place in PLACES.values() if place.kind == "docs"]
    assert [page for page in pages if not (ROOT / "docs" / page).is_file()] == []


@pytest.mark.parametrize("language", CHECKLISTS)
def test_the_page_has_a_row_for_every_item(bundle, language):
    page = bundle.pages[CHECKLISTS[language]]
    assert page == render_checklists(bundle.evidence, bundle.facts, language)
    rows = re.findall(r"^\| (\d+[a-z]?) \| (.+?) \| (.+) \|$", page, flags=re.MULTILINE)
    assert len(rows) == 52 + 44 + 48
    kinds = {words[language] for words in KINDS.values()}
    refusals = {"Not answered", "Not applicable", "Not answered in full"} if language == "en" else {
        "Sans réponse", "Sans objet", "Réponse partielle"}  # fmt: skip
    for number, _, where in rows:
        parts = {found.replace("\N{NO-BREAK SPACE}", "").strip() for found in re.findall(r"\*\*(.+?):\*\*", where)}
        assert parts, number
        assert parts <= kinds | refusals, number


def test_what_was_not_measured_is_not_said_to_be_answered(bundle):
    item, voice = Item("1", "fairness", "équité", "subgroups report.subgroups"), Voice("en")
    assert answer_item(item, {"subgroups"}, voice) == "**Card:** Subgroups · **Report:** Does it serve everybody alike?"
    assert answer_item(item, set(), voice) == "**Not answered:** not measured for this model"
    bare = bundle.evidence.model_copy(update={"subgroups": {}})
    full, less = (
        re.findall(r"in part: (\d+)", render_checklists(each, bundle.facts)) for each in (bundle.evidence, bare)
    )
    assert [int(one) - int(other) for one, other in zip(full, less, strict=True)] == [1, 0, 1]


def test_data_sets_that_nobody_knows_answer_nothing():
    item, voice = Item("1", "sources", "sources", "sources origin"), Voice("fr")
    assert answer_item(item, {"data"}, voice).startswith("**Fiche\N{NO-BREAK SPACE}:** Données · **Ailleurs")
    assert "Secondlook" in answer_item(item, set(), voice)
    assert answer_item(item, set(), voice).startswith("**Sans réponse\N{NO-BREAK SPACE}:** le jeu de données n’est pas")


@pytest.mark.parametrize("lack", INAPPLICABLE)
def test_what_cannot_be_asked_is_not_called_unanswered(lack):
    assert answer_item(Item("1", "a", "a", "", lack), set(), Voice("en")).startswith("**Not applicable:** ")
