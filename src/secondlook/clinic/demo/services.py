"""Fill a demo practice, and make the links that its people enter by."""

import io
from datetime import timedelta

from allauth.account.models import EmailAddress
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.core.files.base import ContentFile
from django.db import models, transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from PIL import Image

from secondlook.clinic.accounts.actors import Actor
from secondlook.clinic.accounts.models import Practice, Role, User
from secondlook.clinic.cases.body import PLACES
from secondlook.clinic.cases.models import Lesion, Patient, Picture, Triage, Visit
from secondlook.clinic.cases.records import add_lesion, add_patient, add_visit
from secondlook.clinic.cases.services import acknowledge_picture, add_picture, give_opinion
from secondlook.clinic.demo.story import STORY, Drawn, Shot, Spot
from secondlook.errors import InputError
from secondlook.imaging.drawing import draw_lesion

DOMAIN = "demo.invalid"  # a domain that never exists (RFC 2606)
PEOPLE = {
    Role.CLINICIAN: ("Camille", "Martin"),
    Role.REVIEWER: ("Robin", "Weber"),
    Role.ADMINISTRATOR: ("Dominique", "Roux"),
    Role.PATIENT: ("Alex", "Dupont"),
}
DRAWN_SIZE, SHOWN_SIZE = (1040, 800), (800, 600)


class EntryTokens(PasswordResetTokenGenerator):
    """Tokens that work once: entering changes what they are made of."""

    key_salt = "secondlook.clinic.demo"


TOKENS = EntryTokens()


def fill_demo() -> None:
    """Fill the demo practice, unless it is there already.

    Raises:
        InputError: The site has practices of its own, or no model for skin lesions.
    """
    if Practice.objects.exists():
        if list_people().exists():
            return
        raise InputError(
            "Expected a site without practices for --demo, this one has its own: nothing drawn is put beside patients. "
            "Start without --demo, or with another SECONDLOOK_DATA_FOLDER."
        )
    with transaction.atomic():
        practice = Practice.objects.create(name=_("Demo practice (drawn pictures)"), patients_see_results=True)
        people = {role: make_person(role, practice) for role in PEOPLE}
    clinician = Actor(people[Role.CLINICIAN], practice, frozenset({Role.CLINICIAN}))
    reviewer = Actor(people[Role.REVIEWER], practice, frozenset({Role.REVIEWER}))
    for drawn in STORY:
        draw_patient(drawn, clinician, reviewer)
    own = Patient.objects.get(practice=practice, name=STORY[0].name)
    own.account = people[Role.PATIENT]
    own.save()


def make_person(role: Role, practice: Practice) -> User:
    """Make a person without a password, who enters by a link alone."""
    first, last = PEOPLE[role]
    user = User.objects.create_user(
        f"{role}@{DOMAIN}",
        first_name=first,
        last_name=last,
        is_site_administrator=role == Role.ADMINISTRATOR,
    )
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    user.memberships.create(practice=practice, role=role)
    return user


def draw_patient(drawn: Drawn, clinician: Actor, reviewer: Actor) -> None:
    """Add a patient with lesions, visits and pictures, as people would, and the reviewer's word on some."""
    patient = Patient(name=drawn.name, birth_date=drawn.born, sex=drawn.sex, skin_type=drawn.skin_type)
    add_patient(patient, actor=clinician)
    days = sorted({shot.days_ago for spot in drawn.spots for shot in spot.shots}, reverse=True)
    today = timezone.localdate()
    visits = {day: add_visit(Visit(date=today - timedelta(days=day)), actor=clinician, patient=patient) for day in days}
    for spot in drawn.spots:
        lesion = add_lesion(place_lesion(spot), actor=clinician, patient=patient)
        for shot in spot.shots:
            picture = take_picture(spot, shot, lesion, visits[shot.days_ago], clinician)
            if shot.verdict:
                result = picture.results.latest("pk")
                give_opinion(actor=reviewer, result=result, verdict=shot.verdict, label=shot.said)
                if picture.triage == Triage.URGENT:
                    acknowledge_picture(picture, actor=reviewer)


def place_lesion(spot: Spot) -> Lesion:
    """Return a lesion in the middle of its region."""
    region = PLACES[spot.place]
    return Lesion(name=spot.name, side=region.side, site=region.site, x=region.x, y=region.y)


def take_picture(spot: Spot, shot: Shot, lesion: Lesion, visit: Visit, clinician: Actor) -> Picture:
    """Draw a picture and have it answered."""
    return add_picture(
        actor=clinician,
        visit=visit,
        lesion=lesion,
        upload=ContentFile(draw_shot(spot, shot), name="drawn.jpg"),
        task="skin",
        upload_key=f"demo-{lesion.key}-{shot.days_ago}",
    )


def draw_shot(spot: Spot, shot: Shot) -> bytes:
    """Return a JPEG of the lesion as it was on a day, from a camera that is never held quite the same."""
    drawn = draw_lesion(spot.seed, spot.label, size=DRAWN_SIZE, growth=shot.growth)
    turned = drawn.rotate(shot.turn, Image.Resampling.BICUBIC)
    left, top = (DRAWN_SIZE[0] - SHOWN_SIZE[0]) // 2, (DRAWN_SIZE[1] - SHOWN_SIZE[1]) // 2
    stream = io.BytesIO()
    turned.crop((left, top, left + SHOWN_SIZE[0], top + SHOWN_SIZE[1])).save(stream, "JPEG", quality=92)
    return stream.getvalue()


def list_people() -> models.QuerySet[User]:
    """Return the people of the demo practice."""
    return User.objects.filter(email__endswith=f"@{DOMAIN}").order_by("pk")


def make_links() -> dict[str, str]:
    """Return a fresh path for each person of the demo by their role; each opens once, within three days."""
    return {role: reverse("demo:enter", args=[role, TOKENS.make_token(user)]) for role, user in name_people()}


def name_people() -> list[tuple[str, User]]:
    """Return the people of the demo with their roles."""
    return [(user.email.partition("@")[0], user) for user in list_people()]


def find_person(role: str, token: str) -> User | None:
    """Return whom a link lets in, if it still does."""
    user = list_people().filter(email=f"{role}@{DOMAIN}", is_active=True).first()
    return user if user is not None and TOKENS.check_token(user, token) else None
