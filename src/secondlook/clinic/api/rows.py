"""Records of a practice's rows, as the API says them; what a row belongs to has been fetched with it."""

from typing import Any

from django.db.models import Prefetch, QuerySet

from secondlook.client import records
from secondlook.clinic.accounts.actors import Actor
from secondlook.clinic.api.predictions import describe_quality, describe_reasons
from secondlook.clinic.cases.models import Lesion, Opinion, Patient, Picture, Result, Visit
from secondlook.clinic.cases.results import restore_quality
from secondlook.clinic.look.wording import ANY, WORDS
from secondlook.clinic.refusals import describe_fault
from secondlook.inference.reasons import Reason

# What records of results do not tell, and takes most of the time to read.
UNTOLD = ("embedding", "heatmap", "outline")


def describe_patient(patient: Patient, *, actor: Actor) -> records.Patient:
    """Return the record of a patient; the notes are the doctors' own."""
    return records.Patient(
        key=patient.key,
        name=patient.name,
        birth_date=patient.birth_date,
        sex=patient.sex,
        skin_type=patient.skin_type,
        language=patient.language,
        note=patient.note if actor.is_clinical else "",
        created_at=patient.created_at,
    )


def describe_lesion(lesion: Lesion, *, actor: Actor) -> records.Lesion:
    """Return the record of a lesion."""
    return records.Lesion(
        key=lesion.key,
        patient=lesion.patient.key,
        number=lesion.number,
        name=lesion.name,
        side=lesion.side,
        x=lesion.x,
        y=lesion.y,
        site=lesion.site,
        note=lesion.note if actor.is_clinical else "",
        task=lesion.task,
        label=lesion.label,
        triage=lesion.triage or None,
        pictured_on=lesion.pictured_on,
        created_at=lesion.created_at,
    )


def describe_visit(visit: Visit, *, actor: Actor) -> records.Visit:
    """Return the record of a visit."""
    return records.Visit(
        key=visit.key,
        patient=visit.patient.key,
        date=visit.date,
        note=visit.note if actor.is_clinical else "",
        created_at=visit.created_at,
    )


def describe_picture(picture: Picture) -> records.Picture:
    """Return the record of a picture; see `fetch_pictures`."""
    latest = next(iter(picture.results.all()), None)
    return records.Picture(
        key=picture.key,
        patient=picture.patient.key,
        visit=picture.visit.key,
        lesion=picture.lesion.key if picture.lesion else None,
        taken_on=picture.taken_on,
        width=picture.width,
        height=picture.height,
        sha256=picture.sha256,
        state=picture.state,
        failure=describe_fault(picture.fault)["sentence"],
        confirmed_label=picture.confirmed_label,
        reviewed=picture.reviewed,
        disagreed=picture.disagreed,
        acknowledged_at=picture.acknowledged_at,
        created_at=picture.created_at,
        result=describe_result(latest, picture=picture) if latest else None,
    )


def fetch_pictures(pictures: "QuerySet[Any]") -> "QuerySet[Any]":
    """Have all come along that records of pictures need, and no more."""
    results = Prefetch("results", Result.objects.defer(*UNTOLD))
    return pictures.select_related("patient", "visit", "lesion").prefetch_related(results)


def describe_result(result: Result, *, picture: Picture) -> records.Result:
    """Return the record of a result, its sentences in the reader's language."""
    return records.Result(
        key=result.key,
        picture=picture.key,
        task=result.task,
        label=result.label,
        triage=result.triage,
        risk=result.risk,
        probabilities=result.probabilities,
        prediction_set=result.prediction_set,
        undecided=result.undecided,
        thresholds=result.thresholds,
        reasons=describe_reasons(Reason(one["code"], one["figures"]) for one in result.reasons),
        quality=describe_quality(restore_quality(result.quality)),
        outlier_score=result.outlier_score,
        logits=result.logits,
        route=records.Route(**result.route) if result.route else None,
        bundle=describe_bundle(result),
        software=result.software,
        seconds=result.seconds,
        created_at=result.created_at,
        notice=str((WORDS[result.task] if result.bundle_sha256 else ANY).notice),
    )


def describe_bundle(result: Result) -> records.Bundle | None:
    """Return which model answered; nothing where none was asked."""
    if not result.bundle_sha256:
        return None
    return records.Bundle(name=result.bundle, version=result.bundle_version, hash=result.bundle_sha256)


def describe_opinion(opinion: Opinion) -> records.Opinion:
    """Return the record of an opinion."""
    return records.Opinion(
        key=opinion.key,
        picture=opinion.picture.key,
        result=opinion.result.key if opinion.result else None,
        author=opinion.author.get_full_name() if opinion.author else "",
        verdict=opinion.verdict,
        label=opinion.label,
        note=opinion.note,
        created_at=opinion.created_at,
    )
