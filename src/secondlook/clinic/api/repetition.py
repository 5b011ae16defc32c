"""A creation that is asked for twice under one ``Idempotency-Key`` is done once and answered twice."""

import hashlib
import json
import secrets
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from secondlook.clinic.api.models import ApiToken, KeptAnswer, choose_expiry
from secondlook.clinic.refusals import refuse

HEADER = "Idempotency-Key"
LONGEST_KEY = 255
NONCE_BYTES = 12
KEPT_HEADERS = ("Content-Type", "Location")
PARAMETER = {
    "in": "header",
    "name": HEADER,
    "required": False,
    "schema": {"type": "string", "minLength": 1, "maxLength": LONGEST_KEY, "pattern": r"^[!-~]+$"},
    "description": "A name of your own for this request, such as a UUID. Sent again under it within a day, the same "
    "request is not done again and gets the same answer; another one is refused with 422.",
}
Run = Callable[..., HttpResponse]


def answer_once(lets: Callable[[HttpRequest], bool], *, atomic: bool) -> Callable[[Run], Run]:
    """Wrap an operation so that a repeated request is answered from what is kept.

    Args:
        lets: Whether a request may be answered at all.
        atomic: Whether the operation's rows and the kept answer are one transaction. An operation that keeps files
            cannot be within one; it must itself do the same only once.
    """

    def decorate(run: Run) -> Run:
        def view(request: HttpRequest, **values: Any) -> HttpResponse:
            key = request.headers.get(HEADER)
            if key is None or not lets(request):
                return run(request, **values)
            if not (0 < len(key) <= LONGEST_KEY and key.isascii() and key.isprintable() and " " not in key):
                sentence = _("Expected an Idempotency-Key of 1 to %(limit)d printed ASCII characters without spaces.")
                return refuse(request, sentence % {"limit": LONGEST_KEY}, status=422)
            with transaction.atomic() if atomic else nullcontext():
                return answer_keyed(request, key, lambda: run(request, **values), atomic=atomic)

        return view

    return decorate


def answer_keyed(request: HttpRequest, key: str, run: Callable[[], HttpResponse], *, atomic: bool) -> HttpResponse:
    """Answer from what is kept under the key, or run and keep the answer; refusals are not kept."""
    token: ApiToken = request.token  # type: ignore[attr-defined]  # set by the middleware
    kept = claim_key(token, key, take_fingerprint(request))
    if kept is None:
        sentence = _("Expected the request that came first under this Idempotency-Key, got another. Use a new key.")
        return refuse(request, sentence, status=422)
    secret = derive_secret(request, key)
    if kept.status:
        return open_answer(kept, secret)
    response = run()
    if response.status_code < 300:
        keep_answer(kept, response, secret)
    elif atomic:
        transaction.set_rollback(True)
    else:
        kept.delete()
    return response


def claim_key(token: ApiToken, key: str, fingerprint: str) -> KeptAnswer | None:
    """Return the row of the key, made now or before; nothing where it belongs to another request."""
    digest = hashlib.sha256(key.encode()).hexdigest()
    KeptAnswer.objects.filter(token=token, key_sha256=digest, expires_at__lt=timezone.now()).delete()
    kept, _made = KeptAnswer.objects.get_or_create(
        token=token, key_sha256=digest, defaults={"fingerprint": fingerprint, "expires_at": choose_expiry()}
    )
    return kept if kept.fingerprint == fingerprint else None


def take_fingerprint(request: HttpRequest) -> str:
    """Return what tells a request from others: its address and all that was sent, however a form was packed."""
    digest = hashlib.sha256(f"{request.method} {request.get_full_path()}\n".encode())
    if request.content_type != "multipart/form-data":
        digest.update(request.body)
        return digest.hexdigest()
    digest.update(json.dumps(sorted(request.POST.lists())).encode())
    for field, uploads in sorted(request.FILES.lists()):
        for upload in uploads:
            digest.update(f"\n{field} {hashlib.file_digest(upload, 'sha256').hexdigest()}".encode())
            upload.seek(0)
    return digest.hexdigest()


def derive_secret(request: HttpRequest, key: str) -> bytes:
    """Return the key of the seal; the site forgets it with the request, as it does the token."""
    text = request.headers["Authorization"].partition(" ")[2].strip()
    return hashlib.sha256(json.dumps(["kept answer", text, key]).encode()).digest()


def keep_answer(kept: KeptAnswer, response: HttpResponse, secret: bytes) -> None:
    """Keep an answer."""
    headers = {name: response.headers[name] for name in KEPT_HEADERS if name in response.headers}
    nonce = secrets.token_bytes(NONCE_BYTES)
    content = json.dumps(headers).encode() + b"\n" + response.content
    kept.sealed = nonce + AESGCM(secret).encrypt(nonce, content, None)
    kept.status = response.status_code
    kept.save(update_fields=["sealed", "status"])


def open_answer(kept: KeptAnswer, secret: bytes) -> HttpResponse:
    """Return a kept answer."""
    sealed = bytes(kept.sealed)
    content = AESGCM(secret).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], None)
    headers, _newline, body = content.partition(b"\n")
    return HttpResponse(body, status=kept.status, headers=json.loads(headers))
