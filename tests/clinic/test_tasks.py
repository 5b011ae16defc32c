"""Several tasks on one page: the choice, the words of each, and answers without the words of another."""

import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from secondlook.clinic.look import predictors, views
from secondlook.clinic.look.wording import WORDS
from secondlook.conditions import TASKS
from tests.clinic.test_page import read
from tests.site import SHOWS, draw_triage

FIGURES = dict.fromkeys(("pictures", "groups", "flagged", "urgent", "cleared"), "1")


def ask(client: Client, triage: str, task: str) -> str:
    """Return the answer to a drawn picture of this task."""
    picture = SimpleUploadedFile("a.png", draw_triage(triage, task))
    response = client.post("/try/", {"file": picture, "task": task}, headers={"hx_request": "true"})
    assert response.status_code == 200
    return read(response)


def find_radios(page: str) -> dict[str, bool]:
    """Return each task on offer, and whether it is chosen."""
    radios = re.findall(r'<input[^>]*type="radio"[^>]*>', page)
    return {re.findall(r'value="(\w+)"', radio)[0]: " checked" in radio for radio in radios}


@pytest.mark.parametrize("task", TASKS)
def test_every_task_has_words_for_every_triage_that_it_can_have(task: str, site: object) -> None:
    words, most = WORDS[task], TASKS[task].urgency
    reachable = ["urgent"] * (most == "urgent") + ["refer", "routine", "not_evaluable"]
    assert list(words.triage) == reachable
    assert all(len(triage.steps) == 2 and triage.title and triage.meaning for triage in words.triage.values())
    assert len(words.advice) == 3
    sentence = str(words.evidence) % FIGURES
    assert ("urgent" in sentence) == (most == "urgent")
    said = " ".join(map(str, (words.heading, words.lead, words.risk, words.labels, sentence, words.notice)))
    assert ("malignan" in said.lower()) == bool(TASKS[task].malignant)
    assert ("lesion" in said) == (TASKS[task].kind == "photograph")


def test_the_page_offers_each_task_and_keeps_the_choice(client: Client) -> None:
    page = read(client.get("/try/"))
    assert "What does the picture show?" in page
    assert find_radios(page) == {"auto": True, "skin": False, "chest": False, "knee": False}
    assert find_radios(read(client.get("/try/?task=knee"))) == {
        "auto": False,
        "skin": False,
        "chest": False,
        "knee": True,
    }
    assert "<title>A second look at a knee X-ray · Secondlook</title>" in read(client.get("/try/?task=knee"))


def test_only_whole_pictures_have_no_square_and_only_photographs_a_camera(client: Client) -> None:
    page = read(client.get("/try/"))
    whole = [radio for radio in re.findall(r'<input[^>]*type="radio"[^>]*>', page) if "data-whole" in radio]
    assert [re.findall(r'value="(\w+)"', radio)[0] for radio in whole] == ["auto", "chest", "knee"]
    assert re.search(r'id="frame"[^>]* data-for="skin"', page)
    assert re.search(r'id="camera"[^>]* data-for="auto skin"', page)
    assert re.search(r'accept="[^"]*\.dcm,[^"]*application/dicom"', page)


def test_an_unknown_task_is_refused(client: Client) -> None:
    assert client.get("/try/?task=bone").status_code == 404
    picture = SimpleUploadedFile("a.png", draw_triage("urgent"))
    response = client.post("/try/", {"file": picture, "task": "bone"})
    assert response.status_code == 404
    assert "one of auto, skin, chest, knee" in read(response)


def test_the_language_switch_keeps_the_choice(client: Client) -> None:
    assert 'name="next" value="/try/?task=chest"' in read(client.get("/try/?task=chest"))


@pytest.mark.parametrize("task", SHOWS)
def test_the_answer_speaks_of_its_own_task(client: Client, task: str) -> None:
    triage = "urgent" if task != "knee" else "refer"
    page = ask(client, triage, task)
    assert str(WORDS[task].triage[triage].meaning) in page
    assert f'id="risk-title">{WORDS[task].risk}</h2>' in page
    assert f'href="/try/?task={task}"' in page
    assert ("malignan" in page.lower()) == (task == "skin")
    assert ("lesion" in page) == (task == "skin")
    assert ("urgent from" in page) == (task != "knee")
    assert ("zone-urgent" in page) == (task != "knee")


def test_grades_stand_in_their_order_and_other_labels_by_probability(client: Client) -> None:
    assert re.findall(r'data-label="(\w+)"', ask(client, "refer", "knee")) == list("01234")
    shares = [float(value) for value in re.findall(r'data-label="\w+" value="([^"]+)"', ask(client, "refer", "skin"))]
    assert shares == sorted(shares, reverse=True)


def test_alarming_labels_are_tagged_unless_their_name_says_it(client: Client) -> None:
    tags = {task: re.findall(r'class="tag">(\w+)<', ask(client, "refer", task)) for task in SHOWS}
    assert tags == {"skin": ["malignant"] * 3, "chest": [], "knee": ["abnormal"] * 3}


def test_the_evidence_counts_patients_where_there_are_no_lesions(client: Client) -> None:
    page = ask(client, "refer", "chest")
    assert "On 1,234 test X-rays of 1,100 patients" in page
    assert "96% (94% to 98%) of those with pneumonia reached at least “refer”" in page
    assert "children of one to five years" in page


@pytest.mark.parametrize(("task", "words"), [("chest", "d’une pneumonie"), ("knee", "Quel stade cela peut être")])
def test_answers_in_french_have_no_english_words(french: Client, task: str, words: str) -> None:
    for triage in SHOWS[task].pictures:
        page = ask(french, triage, task)
        assert words in page
        assert not re.search(r"\b(the|of|and|is|grade|with)\b", re.sub(r"<[^>]*>", " ", page)), page


def test_a_single_bundle_leaves_nothing_to_choose(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    knee = predictors.find_choice("knee")
    monkeypatch.setattr(predictors, "list_offers", lambda: (knee,))
    monkeypatch.setattr(views, "list_offers", lambda: (knee,))
    page = read(client.get("/try/"))
    assert find_radios(page) == {"knee": True}
    assert '<fieldset class="choices" id="choices" hidden>' in page
    assert "skin" not in page.split("<main")[1]
    assert client.get("/models/").headers["Location"] == "/models/tiny-knee/"


def test_of_two_bundles_for_a_task_the_first_is_offered(monkeypatch: pytest.MonkeyPatch, client: Client) -> None:
    first, *others = predictors.list_offers()
    second = predictors.Offer("challenger", "2", first.task, whole=False)
    monkeypatch.setattr(predictors, "list_offers", lambda: (first, second, *others))
    assert find_radios(read(client.get("/try/"))) == {"auto": True, "skin": False, "chest": False, "knee": False}
    assert predictors.find_choice("skin").name == "tiny"


def test_all_models_are_listed_with_what_they_do(client: Client) -> None:
    page = read(client.get("/models/"))
    assert re.findall(r'href="(/models/[\w-]+/)"', page) == [
        "/models/tiny/",
        "/models/tiny-chest/",
        "/models/tiny-knee/",
    ]
    assert page.count("On 1,234 test") == 3
