"""The words of the page that depend on what the picture shows."""

from collections.abc import Mapping

from secondlook.clinic.look.wording.anything import ANY
from secondlook.clinic.look.wording.photographs import MOLE, SKIN
from secondlook.clinic.look.wording.radiographs import BONE, CHEST, KNEE
from secondlook.clinic.look.wording.words import TaskWords, TriageWords, Words

__all__ = ["ANY", "WORDS", "TaskWords", "TriageWords", "Words"]

WORDS: Mapping[str, TaskWords] = {"skin": SKIN, "mole": MOLE, "chest": CHEST, "knee": KNEE, "bone": BONE}
