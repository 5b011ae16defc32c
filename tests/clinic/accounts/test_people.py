"""Invitations, roles, practices: who may become what, and nobody across a practice."""

from datetime import timedelta
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.core import mail
from django.test import Client
from django.utils import timezone

from secondlook.clinic.accounts.mail import CONSOLE
from secondlook.clinic.accounts.models import Invitation, Practice, User
from secondlook.clinic.accounts.services import forget_factors
from secondlook.clinic.audit.models import Entry
from secondlook.clinic.cases.models import Patient
from tests.clinic.accounts.conftest import PHRASE, MakeMember, find_link, log_in
from tests.clinic.conftest import AsRole, MakePerson


def invite(administrator: Client, role: str, email: str = "") -> str:
    """Invite somebody and return the path of the link that the page shows."""
    page = administrator.post("/people/invite/", {"role": role, "email": email}).content.decode()
    return find_link(page.split('id="link"')[1].split('value="')[1].split('"')[0])


def roles_of(user: User) -> set[str]:
    """Return what somebody is just now."""
    return set(user.memberships.filter(ended_at=None).values_list("role", flat=True))


def test_an_invitation_by_e_mail_makes_its_reader_a_member_once(
    as_role: AsRole, make_member: MakeMember, practice: Practice
) -> None:
    administrator = as_role("administrator")
    link = invite(administrator, "clinician", "Robin@Example.org")
    assert mail.outbox[-1].to == ["robin@example.org"]
    assert find_link() == link
    assert link.split("/")[-2] not in str(list(Invitation.objects.values()))
    user = make_member(None, email="robin@example.org")
    client = as_role(user=user)
    assert "Accept" in client.get(link).content.decode()
    assert client.post(link).headers["Location"] == "/"
    assert roles_of(user) == {"clinician"}
    assert client.get("/patients/").status_code == 200
    assert as_role(user=make_member(None)).get(link).status_code == 404
    actions = list(Entry.objects.filter(practice_id=practice.pk).values_list("action", flat=True))
    assert {"person.invited", "invitation.accepted"} <= set(actions)


def test_who_signs_up_by_an_invitation_is_a_member_then(as_role: AsRole, client: Client, practice: Practice) -> None:
    link = invite(as_role("administrator"), "clinician", "robin@example.org")
    page = client.get(link).content.decode()
    assert "/account/signup/?email=robin%40example.org" in page
    form = {"first_name": "Robin", "last_name": "Weber", "birth_date": "1980-02-03", "gender": "other"}
    client.post("/account/signup/", form | {"email": "robin@example.org", "password1": PHRASE})
    user = User.objects.get(email="robin@example.org")
    assert roles_of(user) == {"clinician"}
    assert log_in(client, user.email).headers["Location"] == "/account/confirm-email/"  # first the address
    assert Client().get(link).status_code == 404


def test_an_invitation_is_for_its_address_alone(as_role: AsRole, make_member: MakeMember) -> None:
    link = invite(as_role("administrator"), "administrator", "robin@example.org")
    other = make_member(None)
    client = as_role(user=other)
    assert "another e-mail address" in client.get(link).content.decode()
    assert client.post(link).status_code == 409
    assert roles_of(other) == set()


@pytest.mark.parametrize("spoil", ["expired", "revoked"])
def test_an_invitation_that_ended_opens_nothing(as_role: AsRole, make_member: MakeMember, spoil: str) -> None:
    administrator = as_role("administrator")
    link = invite(administrator, "clinician")
    invitation = Invitation.objects.get()
    client = as_role(user=make_member(None))
    if spoil == "expired":
        Invitation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    else:
        administrator.post(f"/people/invitations/{invitation.key}/revoke/")
    assert client.get(link).status_code == client.post(link).status_code == 404
    if spoil == "revoked":  # and the button in the message takes it back
        administrator.post(f"/people/invitations/{invitation.key}/restore/")
        assert client.get(link).status_code == 200


def test_roles_are_changed_and_given_back(as_role: AsRole, make_person: MakePerson, practice: Practice) -> None:
    administrator, person = as_role("administrator"), make_person("clinician")
    worker = as_role(user=person)
    assert worker.get("/patients/").status_code == 200
    changed = administrator.post(f"/people/person/{person.key}/", {"roles": []}, follow=True).content.decode()
    assert roles_of(person) == set()
    assert worker.get("/patients/").status_code == 403
    undo = f"/people/person/{person.key}/hold/clinician/"
    assert undo in changed
    administrator.post(undo)
    assert roles_of(person) == {"clinician"}
    administrator.post(f"/people/person/{person.key}/", {"roles": ["clinician", "reviewer"]})
    assert roles_of(person) == {"clinician", "reviewer"}
    details = Entry.objects.filter(action="roles.changed").first()
    assert details is not None
    assert details.details == {"person": person.pk, "given": ["reviewer"], "ended": []}


def test_a_practice_keeps_an_administrator(as_role: AsRole, make_person: MakePerson) -> None:
    client = as_role("administrator")
    path = f"/people/person/{client.user.key}/"  # type: ignore[attr-defined]
    page = client.post(path, {"roles": ["clinician"]}, follow=True).content.decode()
    assert "A practice keeps at least one administrator." in page
    assert roles_of(client.user) == {"administrator"}  # type: ignore[attr-defined]
    make_person("administrator")
    client.post(path, {"roles": ["clinician"]})
    assert roles_of(client.user) == {"clinician"}  # type: ignore[attr-defined]


def test_an_administrator_touches_nobody_elsewhere(as_role: AsRole, make_person: MakePerson) -> None:
    elsewhere = Practice.objects.create(name="Practice by the sea")
    stranger = make_person("clinician", practice=elsewhere)
    client = as_role("administrator")
    assert client.get(f"/people/person/{stranger.key}/").status_code == 404
    assert client.post(f"/people/person/{stranger.key}/hold/administrator/").status_code == 404
    assert stranger.email not in client.get("/people/").content.decode()


def test_settings_are_kept_with_what_was_changed(as_role: AsRole, practice: Practice) -> None:
    client = as_role("administrator")
    form = {"name": practice.name, "language": "fr", "open_to_patients": "on", "retention_days": "3650"}
    client.post("/people/practice/", form)
    practice.refresh_from_db()
    assert (practice.language, practice.open_to_patients, practice.retention_days) == ("fr", True, 3650)
    entry = Entry.objects.filter(action="practice.changed").first()
    assert entry is not None
    assert entry.details == {"fields": ["language", "open_to_patients", "patients_see_results", "retention_days"]}
    for days in ("-3", "0", "999999"):
        refused = client.post("/people/practice/", form | {"retention_days": days}).content.decode()
        assert "Expected 1 to 36500 days" in refused


def test_a_patient_joins_a_practice_that_is_open(as_role: AsRole, open_practice: Practice) -> None:
    client = as_role(None)
    user = client.user  # type: ignore[attr-defined]
    assert open_practice.name in client.get("/account/join/").content.decode()
    for _twice in range(2):
        client.post("/account/join/", {"practice": open_practice.key})
    assert roles_of(user) == {"patient"}
    patient = Patient.objects.get(practice=open_practice)
    assert (patient.name, patient.account) == ("Alex Roe", user)
    assert client.get(f"/patients/{patient.key}/").status_code == 200


def test_a_closed_practice_takes_nobody_in(as_role: AsRole, practice: Practice) -> None:
    client = as_role(None)
    assert practice.name not in client.get("/account/join/").content.decode()
    assert client.post("/account/join/", {"practice": practice.key}).status_code == 404
    assert roles_of(client.user) == set()  # type: ignore[attr-defined]


def test_an_invited_patient_gets_the_record_that_is_theirs(as_role: AsRole, practice: Practice) -> None:
    record = Patient.objects.create(practice=practice, name="P-7")
    clinician = as_role("clinician")
    address = f"/people/patients/{record.key}/"
    assert address in clinician.get(f"/patients/{record.key}/").content.decode()
    page = clinician.post(address, {"email": ""}).content.decode()
    client = as_role(None)
    client.post(find_link(page.split('id="link"')[1].split('value="')[1].split('"')[0]))
    record.refresh_from_db()
    assert record.account == client.user  # type: ignore[attr-defined]
    assert Patient.objects.count() == 1
    assert clinician.get(address).headers["Location"] == f"/patients/{record.key}/"


def test_a_patient_deletes_their_account_and_the_practice_keeps_its_record(make_member: MakeMember) -> None:
    user, client = make_member("patient"), Client()
    record = Patient.objects.create(practice=user.memberships.get().practice, name="P-7", account=user)
    log_in(client, user.email)
    assert "Delete for good" in client.get("/account/delete/").content.decode()
    assert client.post("/account/delete/").headers["Location"] == "/"
    assert "Your account was deleted." in client.get("/").content.decode()
    assert client.get("/account/").status_code == 302
    assert not User.objects.exists()
    record.refresh_from_db()
    assert record.account is None
    entry = Entry.objects.get(action="account.deleted")
    assert (entry.practice_id, entry.key) == (record.practice_id, user.key)


@pytest.mark.parametrize("fields", [{"ended_at": None}, {"ended_at": timezone.now()}])
def test_who_did_something_here_keeps_their_account(make_member: MakeMember, fields: dict[str, Any]) -> None:
    user, client = make_member("clinician"), Client()
    user.memberships.update(**fields)
    log_in(client, user.email)
    assert "bears your name" in client.get("/account/delete/").content.decode()
    assert client.post("/account/delete/").status_code == 409
    assert User.objects.exists()


def test_deleting_an_account_asks_who_it_is_once_more(make_member: MakeMember) -> None:
    user, client = make_member("patient"), Client()
    log_in(client, user.email)
    client.get("/account/")
    session = client.session
    session["began_at"] -= 600
    session["account_authentication_methods"] = []
    session.save()
    assert client.post("/account/delete/").headers["Location"].startswith("/account/reauthenticate/")
    assert User.objects.exists()


def test_lost_second_factors_are_forgotten_by_command(make_person: MakePerson) -> None:
    reviewer = make_person("reviewer")
    Authenticator.objects.create(user=reviewer, type=Authenticator.Type.TOTP, data={"secret": "x"})
    assert forget_factors(reviewer) == 1
    assert not Authenticator.objects.filter(user=reviewer).exists()
    assert Entry.objects.get(action="factors.forgotten").user_id is None


def test_a_person_works_in_one_practice_at_a_time(as_role: AsRole, make_person: MakePerson, practice: Practice) -> None:
    elsewhere = Practice.objects.create(name="Practice by the sea")
    person = make_person("clinician")
    person.memberships.create(practice=elsewhere, role="clinician")
    Patient.objects.create(practice=practice, name="By the lake")
    Patient.objects.create(practice=elsewhere, name="By the sea")
    client = as_role(user=person)
    assert "By the lake" in (here := client.get("/patients/").content.decode())
    assert "By the sea" not in here
    client.post("/account/practice/", {"practice": elsewhere.key})
    assert "By the sea" in (there := client.get("/patients/").content.decode())
    assert "By the lake" not in there
    foreign = Practice.objects.create(name="Practice on the hill")
    assert client.post("/account/practice/", {"practice": foreign.key}).status_code == 404


def test_a_form_of_another_practice_is_refused(make_person: MakePerson, practice: Practice) -> None:
    elsewhere = Practice.objects.create(name="Practice by the sea")
    person = make_person("clinician")
    person.memberships.create(practice=elsewhere, role="clinician")
    client = Client(enforce_csrf_checks=True)
    client.force_login(person)

    def open_form(path: str) -> dict[str, str]:
        page = client.get(path).content.decode()
        return {"csrfmiddlewaretoken": page.rpartition('name="csrfmiddlewaretoken" value="')[2].split('"')[0]}

    sent = open_form("/patients/new/") | {"name": "Ann Lake", "language": "en"}
    client.post("/account/practice/", open_form("/account/") | {"practice": elsewhere.key})
    assert client.post("/patients/new/", sent).status_code == 403
    sent |= open_form("/patients/new/")
    person.memberships.filter(practice=elsewhere).update(ended_at=timezone.now())
    assert client.post("/patients/new/", sent).status_code == 403
    assert not Patient.objects.exists()
    assert client.post("/patients/new/", sent | open_form("/patients/new/")).status_code == 302
    assert Patient.objects.get().practice == practice


def test_two_administrators_undo_nothing_of_each_other(
    as_role: AsRole, make_person: MakePerson, practice: Practice
) -> None:
    client, person = as_role("administrator"), make_person("clinician")
    path = f"/people/person/{person.key}/"
    assert 'name="held" value="clinician"' in client.get(path).content.decode()
    person.memberships.update(ended_at=timezone.now())
    sent = {"roles": ["clinician", "reviewer"], "held": "clinician"}
    refused = client.post(path, sent).content.decode()
    assert "to: nothing." in refused
    assert roles_of(person) == set()
    assert 'name="held" value=""' in refused or 'name="held" id' in refused
    client.post(path, sent | {"held": ""})
    assert roles_of(person) == {"clinician", "reviewer"}

    page = client.get("/people/practice/").content.decode()
    names = ("name", "language", "open_to_patients", "patients_see_results", "keep_originals", "retention_days")
    assert all(f'name="initial-{name}"' in page for name in names)
    opened = {f"initial-{name}": str(getattr(practice, name) or "") for name in names}
    Practice.objects.update(retention_days=365, patients_see_results=False)
    client.post("/people/practice/", opened | {"name": "By the lake", "language": "en", "patients_see_results": "on"})
    practice.refresh_from_db()
    assert (practice.name, practice.retention_days, practice.patients_see_results) == ("By the lake", 365, False)


def test_the_site_administrator_founds_practices_and_sees_none(as_role: AsRole, make_person: MakePerson) -> None:
    client = as_role(user=make_person(None, is_site_administrator=True))
    form = {"name": "Practice by the sea", "language": "fr", "email": "chef@example.org"}
    client.post("/people/practices/", form)
    invitation = Invitation.objects.get()
    assert (invitation.practice.name, invitation.role) == ("Practice by the sea", "administrator")
    assert mail.outbox[-1].subject == "Secondlook : invitation de Practice by the sea"
    assert client.get("/patients/").status_code == client.get("/people/").status_code == 403


def test_an_invitation_that_the_console_has_is_not_said_to_be_sent(as_role: AsRole, settings: Any) -> None:
    settings.EMAIL_BACKEND = CONSOLE
    administrator = as_role("administrator", language="fr")
    page = administrator.post("/people/invite/", {"role": "clinician", "email": "x@example.org"}).content.decode()
    assert "se trouve dans la sortie du serveur. Transmettez le lien vous-même." in page
    assert "a été envoyé" not in page
    assert find_link(page.split('id="link"')[1]).startswith("/account/invitation/")


def test_an_invitation_that_cannot_be_sent_is_shown_all_the_same(as_role: AsRole, settings: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    page = as_role("administrator").post("/people/invite/", {"role": "clinician", "email": "x@example.org"})
    assert "could not be sent. Pass the link on yourself." in page.content.decode()
