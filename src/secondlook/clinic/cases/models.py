"""What a practice keeps of its patients; nothing here crosses a practice.

Every row names its practice, so that one condition keeps tenants apart and every list has its index.
"""

import unicodedata
from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from secondlook.clinic.accounts.models import Language, Practice
from secondlook.clinic.cases.queries import LesionSet, PatientSet, PictureSet, VisitSet
from secondlook.clinic.keys import Keyed
from secondlook.errors import InputError


class Sex(models.TextChoices):
    """A patient's sex, as data sets write it."""

    UNKNOWN = "", _("Unknown")
    FEMALE = "female", _("Female")
    MALE = "male", _("Male")
    OTHER = "other", _("Other")


class SkinType(models.IntegerChoices):
    """Fitzpatrick's skin types (Fitzpatrick 1988, doi 10.1001/archderm.1988.01670060015008)."""

    I = 1, "I"  # noqa: E741 - their name
    II = 2, "II"
    III = 3, "III"
    IV = 4, "IV"
    V = 5, "V"
    VI = 6, "VI"


class BodySide(models.TextChoices):
    """The side of the body map that a lesion is marked on."""

    FRONT = "front", _("Front")
    BACK = "back", _("Back")


def fold_name(name: str) -> str:
    """Return a name as it is sorted and searched: without accents and case."""
    parts = unicodedata.normalize("NFKD", name)
    return " ".join("".join(part for part in parts if not unicodedata.combining(part)).casefold().split())


class Patient(Keyed):
    """A patient of one practice, under a name or a pseudonym; ``folded_name`` is the same for sorting and searching."""

    practice = models.ForeignKey(Practice, on_delete=models.CASCADE, related_name="patients")
    name = models.CharField(_("name or pseudonym"), max_length=120)
    folded_name = models.CharField(max_length=400, editable=False)
    birth_date = models.DateField(_("birth date"), null=True, blank=True)
    sex = models.CharField(_("sex"), max_length=8, choices=Sex, blank=True, default=Sex.UNKNOWN)
    skin_type = models.PositiveSmallIntegerField(_("skin type"), choices=SkinType, null=True, blank=True)
    language = models.CharField(_("language of reports"), max_length=2, choices=Language, default=Language.EN)
    note = models.TextField(_("notes"), max_length=4000, blank=True)
    account = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="patients"
    )
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    # Removed by hand: out of every list, and back again by undoing; erasing is another matter.
    removed_at = models.DateTimeField(null=True, blank=True)

    objects = PatientSet.as_manager()

    class Meta:
        """Lists by name and by age of the record."""

        indexes: ClassVar = [
            models.Index(fields=["practice", "removed_at", "folded_name"], name="patient_by_name"),
            models.Index(fields=["practice", "removed_at", "-created_at"], name="patient_by_age"),
        ]

    def save(self, *args: Any, **options: Any) -> None:
        """Keep the folded name in step."""
        self.folded_name = fold_name(self.name)
        super().save(*args, **options)


class PictureState(models.TextChoices):
    """How far a picture is."""

    WAITING = "waiting", _("Waiting for its answer")
    ANSWERED = "answered", _("Answered")
    FAILED = "failed", _("Could not be answered")


class Triage(models.TextChoices):
    """What an answer asks for, the most pressing first."""

    URGENT = "urgent", _("Urgent")
    REFER = "refer", _("Refer")
    ROUTINE = "routine", _("Routine")
    NOT_EVALUABLE = "not_evaluable", _("Not evaluable")


class Lesion(Keyed):
    """A place on a patient's skin that is followed over time; ``x`` and ``y`` are shares of the body map.

    The number is its own among the patient's lesions and never given again. The last fields repeat the latest answer,
    for lists and the map.
    """

    practice = models.ForeignKey(Practice, on_delete=models.CASCADE, related_name="+")
    patient = models.ForeignKey(Patient, on_delete=models.CASCADE, related_name="lesions")
    number = models.PositiveSmallIntegerField()
    name = models.CharField(_("name"), max_length=80, blank=True)
    side = models.CharField(_("side"), max_length=5, choices=BodySide, blank=True, default="")
    x = models.FloatField(null=True, blank=True)
    y = models.FloatField(null=True, blank=True)
    site = models.CharField(_("site"), max_length=40, blank=True, default="")
    note = models.TextField(_("notes"), max_length=4000, blank=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    removed_at = models.DateTimeField(null=True, blank=True)

    task = models.CharField(max_length=16, blank=True, default="")
    label = models.CharField(max_length=32, blank=True, default="")
    triage = models.CharField(max_length=16, choices=Triage, blank=True, default="")
    pictured_on = models.DateField(null=True, blank=True)

    objects = LesionSet.as_manager()

    class Meta:
        """One index holds all that the list filters by."""

        constraints: ClassVar = [models.UniqueConstraint(fields=["patient", "number"], name="lesion_number_once")]
        indexes: ClassVar = [
            models.Index(
                fields=["practice", "removed_at", "-created_at", "triage", "label", "pictured_on", "patient"],
                name="lesion_list",
            )
        ]

    def repeat_latest(self) -> None:
        """Repeat triage and label of the lesion's latest day; call it when a picture is answered, comes or goes.

        Of that day's pictures the most pressing counts, and one that cannot be judged hides none that could: a second,
        worse photograph must not take an urgent answer out of sight.
        """
        kept = self.pictures.filter(removed_at=None, state=PictureState.ANSWERED).order_by("-taken_on", "-id")
        latest = kept.first()
        judged = list(kept.exclude(triage=Triage.NOT_EVALUABLE))
        of_day = [picture for picture in judged if picture.taken_on == judged[0].taken_on]
        shown = min(of_day, key=lambda picture: Triage.values.index(picture.triage), default=latest)
        self.task, self.label, self.triage = (shown.task, shown.label, shown.triage) if shown else ("", "", "")
        self.pictured_on = latest.taken_on if latest else None
        self.save(update_fields=["task", "label", "triage", "pictured_on"])


class Visit(Keyed):
    """A day on which a patient was seen."""

    practice = models.ForeignKey(Practice, on_delete=models.CASCADE, related_name="+")
    patient = models.ForeignKey(Patient, on_delete=models.CASCADE, related_name="visits")
    date = models.DateField(_("date"))
    note = models.TextField(_("notes"), max_length=4000, blank=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    removed_at = models.DateTimeField(null=True, blank=True)

    objects = VisitSet.as_manager()

    class Meta:
        """Lists by date."""

        indexes: ClassVar = [models.Index(fields=["practice", "removed_at", "-date"], name="visit_by_date")]


class Picture(Keyed):
    """One picture of a visit.

    ``seen`` holds the very pixels that the model was given, without loss, so that any result can be had again bit for
    bit; ``shown`` is for people, in full size. The last fields repeat the latest result and opinion, for lists.
    """

    practice = models.ForeignKey(Practice, on_delete=models.CASCADE, related_name="+")
    patient = models.ForeignKey(Patient, on_delete=models.CASCADE, related_name="pictures")
    visit = models.ForeignKey(Visit, on_delete=models.CASCADE, related_name="pictures")
    lesion = models.ForeignKey(Lesion, on_delete=models.SET_NULL, null=True, blank=True, related_name="pictures")
    shown = models.CharField(max_length=40)
    seen = models.CharField(max_length=40)
    original = models.CharField(max_length=40, blank=True, default="")
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    mm_per_px = models.FloatField(null=True, blank=True)  # where a DICOM file stated it
    # Of the file as it came; the same file sent twice under one upload key is one picture.
    sha256 = models.CharField(max_length=64)
    upload_key = models.CharField(max_length=64)
    taken_on = models.DateField()
    chosen_task = models.CharField(max_length=16, blank=True, default="")
    state = models.CharField(max_length=8, choices=PictureState, default=PictureState.WAITING)
    # Why it could not be answered; the French is empty where it is not known.
    failure = models.CharField(max_length=400, blank=True, default="")
    failure_french = models.CharField(max_length=400, blank=True, default="")
    uploaded_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    removed_at = models.DateTimeField(null=True, blank=True)

    task = models.CharField(max_length=16, blank=True, default="")
    label = models.CharField(max_length=32, blank=True, default="")
    triage = models.CharField(max_length=16, choices=Triage, blank=True, default="")
    risk = models.FloatField(null=True, blank=True)
    confirmed_label = models.CharField(max_length=32, blank=True, default="")
    reviewed = models.BooleanField(default=False)
    disagreed = models.BooleanField(default=False)
    # An urgent answer stands on top of everyone's page until somebody acknowledges it.
    acknowledged_at = models.DateTimeField(null=True, blank=True)
    acknowledged_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )

    objects = PictureSet.as_manager()

    class Meta:
        """One index holds all that the list filters by, so that every mixture of filters is one walk along it."""

        constraints: ClassVar = [
            models.UniqueConstraint(fields=["practice", "upload_key"], name="picture_upload_once"),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=[
                    "practice",
                    "removed_at",
                    "-created_at",
                    "-id",
                    "triage",
                    "task",
                    "label",
                    "state",
                    "reviewed",
                    "disagreed",
                    "patient",
                    "taken_on",
                    "risk",
                    "acknowledged_at",
                ],
                name="picture_list",
            ),
            # Not partial: SQLite sees no constant in a prepared statement, and would not use it.
            models.Index(
                fields=["practice", "removed_at", "acknowledged_at", "triage", "-created_at"], name="picture_urgent"
            ),
            models.Index(fields=["practice", "task", "confirmed_label"]),
        ]

    @property
    def fault(self) -> InputError:
        """Why it could not be answered, as any refusal is told."""
        return InputError(self.failure, french=self.failure_french or None)

    def repeat_result(self, result: "Result") -> None:
        """Repeat a fresh result; what cannot be judged has no label and no risk in lists."""
        judged = result.triage != Triage.NOT_EVALUABLE
        self.state, self.failure, self.failure_french = PictureState.ANSWERED, "", ""
        self.task, self.triage = result.task, result.triage
        self.label, self.risk = (result.label, result.risk) if judged else ("", None)
        self.acknowledged_at = self.acknowledged_by = None
        self.repeat_opinions()

    def repeat_opinions(self) -> None:
        """Repeat the latest opinion on what the picture is taken for now; the histology goes before all others."""
        given = list(self.opinions.filter(result__task=self.task))
        histology = (one for one in given if one.verdict == Verdict.HISTOLOGY)
        said = next(histology, None) or next(iter(given), None)
        self.reviewed = said is not None
        self.confirmed_label = said.label if said else ""
        told_apart = said is not None and said.verdict != Verdict.CANNOT_TELL
        self.disagreed = told_apart and bool(self.label) and self.confirmed_label != self.label
        self.save()


class Result(Keyed):
    """What a bundle said about a picture, with all that is needed to have it said again; never changed."""

    practice = models.ForeignKey(Practice, on_delete=models.CASCADE, related_name="+")  # that of the picture, for lists
    picture = models.ForeignKey(Picture, on_delete=models.CASCADE, related_name="results")
    # Which bundle and which software.
    bundle = models.CharField(max_length=80, blank=True, default="")
    bundle_version = models.CharField(max_length=40, blank=True, default="")
    bundle_sha256 = models.CharField(max_length=64, blank=True, default="")
    software = models.CharField(max_length=40)
    # What was asked: a task, or where the router led the picture.
    chosen_task = models.CharField(max_length=16, blank=True, default="")
    route = models.JSONField(null=True, blank=True)
    # What was said; of a picture that belongs to no task, ``task`` is ``none`` and most is empty.
    task = models.CharField(max_length=16)
    label = models.CharField(max_length=32, blank=True, default="")
    triage = models.CharField(max_length=16, choices=Triage)
    risk = models.FloatField(null=True, blank=True)
    probabilities = models.JSONField(default=dict)
    prediction_set = models.JSONField(default=list)
    undecided = models.BooleanField(default=False)
    thresholds = models.JSONField(default=dict)
    reasons = models.JSONField(default=list)
    quality = models.JSONField(default=dict)
    outlier_score = models.FloatField(null=True, blank=True)
    logits = models.JSONField(default=list)
    embedding = models.BinaryField(default=bytes)  # float32 D, little-endian
    # Of the label: float32 h×w, little-endian, over the part that the model saw (edges as shares of the picture).
    heatmap = models.BinaryField(default=bytes)
    heatmap_rows = models.PositiveSmallIntegerField(default=0)
    heatmap_kind = models.CharField(max_length=20, blank=True, default="")
    seen_box = models.JSONField(default=list)
    # Border as shares of the picture, and its figures; nothing for X-rays, and where none was found.
    outline = models.JSONField(null=True, blank=True)
    seconds = models.FloatField()
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        """The latest comes first."""

        ordering: ClassVar = ["-id"]


class Verdict(models.TextChoices):
    """What a doctor says of a result."""

    AGREE = "agree", _("Agrees")
    CORRECT = "correct", _("Corrects")
    CANNOT_TELL = "cannot_tell", _("Cannot tell")
    HISTOLOGY = "histology", _("Histology")


class Opinion(Keyed):
    """A doctor's word on a picture, or the histology; never changed: a new one takes its place, the history stays."""

    practice = models.ForeignKey(Practice, on_delete=models.CASCADE, related_name="+")  # that of the picture, for lists
    picture = models.ForeignKey(Picture, on_delete=models.CASCADE, related_name="opinions")
    result = models.ForeignKey(Result, on_delete=models.CASCADE, null=True, blank=True, related_name="opinions")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    verdict = models.CharField(max_length=12, choices=Verdict)
    label = models.CharField(max_length=32, blank=True, default="")
    note = models.TextField(max_length=4000, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        """The latest comes first."""

        ordering: ClassVar = ["-id"]
