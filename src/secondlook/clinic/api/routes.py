"""``/api/v1``: the same answer as the page, as JSON."""

from typing import Annotated

from django.http import Http404, HttpRequest, HttpResponse
from django.utils.cache import add_never_cache_headers
from django.utils.translation import gettext as _
from ninja import File, Form, NinjaAPI, Swagger, UploadedFile
from ninja.errors import ValidationError as RequestError

from secondlook import __version__
from secondlook.clinic.api.schemas import PredictionOut, ProblemOut, describe_answer
from secondlook.clinic.look.services import answer_upload
from secondlook.clinic.refusals import refuse, refuse_error
from secondlook.errors import SecondlookError

api = NinjaAPI(
    title="Secondlook",
    version=__version__,
    urls_namespace="api",
    description="A second look at one picture. It supports a decision; it does not diagnose. Nothing is stored.",
    # Swagger's validator is a service on the internet; no request leaves this site.
    docs=Swagger(settings={"validatorUrl": None}),
)
PROBLEMS = {400: ProblemOut, 404: ProblemOut, 413: ProblemOut, 422: ProblemOut, 503: ProblemOut}


@api.post(
    "/predict", response={200: PredictionOut, **PROBLEMS}, tags=["Pictures"], summary="Take a second look at a picture"
)
def predict(
    request: HttpRequest,
    response: HttpResponse,
    file: File[UploadedFile],
    bundle: Annotated[
        str | None, Form(None, description="Name of a bundle on offer, such as `chest`; it goes before the task.")
    ] = None,
    task: Annotated[
        str | None,
        Form(None, description="What the picture shows, such as `chest`; `auto`, the default, has it found out."),
    ] = None,
    heatmap_label: Annotated[
        str | None,
        Form(None, description="The label, such as `mel`, whose heatmap is given; the named one by default."),
    ] = None,
) -> PredictionOut:
    """Answer one picture: JPEG, PNG, WebP, TIFF, BMP, GIF, HEIC or DICOM of at most 30 MB. Open to anybody."""
    add_never_cache_headers(response)
    return describe_answer(answer_upload(file, bundle=bundle, task=task), heatmap_label=heatmap_label)


@api.exception_handler(SecondlookError)
def refuse_own_error(request: HttpRequest, error: SecondlookError) -> HttpResponse:
    """Turn our own errors into problems."""
    return refuse_error(request, error)


@api.exception_handler(RequestError)
def refuse_wrong_request(request: HttpRequest, error: RequestError) -> HttpResponse:
    """Turn missing and wrong fields into a problem that names them."""
    fields = ", ".join(sorted({str(fault["loc"][-1]) for fault in error.errors}))
    sentence = _("Expected a multipart form with a picture in the field `file`; missing or wrong: %(fields)s.")
    return refuse(request, sentence % {"fields": fields}, status=422)


@api.exception_handler(Http404)
def refuse_unknown_route(request: HttpRequest, error: Http404) -> HttpResponse:
    """Turn a route that is not there into a problem."""
    return refuse(request, _("There is nothing at this address."), status=404)
