"""The jobs of this app."""

from secondlook.clinic.cases.services import PREDICT, answer_asked
from secondlook.clinic.jobs.services import handles

handles(PREDICT)(answer_asked)
