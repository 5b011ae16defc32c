"""A program's way to a running site, typed; it needs no Django.

from datetime import date

from secondlook import Client
from secondlook.client import NewPatient, NewVisit

with Client("https://secondlook.example", token="slk_…") as site:
    patient = site.patients.add(NewPatient(name="Case 12"))
    visit = site.visits.add(NewVisit(patient=patient.key, date=date.today()))
    picture = site.pictures.send("mole.jpg", visit=visit.key)
    print(picture.result.triage, picture.result.probabilities)
"""

from types import TracebackType
from typing import Self

import httpx

from secondlook.client import records
from secondlook.client.collections import (
    Collection,
    File,
    Kept,
    Opinions,
    Pictures,
    Reports,
    Results,
    read_file,
    read_record,
)
from secondlook.client.faults import DeniedError, DownError, HurriedError, MissingError, RefusedError, SiteError
from secondlook.client.records import (
    LesionChange,
    NewLesion,
    NewOpinion,
    NewPatient,
    NewVisit,
    PatientChange,
    VisitChange,
)
from secondlook.client.transport import Transport

__all__ = [
    "Client",
    "Collection",
    "DeniedError",
    "DownError",
    "HurriedError",
    "LesionChange",
    "MissingError",
    "NewLesion",
    "NewOpinion",
    "NewPatient",
    "NewVisit",
    "PatientChange",
    "RefusedError",
    "SiteError",
    "VisitChange",
    "records",
]


class Client:
    """A running site, as one token's person sees it; safe to use from several threads.

    Args:
        url: Where the site is, such as ``https://secondlook.example``.
        token: A token from the page of an account; without one only `predict` answers.
        language: Language of the site's sentences, ``en`` or ``fr``.
        timeout_s: Longest wait for an answer, in seconds.
        retries: How often a request is sent again where no answer came, or the site was busy. Nothing is done twice.
        transport: What carries requests, for tests; httpx's own by default.

    Attributes:
        patients, lesions, visits: Records to read, add, change, remove and restore.
        pictures: Pictures to send and read, with what was said of them.
        results: What models said.
        opinions: What doctors said.
        reports: Reports as PDF, of a visit or of a lesion.
    """

    def __init__(
        self,
        url: str,
        token: str | None = None,
        *,
        language: records.Language = "en",
        timeout_s: float = 60.0,
        retries: int = 4,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        door = Transport(url, token, language=language, timeout_s=timeout_s, retries=retries, transport=transport)
        self._transport = door
        self.patients: Kept[records.Patient, NewPatient, PatientChange] = Kept(door, "patients", records.Patient)
        self.lesions: Kept[records.Lesion, NewLesion, LesionChange] = Kept(door, "lesions", records.Lesion)
        self.visits: Kept[records.Visit, NewVisit, VisitChange] = Kept(door, "visits", records.Visit)
        self.pictures = Pictures(door, "pictures", records.Picture)
        self.results = Results(door, "results", records.Result)
        self.opinions = Opinions(door, "opinions", records.Opinion)
        self.reports = Reports(door)

    def predict(
        self, file: File, *, task: str = "", bundle: str = "", heatmap_label: str = "", outline: bool = False
    ) -> records.Prediction:
        """Take a second look at one picture; nothing of it is stored, and no token is needed.

        Args:
            file: A path, the bytes of a file, or an open file; its name is not sent.
            task: What it shows; without one, the picture itself says it.
            bundle: Name of a bundle on offer; it goes before the task.
            heatmap_label: Whose heatmap is given; that of the named label by default.
            outline: Whether the lesion is outlined, too.

        Raises:
            InputError: The file cannot be read here.
            RefusedError: It is no picture that the site can read.
            MissingError: The task or the bundle is not on offer.
        """
        outlined = "true" if outline else ""
        given = {"task": task, "bundle": bundle, "heatmap_label": heatmap_label, "outline": outlined}
        fields = {name: value for name, value in given.items() if value}
        files = {"file": ("picture", read_file(file))}
        return read_record(
            records.Prediction, self._transport.send("POST", "predict", data=fields, files=files).content
        )

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connections."""
        self.close()
