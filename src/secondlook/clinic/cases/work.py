"""The jobs of this app."""

from secondlook.clinic.cases.services import PREDICT, answer_asked, tell_given_up
from secondlook.clinic.jobs.services import handles

handles(PREDICT, given_up=tell_given_up)(answer_asked)
