"""Shares in per cent, and the sentence of the evidence."""

from pathlib import Path

import pytest
from django.utils import translation

from secondlook.clinic.look.figures import describe_evidence, write_share
from secondlook.clinic.look.wording import WORDS
from secondlook.inference.bundle import Evidence, open_bundle


@pytest.mark.parametrize(
    ("share", "english", "french"),
    [
        (0.0, "<0.1%", "<\N{NO-BREAK SPACE}0,1\N{NO-BREAK SPACE}%"),
        (0.00099, "<0.1%", "<\N{NO-BREAK SPACE}0,1\N{NO-BREAK SPACE}%"),
        (0.001, "0.1%", "0,1\N{NO-BREAK SPACE}%"),
        (0.0456, "4.6%", "4,6\N{NO-BREAK SPACE}%"),
        (0.317, "32%", "32\N{NO-BREAK SPACE}%"),
        (0.9949, "99.5%", "99,5\N{NO-BREAK SPACE}%"),
        (0.9996, ">99.9%", ">\N{NO-BREAK SPACE}99,9\N{NO-BREAK SPACE}%"),
        (1.0, ">99.9%", ">\N{NO-BREAK SPACE}99,9\N{NO-BREAK SPACE}%"),
    ],
)
def test_shares(site: Path, share: float, english: str, french: str) -> None:
    with translation.override("en"):
        assert write_share(share) == english
    with translation.override("fr"):
        assert write_share(share) == french


def test_the_sentence_of_the_evidence(site: Path, site_bundle: Path) -> None:
    with translation.override("en"):
        sentence = describe_evidence(open_bundle(site_bundle).evidence, WORDS["skin"].evidence)
    assert sentence == (
        "On 1,234 test pictures of 1,100 lesions that training had not seen, 96% (94% to 98%) of the malignant ones "
        "reached at least “refer”, 91% (89% to 93%) “urgent”; 80% (78% to 82%) of the benign ones stayed below both. "
        "In brackets: 95% intervals."
    )


def test_no_sentence_without_the_measures(site: Path, site_bundle: Path) -> None:
    evidence = open_bundle(site_bundle).evidence
    assert evidence is not None
    assert describe_evidence(None, "x") == ""
    assert describe_evidence(evidence.model_copy(update={"measures": {}}), "x") == ""
    assert isinstance(evidence, Evidence)
