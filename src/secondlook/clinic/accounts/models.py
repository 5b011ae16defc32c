"""People, the practices they work in or are seen by, and their roles there."""

import hashlib
from typing import Any, ClassVar, Self, TypeVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from secondlook.clinic.keys import Keyed

Link = TypeVar("Link", bound="OneTimeLink")


class LinkSet(models.QuerySet[Link]):
    """Links that work once."""

    def open(self) -> Self:
        """Return those that still work."""
        return self.filter(used_at=None, expires_at__gt=timezone.now())

    def with_token(self, token: str) -> Self:
        """Return the one with the token, if it still works."""
        return self.open().filter(token_sha256=hash_token(token))


class FirstLinkSet(LinkSet["FirstLink"]):
    """Links for the first administrator."""


class InvitationSet(LinkSet["Invitation"]):
    """Invitations."""

    def open(self) -> Self:
        """Return those that still work."""
        return super().open().filter(revoked_at=None)


def hash_token(token: str) -> str:
    """Return what is kept of a token: it is random and long, so that a plain hash is enough."""
    return hashlib.sha256(token.encode()).hexdigest()


class Language(models.TextChoices):
    """The languages that a person may choose."""

    EN = "en", _("English")
    FR = "fr", _("French")


class Gender(models.TextChoices):
    """What a person may say of their gender, or not."""

    UNKNOWN = "", _("Not said")
    FEMALE = "female", _("Female")
    MALE = "male", _("Male")
    OTHER = "other", _("Other")


class Role(models.TextChoices):
    """What a person is in a practice; somebody may be several things."""

    PATIENT = "patient", _("Patient")
    CLINICIAN = "clinician", _("Clinician")
    REVIEWER = "reviewer", _("Reviewer")
    ADMINISTRATOR = "administrator", _("Administrator")


class Practice(Keyed):
    """A tenant of the site: no one sees across practices."""

    name = models.CharField(_("name"), max_length=120)
    language = models.CharField(_("language"), max_length=2, choices=Language, default=Language.EN)
    open_to_patients = models.BooleanField(_("patients may sign up"), default=False)
    patients_see_results = models.BooleanField(_("patients may see their results"), default=False)
    keep_originals = models.BooleanField(_("keep the files as they were sent, encrypted"), default=False)
    retention_days = models.PositiveIntegerField(_("days until pictures are erased"), null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        """Name the practice."""
        return self.name


class UserManager(BaseUserManager["User"]):
    """Makes people; an e-mail address is compared without regard to case."""

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """Make a person; without a password nobody can log in with one."""
        user = self.model(email=email.strip().lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def get_by_natural_key(self, username: str | None) -> "User":
        """Find a person by e-mail address."""
        return self.get(email__iexact=username)


class User(Keyed, AbstractBaseUser):
    """A person who can log in, by e-mail address."""

    email = models.EmailField(_("e-mail address"), unique=True)
    first_name = models.CharField(_("first name"), max_length=80)
    last_name = models.CharField(_("surname"), max_length=80)
    gender = models.CharField(_("gender"), max_length=8, choices=Gender, blank=True, default=Gender.UNKNOWN)
    birth_date = models.DateField(_("birth date"), null=True, blank=True)
    address = models.CharField(_("address"), max_length=120, blank=True)
    address_2 = models.CharField(_("address, second line"), max_length=120, blank=True)
    city = models.CharField(_("city"), max_length=80, blank=True)
    state = models.CharField(_("state or region"), max_length=80, blank=True)
    zip_code = models.CharField(_("postal code"), max_length=12, blank=True)
    language = models.CharField(_("language"), max_length=2, choices=Language, blank=True, default="")
    is_active = models.BooleanField(default=True)
    # Founds practices and sees the site's own settings; that alone opens no practice's data.
    is_site_administrator = models.BooleanField(default=False)
    joined_at = models.DateTimeField(default=timezone.now)

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["first_name", "last_name"]
    objects = UserManager()

    def __str__(self) -> str:
        """Name the person by number, for logs."""
        return f"user {self.pk}"

    def get_full_name(self) -> str:
        """Return first name and surname."""
        return f"{self.first_name} {self.last_name}".strip()

    def get_short_name(self) -> str:
        """Return the first name."""
        return self.first_name


class Membership(models.Model):
    """One role of one person in one practice; an ended one is kept, so that it can be given back."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    practice = models.ForeignKey(Practice, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(_("role"), max_length=16, choices=Role)
    created_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        """A role is held once."""

        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "practice", "role"], name="membership_once"),
        ]

    def __str__(self) -> str:
        """Say who is what."""
        return f"{self.role} {self.user_id} in {self.practice_id}"


class OneTimeLink(models.Model):
    """A link that works once and for a while; only a hash of its token is kept, which nobody can turn back."""

    token_sha256 = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        """No table of its own."""

        abstract = True

    def __str__(self) -> str:
        """Name the link by number, for logs."""
        return f"link {self.pk}"


class FirstLink(OneTimeLink):
    """Makes the site's first administrator and practice."""

    objects = FirstLinkSet.as_manager()


class Invitation(Keyed, OneTimeLink):
    """An invitation to a role in a practice, for whoever holds the link, or for one e-mail address alone."""

    practice = models.ForeignKey(Practice, on_delete=models.CASCADE, related_name="invitations")
    role = models.CharField(_("role"), max_length=16, choices=Role)
    email = models.EmailField(_("e-mail address"), blank=True)
    # A patient's record that becomes the invited person's own.
    patient_key = models.CharField(max_length=16, blank=True, default="")
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    accepted_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects = InvitationSet.as_manager()

    def is_for(self, email: str) -> bool:
        """Return whether a person with this address may take it."""
        return not self.email or self.email.lower() == email.lower()
