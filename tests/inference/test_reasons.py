import pytest

from secondlook.imaging.quality import QualityFlag
from secondlook.inference.reasons import SENTENCES, Reason, explain_flag

POINT = {
    "threshold": 0.1,
    "threshold_urgent": 0.3,
    "sensitivity": 0.955,
    "sensitivity_lower": 0.921,
    "specificity": 0.7,
    "missed": 0.045,
}
FIGURES = {
    **POINT,
    "risk": 0.1234,
    "task": "skin",
    "label": "mel",
    "probability": 0.2,
    "share": 0.111,
    "top": "nv",
    "top_probability": 0.5,
    "top_share": 0.669,
    "score": 0.41234,
    "limit": 0.2,
    "kind": "photograph",
    "labels": "mel;nv",
    "level": 0.9,
}


@pytest.mark.parametrize("code", SENTENCES)
def test_every_reason_reads_as_sentences_in_both_languages(code: str) -> None:
    english, french = (Reason(code, FIGURES).describe(language) for language in ("en", "fr"))
    assert english != french
    for text in (english, french):
        assert text.endswith(".")
        assert "{" not in text


def test_figures_are_written_as_the_language_writes_them() -> None:
    reason = Reason("refer", FIGURES)
    assert "12.3%" in reason.describe("en")
    assert "30.0%" in reason.describe("en")
    assert "12,3\N{NO-BREAK SPACE}%" in reason.describe("fr")
    assert "0.412" in Reason("outlier", FIGURES).describe("en")
    assert "0,412" in Reason("outlier", FIGURES).describe("fr")


def test_labels_that_cannot_be_told_apart_are_named() -> None:
    for code in ("not_told_apart", "undecided"):
        assert ": Melanoma, Melanocytic nevus." in Reason(code, FIGURES).describe("en")
        assert "90,0\N{NO-BREAK SPACE}%" in Reason(code, FIGURES).describe("fr")


def test_no_probability_is_written_as_certain() -> None:
    assert "is >99.9%," in Reason("urgent", {**FIGURES, "risk": 0.99996}).describe("en")
    assert "de <0,1\N{NO-BREAK SPACE}%," in Reason("routine", {**FIGURES, "risk": 1e-6}).describe("fr")


def test_reasons_speak_of_the_task_that_was_asked() -> None:
    assert "Pneumonia:" in Reason("urgent", {"risk": 0.9, **POINT, "task": "chest"}).describe("en")
    assert "X-ray" in Reason("outlier", {**FIGURES, "kind": "radiograph"}).describe("en")


def test_labels_are_named_for_the_reader() -> None:
    reason = Reason("above_usual_share", FIGURES)
    assert "Melanoma" in reason.describe("en")
    assert "Mélanome" in reason.describe("fr")
    assert "Nævus" in reason.describe("fr")


def test_a_quality_reason_says_what_the_flag_says() -> None:
    flag = QualityFlag(code="dark", figure=0.1, limit=0.2)
    reason = explain_flag(flag)
    assert reason.figures == {"flag": "dark", "figure": 0.1, "limit": 0.2, "kind": "photograph"}
    assert reason.describe("en") == flag.describe("en")
    assert reason.describe("fr") == flag.describe("fr")
