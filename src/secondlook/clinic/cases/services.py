"""What happens to pictures: added, answered, answered anew, removed; and what doctors say of them."""

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.core.files.base import File
from django.db import IntegrityError, transaction
from django.utils import timezone

from secondlook.clinic.accounts.actors import Actor
from secondlook.clinic.accounts.models import User
from secondlook.clinic.audit.services import record
from secondlook.clinic.cases.material import Material, decode_seen, read_material
from secondlook.clinic.cases.models import Lesion, Opinion, Picture, PictureState, Result, Triage, Verdict, Visit
from secondlook.clinic.cases.removal import remove_row, restore_row
from secondlook.clinic.cases.results import describe_answer
from secondlook.clinic.files.quotas import count_upload
from secondlook.clinic.files.services import kept_files, read_file
from secondlook.clinic.jobs.models import Job
from secondlook.clinic.jobs.services import Lease, Payload, enqueue_job, run_job
from secondlook.clinic.look.predictors import AUTO, find_auto, find_bundle_on_offer
from secondlook.clinic.look.services import Answer, NoAnswer, answer_picture, choose_predictor
from secondlook.conditions import find_task
from secondlook.errors import InputError
from secondlook.imaging import read
from secondlook.inference.predictor import Predictor

PREDICT = "predict"
# Who asks does the job at once; a worker waits that long before it takes it for forgotten.
HEAD_START = timedelta(seconds=20)
# What differs without anything being wrong.
UNCOMPARED = frozenset({"seconds", "software"})


@dataclass(frozen=True, slots=True)
class Reproduction:
    """What asking once more gave.

    Attributes:
        result: The result that was kept.
        differing: The fields of it that came out otherwise; none where it was had again to the last digit.
        software: The version that answered now.
    """

    result: Result
    differing: tuple[str, ...]
    software: str

    @property
    def identical(self) -> bool:
        """Whether all came out the same, to the last digit."""
        return not self.differing


def add_picture(
    *,
    actor: Actor,
    visit: Visit,
    upload: "bytes | File[Any]",
    lesion: Lesion | None = None,
    task: str | None = None,
    upload_key: str,
) -> Picture:
    """Read a picture, keep it, and answer it at once; a worker answers it where this process ends before.

    Args:
        actor: Who sends it.
        visit: Whom and when it is of.
        upload: The file.
        lesion: Which lesion it shows, if that is known.
        task: What it shows; without one, or with ``auto``, the picture itself says it.
        upload_key: Whatever tells this upload from any other: sent twice, it is kept once.

    Raises:
        InputError: The file is no picture that can be read, the task is not on offer, or the lesion is another's.
        BundleError: The bundles could not be loaded.
    """
    if lesion is not None and lesion.patient_id != visit.patient_id:
        raise InputError("Expected a lesion of the patient whose visit it is.", french=OTHER_LESION)
    material = read_material(upload, task=task)
    earlier = find_earlier(actor, upload_key, material.sha256)
    if earlier is not None:
        return answer_now(earlier)
    facts = {
        "practice": actor.practice,
        "patient_id": visit.patient_id,
        "visit": visit,
        "lesion": lesion,
        "taken_on": visit.date,
        "upload_key": upload_key,
        "chosen_task": "" if task in (None, AUTO) else task,
        "uploaded_by": actor.user,
    }
    try:
        picture = keep_picture(actor, material, facts)
    except IntegrityError:
        # The same upload came at the same moment, and was the first.
        earlier = find_earlier(actor, upload_key, material.sha256)
        if earlier is None:
            raise
        picture = earlier
    return answer_now(picture)


OTHER_LESION = "Attendu : une lésion du patient de cette consultation."


def find_earlier(actor: Actor, upload_key: str, sha256: str) -> Picture | None:
    """Return the picture that was sent under this key before.

    Raises:
        InputError: That was another file.
    """
    earlier = Picture.objects.filter(practice=actor.practice, upload_key=upload_key).first()
    if earlier is not None and earlier.sha256 != sha256:
        raise InputError(
            "Expected the same file under the same upload key; got another one. Give every upload a key of its own.",
            french="Attendu : le même fichier sous la même clé d’envoi. Reçu : un autre. Donnez à chaque envoi sa "
            "propre clé.",
        )
    return earlier


def keep_picture(actor: Actor, material: Material, facts: dict[str, Any]) -> Picture:
    """Keep a picture's files and its row together, with the job to answer it."""
    with kept_files(actor.practice) as keep:
        names = {"seen": keep(material.seen), "shown": keep(material.shown)}
        if actor.practice.keep_originals:
            names["original"] = keep(material.original)
        with transaction.atomic():
            picture = Picture.objects.create(
                width=material.source.width,
                height=material.source.height,
                mm_per_px=material.mm_per_px,
                sha256=material.sha256,
                **facts,
                **names,
            )
            ask_answer(picture, asked_by=actor.user)
            count_upload(actor.user, size_bytes=len(material.original))
            keep.confirm()
            record(actor, "picture.added", about=picture)
    return picture


def ask_answer(picture: Picture, *, asked_by: User | None) -> Job:
    """Ask for an answer, within the transaction of what asks for it."""
    count = Job.objects.filter(kind=PREDICT, idempotency_key__startswith=f"{PREDICT}:{picture.key}:").count()
    payload = {"picture": picture.key, "task": picture.chosen_task, "asked_by": asked_by.pk if asked_by else None}
    key = f"{PREDICT}:{picture.key}:{count + 1}"
    return enqueue_job(PREDICT, payload, key=key, due_at=timezone.now() + HEAD_START)


def answer_now(picture: Picture) -> Picture:
    """Do what was asked of a picture last, unless it is done or somebody is at it, and return it as it is then."""
    if picture.state == PictureState.WAITING:
        jobs = Job.objects.filter(kind=PREDICT, idempotency_key__startswith=f"{PREDICT}:{picture.key}:")
        run_job(jobs.latest("pk"))
        picture.refresh_from_db()
    return picture


def answer_asked(lease: Lease) -> None:
    """Answer a picture as its job asks, from the pixels that were kept."""
    picture = Picture.objects.filter(key=lease.payload["picture"]).first()
    if picture is None:
        return  # it was erased meanwhile
    try:
        pixels = decode_seen(read_file(picture.seen), width=picture.width, height=picture.height)
        answer = answer_picture(pixels, choose_predictor(lease.payload["task"]))
        fields = describe_answer(answer, mm_per_px=picture.mm_per_px)
    except InputError as error:
        with transaction.atomic():
            give_up(picture.key, error)
            lease.complete({"failure": str(error)})
        return
    asked_by = User.objects.filter(pk=lease.payload["asked_by"]).first()
    with transaction.atomic():
        picture = Picture.objects.select_for_update().get(pk=picture.pk)
        chosen = lease.payload["task"]
        result = Result.objects.create(
            practice_id=picture.practice_id, picture=picture, chosen_task=chosen, asked_by=asked_by, **fields
        )
        picture.repeat_result(result)
        if picture.lesion:
            picture.lesion.repeat_latest()
        lease.complete({"result": result.key})
        record(asked_by, "picture.answered", practice=picture.practice, about=picture, details={"result": result.key})


def give_up(key: str, error: InputError) -> None:
    """Say why a picture has no answer; it can be asked for again."""
    told = {"failure": str(error)[:400], "failure_french": (error.french or "")[:400]}
    Picture.objects.filter(key=key).update(state=PictureState.FAILED, **told)


def tell_given_up(payload: Payload) -> None:
    """Let no picture wait for an answer that nobody works on any more; the log has why."""
    sentence = "It was tried several times and failed each time. Ask again; if that fails, tell whoever runs this site."
    french = "Plusieurs essais ont échoué. Redemandez ; si cela échoue encore, prévenez les responsables de ce site."
    give_up(payload["picture"], InputError(sentence, french=french))


def ask_again(picture: Picture, *, actor: Actor, task: str | None) -> Picture:
    """Have a picture answered for another task, or once more; the results before stay.

    Raises:
        InputError: The task is not on offer.
        BundleError: The bundles could not be loaded.
    """
    choose_predictor(task)
    with transaction.atomic():
        picture.chosen_task = "" if task in (None, AUTO) else str(task)
        picture.state = PictureState.WAITING
        picture.save(update_fields=["chosen_task", "state"])
        ask_answer(picture, asked_by=actor.user)
        record(actor, "picture.asked_again", about=picture, details={"task": picture.chosen_task})
    return answer_now(picture)


def reproduce_result(result: Result, *, actor: Actor | None = None, predictor: Predictor | None = None) -> Reproduction:
    """Have a result said once more by the very bundle that said it, from the very pixels, and compare all of it.

    Args:
        result: The result.
        actor: Who asks; nobody for the command.
        predictor: The bundle, where it is not one that the site has on offer.

    Raises:
        InputError: The bundle is not here.
        BundleError: The bundles could not be loaded.
    """
    picture = result.picture
    pixels = decode_seen(read_file(picture.seen), width=picture.width, height=picture.height)
    answer = repeat_answer(result, pixels, predictor)
    fields = describe_answer(answer, mm_per_px=picture.mm_per_px)
    differing = [name for name in fields if name not in UNCOMPARED and not is_same(fields[name], getattr(result, name))]
    found = Reproduction(result, tuple(differing), fields["software"])
    details = {"identical": found.identical, "differing": differing}
    record(actor, "result.reproduced", practice=picture.practice, about=result, details=details)
    return found


def repeat_answer(result: Result, pixels: read.Picture, predictor: Predictor | None) -> Answer | NoAnswer:
    """Return the answer of the bundle that gave the result; of the router where no bundle was asked.

    Raises:
        InputError: The bundle is not here.
    """
    if not result.bundle_sha256:
        return answer_picture(pixels, None)
    predictor = predictor or find_bundle_on_offer(result.bundle_sha256)
    if predictor is None or predictor.identity.sha256 != result.bundle_sha256:
        named = f"{result.bundle} {result.bundle_version} ({result.bundle_sha256[:16]})"
        raise InputError(
            f"Expected the bundle that gave the result, {named}; it is not here. Put it into SECONDLOOK_BUNDLES, "
            "or name its folder: secondlook reproduce KEY --bundle FOLDER.",
            french=f"Attendu : le modèle qui a donné ce résultat, {named} ; il n’est pas ici. Ajoutez-le à "
            "SECONDLOOK_BUNDLES, ou nommez son dossier : secondlook reproduce CLÉ --bundle DOSSIER.",
        )
    route = find_auto().lead(pixels)[1] if result.route else None
    return Answer(predictor.predict(pixels), pixels, predictor, route)


def is_same(fresh: Any, kept: Any) -> bool:
    """Return whether a field came out as it was kept, which is as JSON or as bytes."""
    if isinstance(fresh, bytes):
        return fresh == bytes(kept)
    return bool(json.loads(json.dumps(fresh)) == kept)


def remove_picture(picture: Picture, *, actor: Actor) -> None:
    """Take a picture out of every list."""
    with transaction.atomic():
        remove_row(picture)
        record(actor, "picture.removed", about=picture)


def restore_picture(picture: Picture, *, actor: Actor) -> None:
    """Undo it."""
    with transaction.atomic():
        restore_row(picture)
        record(actor, "picture.restored", about=picture)


def give_opinion(*, actor: Actor, result: Result, verdict: str, label: str = "", note: str = "") -> Opinion:
    """Keep a doctor's word on a result; earlier ones stay, this one is shown.

    Args:
        actor: The doctor.
        result: What it is about.
        verdict: One of ``Verdict``.
        label: What it is instead, or what the histology found; empty for something that the task has no label for.
        note: In the doctor's own words.

    Raises:
        InputError: The task has no such label, or nothing is said of what it is.
    """
    chosen = check_label(result, Verdict(verdict), label, note)
    with transaction.atomic():
        picture = Picture.objects.select_for_update().get(pk=result.picture_id)
        opinion = Opinion.objects.create(
            practice_id=picture.practice_id,
            picture=picture,
            result=result,
            author=actor.user,
            verdict=verdict,
            label=chosen,
            note=note.strip(),
        )
        picture.repeat_opinions()
        record(actor, "opinion.given", about=picture, details={"opinion": opinion.key, "verdict": verdict})
    return opinion


def check_label(result: Result, verdict: Verdict, label: str, note: str) -> str:
    """Return the label that an opinion confirms.

    Raises:
        InputError: The task has no such label, or nothing is said of what it is.
    """
    if verdict == Verdict.CANNOT_TELL:
        return ""
    if verdict == Verdict.AGREE:
        return "" if result.triage == Triage.NOT_EVALUABLE else result.label
    if label:
        if result.bundle_sha256:
            return find_task(result.task).find_label(label).key
        raise InputError(
            "Expected no label: it is not known what the picture shows. Choose that first.",
            french="Attendu : pas de diagnostic, car on ne sait pas ce que montre l’image. Choisissez-le d’abord.",
        )
    if not note.strip():
        raise InputError(
            "Expected what it is: a label, or a note where none of them fits.",
            french="Attendu : ce que c’est, un diagnostic, ou une note si aucun ne convient.",
        )
    return ""


def acknowledge_picture(picture: Picture, *, actor: Actor) -> None:
    """Take an urgent result off the top of everyone's page; who did is kept."""
    with transaction.atomic():
        waiting = Picture.objects.filter(pk=picture.pk, acknowledged_at=None)
        if waiting.update(acknowledged_at=timezone.now(), acknowledged_by=actor.user):
            record(actor, "picture.acknowledged", about=picture)
