"""What the sections of a card are written from."""

from dataclasses import dataclass
from typing import Any

from secondlook.conditions import Task, find_task
from secondlook.evaluation.card.voice import Voice
from secondlook.evaluation.scope import name_groups
from secondlook.inference.bundle import Bundle, BundleFacts, Calibration, Evidence

VOWELS = "aeéiouh"


@dataclass(frozen=True, slots=True)
class Source:
    """A bundle, its evidence, and the language to write in.

    Attributes:
        voice: Writes in the language.
        bundle: The bundle; while it is being finished, a draft without evidence of its own.
        evidence: What was measured.
    """

    voice: Voice
    bundle: Bundle
    evidence: Evidence

    @property
    def facts(self) -> BundleFacts:
        """``bundle.json``."""
        return self.bundle.facts

    @property
    def calibration(self) -> Calibration:
        """``calibration.json``."""
        return self.bundle.calibration

    @property
    def task(self) -> Task:
        """The bundle's task."""
        return find_task(self.facts.task)

    @property
    def measures(self) -> Any:
        """The figures."""
        return self.evidence.measures

    @property
    def groups(self) -> str:
        """What splits and resampling keep whole: patients, or lesions."""
        return name_groups(self.task, self.voice.language)

    @property
    def risk(self) -> str:
        """What triage asks for, inside a sentence."""
        name = self.task.risk[self.voice.language]
        return name[:1].lower() + name[1:]

    @property
    def of_risk(self) -> str:
        """The same after "of": in French with "de", elided before a vowel."""
        return self.voice(en=f"of {self.risk}", fr=f"{'d’' if self.risk[0] in VOWELS else 'de '}{self.risk}")

    @property
    def the_risk(self) -> str:
        """The same as something that is or is not there: in French, where each is feminine, with its article."""
        return self.voice(en=self.risk, fr=f"{'l’' if self.risk[0] in VOWELS else 'la '}{self.risk}")

    def count(self, pictures: int, groups: int) -> str:
        """Return a number of pictures and of patients or lesions."""
        what, whose = self.voice.count(pictures), f"{self.voice.count(groups)} {self.groups}"
        return self.voice(en=f"{what} pictures of {whose}", fr=f"{what} images de {whose}")

    def name_triage(self, word: str) -> str:
        """Return an answer of the triage."""
        return TRIAGES[word][self.voice.language]

    def name_point(self, name: str) -> str:
        """Return an operating point by the triage that begins there."""
        target = {"sensitivity_90": "90", "sensitivity_95": "95"}[name]
        word = "refer" if name == "sensitivity_95" else "urgent"
        if word == "urgent" and self.task.urgency != "urgent":
            return self.voice(en=f"stricter (aims at {target} %)", fr=f"plus strict (vise {target} %)")
        triage = self.name_triage(word)
        return self.voice(en=f"*{triage}* (aims at {target} %)", fr=f"« {triage} » (vise {target} %)")


TRIAGES = {
    "urgent": {"en": "urgent", "fr": "urgent"},
    "refer": {"en": "refer", "fr": "à adresser"},
    "routine": {"en": "routine", "fr": "suivi habituel"},
    "not_evaluable": {"en": "not evaluable", "fr": "non évaluable"},
}
