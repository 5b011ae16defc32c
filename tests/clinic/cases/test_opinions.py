"""A doctor's word: kept beside the answer, the latest shown, the histology before all; urgent results; the queue."""

import html
import re

import pytest
from django.urls import reverse

from secondlook.clinic.accounts.actors import Actor
from secondlook.clinic.accounts.models import Practice
from secondlook.clinic.cases.models import Opinion, Picture
from secondlook.clinic.cases.queue import count_waiting, find_next, list_waiting
from secondlook.clinic.cases.services import acknowledge_picture, ask_again, give_opinion
from secondlook.errors import InputError
from tests.clinic.cases.conftest import SendPicture
from tests.clinic.conftest import AsRole

SAID = {
    "agreed": ([("agree", "")], (True, False, "mel")),
    "corrected": ([("correct", "nv")], (True, True, "nv")),
    "corrected to what it said": ([("correct", "mel")], (True, False, "mel")),
    "something else": ([("correct", "")], (True, True, "")),
    "cannot tell": ([("cannot_tell", "")], (True, False, "")),
    "the latest counts": ([("agree", ""), ("correct", "bcc"), ("cannot_tell", "")], (True, False, "")),
    "the histology counts more": ([("histology", "nv"), ("agree", "")], (True, True, "nv")),
    "the latest histology": ([("histology", "nv"), ("histology", "mel"), ("correct", "bcc")], (True, False, "mel")),
}


def read_flags(picture: Picture) -> tuple[bool, bool, str]:
    """Return what lists say of the opinions."""
    picture.refresh_from_db()
    return picture.reviewed, picture.disagreed, picture.confirmed_label


@pytest.mark.parametrize(("said", "flags"), SAID.values(), ids=SAID)
def test_lists_repeat_what_counts(
    send: SendPicture, actor: Actor, said: list[tuple[str, str]], flags: tuple[bool, bool, str]
) -> None:
    picture = send("urgent", "skin")
    result = picture.results.get()
    assert picture.label == "mel"
    for verdict, label in said:
        give_opinion(actor=actor, result=result, verdict=verdict, label=label, note="as I see it")
    assert read_flags(picture) == flags
    assert picture.opinions.count() == len(said)


def test_an_opinion_on_another_task_counts_no_more(send: SendPicture, actor: Actor) -> None:
    picture = send("urgent", "skin")
    give_opinion(actor=actor, result=picture.results.get(), verdict="agree")
    ask_again(picture, actor=actor, task="chest")
    assert read_flags(picture) == (False, False, "")
    ask_again(picture, actor=actor, task="skin")
    assert read_flags(picture) == (True, False, "mel")


def test_what_cannot_be_judged_is_no_disagreement(send: SendPicture, actor: Actor) -> None:
    picture = send("not_evaluable", "skin")
    give_opinion(actor=actor, result=picture.results.get(), verdict="agree")
    assert read_flags(picture) == (True, False, "")
    give_opinion(actor=actor, result=picture.results.get(), verdict="correct", label="mel")
    assert read_flags(picture) == (True, False, "mel")


@pytest.mark.parametrize(
    ("verdict", "label", "sentence"),
    [("correct", "", "Expected what it is"), ("histology", "pneumonia", "Expected a label of the task skin")],
)
def test_a_correction_says_what_it_is(send: SendPicture, actor: Actor, verdict: str, label: str, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        give_opinion(actor=actor, result=send("urgent", "skin").results.get(), verdict=verdict, label=label)
    assert not Opinion.objects.exists()


def test_the_page_keeps_an_opinion_and_shows_the_history(send: SendPicture, as_role: AsRole) -> None:
    result, client = send("urgent", "skin").results.get(), as_role("clinician")
    address = reverse("cases:opinion", args=[result.key])
    client.post(address, {"verdict": "correct", "note": "A scar."})
    client.post(address, {"verdict": "correct", "label": "nv", "note": "Regular network."})
    page = html.unescape(client.post(address, {"verdict": "histology", "label": "mel"}, follow=True).content.decode())
    said = re.findall(r"<li(?: class=\"is-latest\")?>\s*<p><strong>(\w+)</strong>: ([\w ]+)</p>", page)
    assert said == [("Histology", "Melanoma"), ("Corrects", "Melanocytic nevus"), ("Corrects", "something else")]
    assert "Regular network." in page
    assert "Alex Roe" in page


def test_wrong_opinions_are_refused_in_words(send: SendPicture, as_role: AsRole) -> None:
    address = reverse("cases:opinion", args=[send("urgent", "skin").results.get().key])
    client = as_role("clinician", language="fr")
    for fields in ({"verdict": "perhaps"}, {"verdict": "correct"}):
        response = client.post(address, fields)
        assert response.status_code == 400
        assert "Attendu" in html.unescape(response.content.decode())


@pytest.mark.parametrize("verdict", ["correct", "histology"])
def test_a_word_that_says_nothing_comes_back_to_its_field(send: SendPicture, as_role: AsRole, verdict: str) -> None:
    first, _second = send("urgent", "skin"), send("refer", "skin")
    client, address = as_role("reviewer"), reverse("cases:opinion", args=[first.results.get().key]) + "?queue"
    for fields, kept in (({"note": " "}, "autofocus> </textarea>"), ({"label": "wart", "note": "Flat."}, ">Flat.</")):
        response = client.post(address, {"verdict": verdict, **fields})
        page = html.unescape(response.content.decode())
        assert response.status_code == 400
        assert re.search(r'aria-describedby="opinion_error" autofocus>[^<]*</textarea>\s*<p class="problem" id=', page)
        assert kept in page
        assert "2 pictures wait" in page, "the queue is not left"
        assert f'action="{address}"' in page
    assert not Opinion.objects.exists()
    # Whoever changes the language there asks for the same address.
    assert client.get(address).headers["Location"] == f"/pictures/{first.key}/?queue"


def test_a_french_verdict_has_its_colon_the_french_way(send: SendPicture, as_role: AsRole) -> None:
    picture, client = send("urgent", "skin"), as_role("clinician", language="fr")
    client.post(reverse("cases:opinion", args=[picture.results.get().key]), {"verdict": "correct", "label": "nv"})
    page = html.unescape(client.get(reverse("cases:picture", args=[picture.key])).content.decode())
    assert "<strong>Corrige</strong>\N{NO-BREAK SPACE}: " in page


def test_an_urgent_result_stands_on_top_until_somebody_acknowledges_it(send: SendPicture, as_role: AsRole) -> None:
    picture, one, other = send("urgent", "skin"), as_role("clinician"), as_role("clinician")
    page = reverse("cases:patients")
    assert b"urgent-strip" in one.get(page).content
    response = one.post(reverse("cases:acknowledge", args=[picture.key]), {"next": page})
    assert response.headers["Location"] == page
    assert b"urgent-strip" not in other.get(page).content
    assert b"Acknowledged by Alex Roe" in other.get(reverse("cases:picture", args=[picture.key])).content


def test_acknowledging_leads_nowhere_else(send: SendPicture, as_role: AsRole) -> None:
    address = reverse("cases:acknowledge", args=[send("urgent", "skin").key])
    assert as_role("clinician").post(address, {"next": "https://evil.example/"}).headers["Location"].startswith("/")


def test_a_fresh_urgent_answer_must_be_acknowledged_anew(send: SendPicture, actor: Actor) -> None:
    picture = send("urgent", "skin")
    acknowledge_picture(picture, actor=actor)
    assert not Picture.objects.unacknowledged().exists()
    ask_again(picture, actor=actor, task="skin")
    assert Picture.objects.unacknowledged().exists()


def test_the_queue_has_the_most_pressing_first_and_the_oldest_among_those(send: SendPicture, actor: Actor) -> None:
    sent = [send(triage, "skin") for triage in ("routine", "urgent", "not_evaluable", "refer", "urgent")]
    order = [sent[number] for number in (1, 4, 3, 2, 0)]
    assert list_waiting(actor, count=9) == order
    assert list_waiting(actor, count=2) == order[:2]
    assert [find_next(actor, after=one) for one in order] == [*order[1:], None]
    give_opinion(actor=actor, result=order[0].results.get(), verdict="agree")
    assert find_next(actor) == order[1]
    assert count_waiting(actor) == 4


def test_a_reviewer_is_led_from_one_to_the_next(send: SendPicture, as_role: AsRole) -> None:
    first, second = send("urgent", "skin"), send("refer", "skin")
    client = as_role("reviewer")
    assert f"/pictures/{first.key}/?queue" in client.get(reverse("cases:queue")).content.decode()
    page = client.get(f"/pictures/{first.key}/?queue").content.decode()
    assert "2 pictures wait" in page
    fields = {"verdict": "agree"}
    led = client.post(reverse("cases:opinion", args=[first.results.get().key]) + "?queue", fields)
    assert led.headers["Location"] == f"/pictures/{second.key}/?queue&before={first.key}"
    assert f"/pictures/{first.key}/?queue" in client.get(led.headers["Location"]).content.decode()
    led = client.post(reverse("cases:opinion", args=[second.results.get().key]) + "?queue", fields, follow=True)
    assert "Nothing waits" in led.content.decode()


def test_the_queue_is_the_reviewers_alone(as_role: AsRole) -> None:
    assert as_role("clinician").get(reverse("cases:queue")).status_code == 403


def test_the_queue_ends_at_the_practice(send: SendPicture, as_role: AsRole) -> None:
    send("urgent", "skin")
    other = Practice.objects.create(name="Other")
    assert "Nothing waits" in as_role("reviewer", practice=other).get(reverse("cases:queue")).content.decode()
