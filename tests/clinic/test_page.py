"""The page without JavaScript: what anybody sees, in both languages, and what is refused."""

import base64
import html
import io
import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client
from PIL import Image

from secondlook.clinic.look import views
from tests.site import draw_triage

TITLES = {
    "urgent": ("Urgent", "Urgent"),
    "refer": ("Refer", "À adresser"),
    "routine": ("Routine", "Suivi habituel"),
    "not_evaluable": ("Not evaluable", "Non évaluable"),
}


def upload(client: Client, content: bytes, **headers: str) -> HttpResponse:
    """Send a picture as the page's form does where a lesion was chosen."""
    fields = {"file": SimpleUploadedFile("Jane Doe 1961.png", content), "task": "skin"}
    return client.post("/try/", fields, headers=headers)


def read(response: HttpResponse) -> str:
    """Return the text of a page as a reader has it."""
    return html.unescape(response.content.decode())


def test_the_page_speaks_the_reader_s_language(client: Client, french: Client) -> None:
    assert "A second look at a skin lesion" in read(client.get("/try/"))
    page = read(french.get("/try/"))
    assert '<html lang="fr"' in page
    assert "Un second regard sur une lésion cutanée" in page


def test_the_page_names_heic_only_where_it_can_be_read(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    for installed in (True, False):
        monkeypatch.setattr(views, "READS_HEIC", installed)
        formats = read(client.get("/try/")).split('id="formats">')[1].split("</p>")[0]
        assert ("HEIC" in formats) == installed
        assert formats.endswith("up to 30 MB")


def test_the_language_can_be_switched(client: Client) -> None:
    response = client.post("/language/", {"language": "fr", "next": "/"})
    assert response.status_code == 302
    assert response.headers["Location"] == "/"
    assert "Un second regard" in read(client.get("/try/"))


def test_the_language_switch_leads_nowhere_else(client: Client) -> None:
    response = client.post("/language/", {"language": "fr", "next": "https://evil.example/"})
    assert response.headers["Location"] == "/"


@pytest.mark.parametrize("triage", TITLES)
def test_each_triage_has_words_an_icon_and_a_next_step(client: Client, french: Client, triage: str) -> None:
    for browser, title in zip((client, french), TITLES[triage], strict=True):
        response = upload(browser, draw_triage(triage))
        page = read(response)
        assert response.status_code == 200
        assert re.search(rf'<h1 id="answer-title"[^>]*>{title}</h1>', page)
        assert re.search(rf'<use href="[^"]+icons[^"]*\.svg#{triage}"', page)
        assert "Nothing in this" not in page  # a picture of which the model sees nothing may show something
        assert len(re.findall(r"<li>", page.split('id="next-title"')[1].split("</section>")[0])) == 2


def test_the_answer_has_picture_heatmap_bars_figures_and_notice(client: Client) -> None:
    page = read(upload(client, draw_triage("urgent")))
    assert page.count("data:image/jpeg;base64,") == 1
    assert page.count("data:image/png;base64,") == 1
    assert len(re.findall(r'data-label="\w+" value="[\d.e-]+"', page)) == 7
    assert "Actinic keratosis / intraepithelial carcinoma" in page
    assert "On 1,234 test pictures of 1,100 lesions" in page
    assert "96% (94% to 98%) of the malignant ones reached at least “refer”, 91% (89% to 93%) “urgent”" in page
    assert 'href="/models/tiny/"' in page
    assert "This is no diagnosis" in page


@pytest.mark.parametrize(
    ("size", "shown"), [((480, 360), (480, 360)), ((1024, 768), (1024, 768)), ((2048, 1536), (1024, 768))]
)
def test_the_picture_is_shown_sharper_than_the_network_needs_it(
    client: Client, size: tuple[int, int], shown: tuple[int, int]
) -> None:
    page = read(upload(client, draw_triage("urgent", size=size)))
    uri = page.partition("data:image/jpeg;base64,")[2].partition('"')[0]
    with Image.open(io.BytesIO(base64.b64decode(uri))) as image:
        assert image.size == shown


def test_figures_in_french_have_commas_and_thin_words(french: Client) -> None:
    page = read(upload(french, draw_triage("routine")))
    assert "lésions absentes de l’entraînement" in page
    assert re.search(r"\d,\d\N{NO-BREAK SPACE}%", page)
    # Places and lengths of the drawings keep their points.
    assert re.findall(r'<rect class="fill" width="\d+\.\d+"', page)


def test_an_unevaluable_picture_gets_its_reason_and_no_probabilities(client: Client) -> None:
    page = read(upload(client, draw_triage("not_evaluable")))
    assert "does not resemble those that the model was calibrated on" in page
    assert "data-label=" not in page
    assert 'id="heatmap"' not in page


def test_the_label_that_stands_out_is_explained_where_it_is_not_the_most_probable(client: Client) -> None:
    page = read(upload(client, draw_triage("routine")))
    assert "Stands out most: <strong>Benign keratosis</strong>" in page
    assert "because its probability of" in page


def test_htmx_gets_the_answer_alone(client: Client) -> None:
    page = read(upload(client, draw_triage("urgent"), hx_request="true"))
    assert page.lstrip().startswith('<section class="answer"')
    assert "<html" not in page


@pytest.mark.parametrize("headers", [{}, {"hx_request": "true"}])
def test_a_wrong_file_is_refused_with_its_sentence(client: Client, headers: dict[str, str]) -> None:
    response = upload(client, b"%PDF-1.7 not a picture", **headers)
    page = read(response)
    assert response.status_code == 400
    assert "Expected a picture (JPEG, PNG" in page
    assert ("<html" in page) == (not headers)
    assert ('href="/try/">Look at another picture' in page) == (not headers)
    assert "Jane Doe" not in page


def test_a_wrong_file_is_refused_in_the_reader_s_language(french: Client, client: Client) -> None:
    page = read(upload(french, b"%PDF-1.7 not a picture", hx_request="true"))
    assert '<p lang="fr">Attendu\N{NO-BREAK SPACE}: une image (JPEG' in page
    assert "Reçu\N{NO-BREAK SPACE}: un document PDF." in page
    assert '<p lang="en">Expected a picture' in read(upload(client, b"%PDF-1.7", hx_request="true"))
    assert "Attendu\N{NO-BREAK SPACE}: une tâche parmi auto, skin, chest, knee." in read(french.get("/try/?task=bone"))


def test_a_form_without_a_file_is_refused(client: Client) -> None:
    response = client.post("/try/", {})
    assert response.status_code == 400
    assert "Expected a picture, got none." in read(response)


def test_a_form_without_its_token_is_refused(site: object) -> None:
    browser = Client(enforce_csrf_checks=True)
    response = upload(browser, draw_triage("urgent"))
    assert response.status_code == 403
    assert "opened before you logged in or changed the practice" in read(response)


def test_a_form_with_its_token_is_answered(site: object) -> None:
    browser = Client(enforce_csrf_checks=True)
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', read(browser.get("/try/")))
    assert token
    fields = {"file": SimpleUploadedFile("a.png", draw_triage("urgent")), "csrfmiddlewaretoken": token[1]}
    assert browser.post("/try/", fields).status_code == 200


def test_nothing_is_kept_by_caches_and_nothing_runs_inline(client: Client) -> None:
    response = upload(client, draw_triage("urgent"))
    assert "no-store" in response.headers["Cache-Control"]
    policy = response.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    page = read(response)
    assert not re.search(r"\sstyle=|\son[a-z]+=|<style|javascript:", page)
    assert all("src=" in tag for tag in re.findall(r"<script[^>]*>", page))


def test_other_methods_are_refused(client: Client) -> None:
    assert client.put("/").status_code == 405


def test_another_host_is_refused(client: Client) -> None:
    assert client.get("/try/", headers={"host": "evil.example"}).status_code == 400


def test_the_card_is_a_page_and_its_html_stays_text(client: Client) -> None:
    page = client.get("/models/tiny/").content.decode()
    assert "<td>macro AUC</td>" in page
    assert '<table tabindex="0">' in page
    assert '<pre tabindex="0">' in page
    assert "<script>alert" not in page
    assert "licence: Apache-2.0" not in page


def test_the_card_speaks_the_reader_s_language_as_far_as_the_bundle_does(client: Client, french: Client) -> None:
    assert re.search(r'lang="en"><h1>tiny</h1>\s*<p>A bundle for tests', read(client.get("/models/tiny/")))
    assert re.search(r'lang="fr"><h1>tiny</h1>\s*<p>Un modèle d’essai', read(french.get("/models/tiny/")))
    assert re.search(r'lang="en"><h1>tiny</h1>\s*<p>A bundle for tests', read(french.get("/models/tiny-chest/")))


def test_the_links_of_a_card_lead_to_its_other_pages(client: Client) -> None:
    assert 'href="CHECKLISTS.md"' in read(client.get("/models/tiny/"))
    assert "<h1>tiny: reporting checklists</h1>" in read(client.get("/models/tiny/CHECKLISTS.md"))
    assert 'lang="fr"><h1>tiny : listes' in read(client.get("/models/tiny/CHECKLISTS.fr.md"))
    response = client.get("/models/tiny/bundle.json")
    assert response.status_code == 404
    assert "Expected a page, one of README.md" in read(response)


@pytest.mark.parametrize("path", ["/models/other/", "/models/..%2Ftiny/", "/nothing"])
def test_what_is_not_there_is_a_404_page(client: Client, path: str) -> None:
    response = client.get(path)
    assert response.status_code == 404
    assert "Back to the start" in read(response)
