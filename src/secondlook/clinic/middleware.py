"""What happens around every request: health, static files and the limit on bodies."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from whitenoise.middleware import WhiteNoiseMiddleware
from whitenoise.responders import StaticFile

from secondlook.clinic.files.quotas import count_wait_s, describe_quota, is_over_quota
from secondlook.clinic.handler import NO_ROOM, TOO_LARGE
from secondlook.clinic.logs import READY
from secondlook.clinic.look.predictors import describe_readiness
from secondlook.clinic.refusals import describe_limit, refuse

Responder = Callable[[HttpRequest], HttpResponseBase]


def answer_health(get_response: Responder) -> Responder:
    """Answer probes before hosts and HTTPS are looked at, for a balancer asks by address; anybody may ask."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        if request.path_info == "/healthz":
            return HttpResponse("ok\n", content_type="text/plain; charset=utf-8")
        if request.path_info == READY:
            ready, sentence = describe_readiness()
            status = 200 if ready else 503
            return HttpResponse(f"{sentence}\n", content_type="text/plain; charset=utf-8", status=status)
        return get_response(request)

    return middleware


class StaticFilesMiddleware(WhiteNoiseMiddleware):  # type: ignore[misc]  # WhiteNoise has no types
    """WhiteNoise under ASGI: Django warns of its blocking streams, and these files are small enough to send whole."""

    @staticmethod
    def serve(static_file: StaticFile, request: HttpRequest) -> HttpResponse:
        """Return a static file."""
        found = static_file.get_response(request.method, request.META)
        content = b""
        if found.file is not None:
            with found.file as stream:
                content = stream.read()
        return HttpResponse(content, status=int(found.status), headers=dict(found.headers))


def refuse_unread_bodies(get_response: Responder) -> Responder:
    """Refuse what the handler stopped reading."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        marks = getattr(request, "scope", {})
        if marks.get(TOO_LARGE):
            return refuse(request, describe_limit(), status=413)
        if marks.get(NO_ROOM):
            sentence = _("There is no room here for what you sent. Tell whoever runs this site, and try again later.")
            return refuse(request, sentence, status=503)
        if is_over_quota(request):
            return refuse(request, describe_quota(), status=429, headers={"Retry-After": str(count_wait_s())})
        return get_response(request)

    return middleware
