"""Ways through the site that leave something behind; each names the pages it stops at, to be checked or photographed.

They go by addresses and fields alone, so that they are the same in every language.
"""

import re
import secrets
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import FilePayload, Page, expect

from tests.codes import wait_for_code
from tests.site import draw_triage

PHRASE = "quiet river umbrella 42 stones"
SUBMIT = "main .panel form button[type=submit]"
KEEP = ".record-form button[type=submit]"
LETTER: FilePayload = {"name": "letter.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.7"}
DEVICE = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


def come_in(administrator: Page, newcomer: Page, log: Path) -> Iterator[tuple[str, Page]]:
    """Lead somebody from an invitation to an account with every second proof, and to a new password."""
    email = f"zoe-{secrets.token_hex(3)}@example.org"
    for stop in invite(administrator, email):
        yield stop, administrator
    link = administrator.input_value("#link")
    for journey in (
        sign_up(newcomer, email, link, log),
        set_up_passkey(newcomer),
        enter_by_passkey(newcomer, email),
        set_up_app(newcomer),
        forget_password(newcomer, email, log),
    ):
        for stop in journey:
            yield stop, newcomer


def invite(page: Page, email: str) -> Iterator[str]:
    """As an administrator, invite a clinician; the last page shows the link."""
    page.goto(find_site(page) + "/people/invite/")
    page.select_option("#id_role", "clinician")
    page.fill("#id_email", email)
    page.click(SUBMIT)
    expect(page.locator("#link")).to_have_value(re.compile("/account/invitation/"))
    yield "invited"


def sign_up(page: Page, email: str, link: str, log: Path) -> Iterator[str]:
    """Follow an invitation to an account, prove its address by the e-mail in the log, and log in."""
    page.goto(link)
    yield "invitation"
    page.click("main a[href^='/account/signup/']")
    page.wait_for_load_state()  # fields are checked as they are left from then on
    page.fill("#id_first_name", "https://x.example")
    page.press("#id_first_name", "Tab")
    expect(page.locator("#id_first_name_error p")).to_be_visible()
    yield "sign-up"
    for name, value in {"first_name": "Zoé", "last_name": "Müller", "email": email, "password1": PHRASE}.items():
        page.fill(f"#id_{name}", value)
    page.fill("#id_birth_date", "1980-02-03")
    expect(page.locator("#id_first_name_error p")).to_have_count(0)
    page.click(SUBMIT)
    page.wait_for_url("**/account/confirm-email/")
    yield "sign-up-sent"
    page.goto(find_link(log, email, "confirm-email"))
    yield "confirm"
    page.click(SUBMIT)
    page.wait_for_url("**/account/login/*")
    log_in(page, email)
    page.wait_for_url(find_site(page) + "/")


def set_up_passkey(page: Page) -> Iterator[str]:
    """Set up a passkey of a virtual device, that opens the account without a password."""
    client = page.context.new_cdp_session(page)
    client.send("WebAuthn.enable")
    client.send("WebAuthn.addVirtualAuthenticator", {"options": DEVICE})
    page.goto(find_site(page) + "/account/2fa/webauthn/add/")
    page.fill("#id_name", "Laptop")
    page.check("#id_passwordless")
    yield "passkey-new"
    page.click("#passkey-add")
    page.wait_for_url("**/account/2fa/recovery-codes/")
    yield "recovery-codes"
    page.goto(find_site(page) + "/account/2fa/webauthn/")
    yield "passkeys"
    for verb in ("edit", "remove"):
        page.goto(find_site(page) + "/account/2fa/webauthn/")
        page.click(f"main a[href*='/{verb}/']")
        yield f"passkey-{verb}"


def enter_by_passkey(page: Page, email: str) -> Iterator[str]:
    """Log in by the passkey alone, then by the password with the passkey as second proof."""
    page.goto(find_site(page) + "/account/logout/")
    yield "log-out"
    page.click(SUBMIT)
    page.goto(find_site(page) + "/account/login/")
    page.click("#passkey-login")
    page.wait_for_url(find_site(page) + "/")
    log_out(page)
    log_in(page, email)
    page.wait_for_url("**/account/2fa/authenticate/")
    yield "second-proof"
    page.click("#passkey-use")
    page.wait_for_url(find_site(page) + "/")


def set_up_app(page: Page) -> Iterator[str]:
    """Set up an app for codes, and look at what there is to do with it."""
    page.goto(find_site(page) + "/account/2fa/totp/activate/")
    yield "app"
    page.fill("#id_code", wait_for_code(page.inner_text("main .hash"), lasting_s=20))
    page.click(SUBMIT)
    page.wait_for_url("**/account/2fa/")
    yield "second-proofs"
    for name, path in {
        "app-remove": "/account/2fa/totp/deactivate/",
        "recovery-codes-new": "/account/2fa/recovery-codes/generate/",
        "confirm-it-is-you": "/account/reauthenticate/",
        "confirm-by-code": "/account/2fa/reauthenticate/",
        "confirm-by-passkey": "/account/2fa/webauthn/reauthenticate/",
        "password": "/account/password/change/",
        "address": "/account/email/",
    }.items():
        page.goto(find_site(page) + path)
        assert page.url.endswith(path)
        yield name


def forget_password(page: Page, email: str, log: Path) -> Iterator[str]:
    """Have a new password sent, and set it."""
    log_out(page)
    page.goto(find_site(page) + "/account/password/reset/")
    page.fill("#id_email", email)
    page.click(SUBMIT)
    page.wait_for_url("**/account/password/reset/done/")
    page.goto(find_link(log, email, "password/reset/key"))
    yield "new-password"
    for name in ("password1", "password2"):
        page.fill(f"#id_{name}", f"{PHRASE} more")
    page.click(SUBMIT)
    page.wait_for_url("**/account/password/reset/key/done/")


def see_patient(page: Page) -> Iterator[str]:
    """As a clinician, add a patient, a visit and pictures, say a word on one, have it answered anew, and remove it."""
    page.goto(find_site(page) + "/patients/new/")
    page.fill("#id_name", f"P-{secrets.token_hex(3)}")
    page.click(KEEP)
    yield "patient-empty"
    page.click("main a[href$='/visits/new/']")
    page.click(KEEP)
    yield "visit-empty"
    page.locator("main a[href$='/pictures/']").first.click()
    page.set_input_files("#file", [*map(draw_file, ("urgent", "not_evaluable")), LETTER])
    page.wait_for_selector("#cards:has(li:nth-child(3)):not(:has([data-state=checking]))")
    yield "pictures-chosen"
    page.click("#send")
    page.wait_for_selector("#cards:not(:has([data-state=ready], [data-state=sending]))")
    yield "pictures-kept"
    page.locator("[data-state=kept] .upload-answer a").first.click()
    page.click("[name=verdict][value=agree]")
    expect(page.locator("main .opinions li")).to_have_count(1)
    yield "word-said"
    page.click("form[action$='/reproduce/'] button")
    yield "answered-anew"
    page.click("form[action$='/remove/'] button")
    expect(page.locator(".messages form")).to_be_visible()
    yield "picture-removed"


def make_token(page: Page) -> Iterator[str]:
    """Make a token for a program; it is shown once."""
    page.goto(find_site(page) + "/account/tokens/")
    page.fill("#id_name", "Dermatoscope")
    page.check("#id_scopes_0")
    page.click(".token-grid form button[type=submit]")
    expect(page.locator("#token-text")).to_be_visible()
    yield "token-made"


def compare_pictures(page: Page) -> Iterator[str]:
    """Compare pictures of a lesion of the demo's first patient, by an edge between them and by their difference."""
    page.goto(find_site(page) + "/patients/?text=dupont")
    page.click(".row-name")
    page.click(".lesion-list a")
    page.click("main a[href$='/timeline/']")
    for view in ("over", "difference"):
        page.click(f"[data-view={view}]")
        expect(page.locator(f"[data-shows={view}]")).to_be_visible()
        expect(page.locator("[data-shows=beside]")).to_be_hidden()
        yield f"timeline-{view}"


def review(page: Page) -> Iterator[str]:
    """As a reviewer, correct the first of the queue, at first without saying what it is, and look back at it."""
    page.goto(find_site(page) + "/review/")
    page.click(".page-head .btn-primary")
    first = page.url.partition("?")[0]
    page.click("[name=verdict][value=correct]")
    expect(page.locator("#opinion_error")).to_be_visible()
    yield "word-refused"
    page.select_option("#label", index=1)
    page.click("[name=verdict][value=correct]")
    page.wait_for_url("**before=*")
    yield "reviewing-next"
    page.locator(".queue-tools a").first.click()
    expect(page).to_have_url(re.compile(re.escape(first)))
    expect(page.locator("main .opinions li")).not_to_have_count(0)
    yield "reviewed"


def run_practice(page: Page) -> Iterator[str]:
    """As an administrator, set the practice up, take an invitation back and not, and have the log checked."""
    page.goto(find_site(page) + "/people/practice/")
    page.fill("#id_retention_days", "0")
    page.click(SUBMIT)
    expect(page.locator("#id_retention_days")).to_be_focused()
    yield "practice-refused"
    page.fill("#id_retention_days", "3650")
    page.click(SUBMIT)
    expect(page.locator(".messages")).to_be_visible()
    yield "practice-kept"
    page.goto(find_site(page) + "/people/invite/")
    page.click(SUBMIT)
    page.click("main .after a")
    page.locator("form[action$='/revoke/'] button").first.click()
    yield "invitation-taken-back"
    page.click(".messages form button")
    expect(page.locator("form[action$='/revoke/']").first).to_be_visible()
    page.goto(find_site(page) + "/audit/")
    page.click(".page-head form button")
    expect(page.locator(".messages")).to_be_visible()
    yield "audit-checked"


def read_results(page: Page) -> Iterator[str]:
    """As a patient, read a result, find the report of its visit, and what deleting the account would mean."""
    page.goto(find_site(page) + "/")
    page.locator(".picture-card a").first.click()
    yield "result"
    page.click(".crumb a[href^='/visits/']")
    expect(page.locator("a[href^='/reports/visits/']")).to_be_visible()
    page.goto(find_site(page) + "/account/delete/")
    expect(page.locator("main form[method=post] button")).to_be_visible()
    yield "account-delete"


def erase_patient(page: Page) -> Iterator[str]:
    """As a clinician, add a patient and erase them again."""
    name = f"Erased {secrets.token_hex(3)}"
    page.goto(find_site(page) + "/patients/new/")
    page.fill("#id_name", name)
    page.click(KEEP)
    page.click("main a[href$='/data/']")
    page.fill("#id_name", "Somebody else")
    page.click("form[action$='/erase/'] button")
    expect(page.locator(".problem")).to_be_visible()
    yield "not-erased"
    page.fill("#id_name", name)
    page.click("form[action$='/erase/'] button")
    page.wait_for_url("**/erased/")
    yield "erased"


def found_site(page: Page, log: Path) -> Iterator[str]:
    """Open the link of the first administrator and fill a field in wrongly; the link stays unused."""
    link = re.search(r"https?://[^/\s]+(/account/first/\S+)", log.read_text(encoding="utf-8"))
    assert link
    page.goto(find_site(page) + link[1])
    page.fill("#id_password", "short")
    page.press("#id_password", "Tab")
    expect(page.locator("#id_password_error p").first).to_be_visible()
    yield "first"


def log_in(page: Page, email: str) -> None:
    """Log in with the password."""
    page.goto(find_site(page) + "/account/login/")
    page.fill("#id_login", email)
    page.fill("#id_password", PHRASE)
    page.click(SUBMIT)


def log_out(page: Page) -> None:
    """Log out by the page for it."""
    page.goto(find_site(page) + "/account/logout/")
    page.click(SUBMIT)


def draw_file(triage: str) -> FilePayload:
    """Return a drawn picture as a file."""
    return {"name": f"{triage}.png", "mimeType": "image/png", "buffer": draw_triage(triage)}


def find_site(page: Page) -> str:
    """Return where the site is that the page is on."""
    return "/".join(page.url.split("/")[:3])


def find_link(log: Path, email: str, part: str) -> str:
    """Return the link in the last e-mail to somebody that the console mailer wrote into the log."""
    text = log.read_text(encoding="utf-8").rpartition(f"To: {email}")[2]
    found = re.search(rf"https?://\S+/{part}/\S+", text)
    assert found
    return found[0]
