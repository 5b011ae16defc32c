"""``/api/v1``: a second look at one picture, open to anybody; and a practice's records, for who has a token."""

from typing import Annotated

from django.http import HttpRequest, HttpResponse
from django.utils.cache import add_never_cache_headers
from ninja import File, Form, UploadedFile

from secondlook.client.records import Prediction, Problem
from secondlook.clinic.api.doors import DoorAPI
from secondlook.clinic.api.predictions import describe_answer
from secondlook.clinic.api.routers import lesions, opinions, patients, pictures, reports, results, visits
from secondlook.clinic.look.services import answer_upload

api = DoorAPI(
    title="Secondlook",
    urls_namespace="api",
    description="A second look at pictures, and the records of a practice. It supports a decision; it does not "
    "diagnose. All but `predict` needs a bearer token, which its owner makes on the page of their account.",
)
for module in (patients, lesions, visits, pictures, results, opinions, reports):
    api.add_router("", module.router)
PROBLEMS = dict.fromkeys((400, 404, 413, 422, 503), Problem)


@api.post(
    "/predict", response={200: Prediction, **PROBLEMS}, tags=["Try it"], summary="Take a second look at a picture"
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
    outline: Annotated[
        bool, Form(False, description="Whether the lesion is outlined, too; that takes as long as the answer itself.")
    ] = False,
) -> Prediction:
    """Answer one picture of at most 30 MB, as JPEG, PNG, WebP, TIFF, BMP, GIF, DICOM or, with the extra, HEIC.

    Nothing is stored.
    """
    add_never_cache_headers(response)
    answer = answer_upload(file, bundle=bundle, task=task)
    return describe_answer(answer, heatmap_label=heatmap_label, outlined=outline)
