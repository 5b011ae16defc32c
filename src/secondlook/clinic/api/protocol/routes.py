"""``/v2``: the Open Inference Protocol on the same engine; nothing is stored."""

import json
from collections.abc import Callable
from typing import Annotated

import numpy as np
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.cache import add_never_cache_headers
from django.views.decorators.http import require_safe
from ninja import Path
from pydantic import Field, ValidationError

from secondlook import __version__
from secondlook.client.records import Problem
from secondlook.clinic.api.bearer import DoorRouter
from secondlook.clinic.api.doors import DoorAPI
from secondlook.clinic.api.faults import RequestError
from secondlook.clinic.api.models import Scope
from secondlook.clinic.api.protocol import messages
from secondlook.clinic.api.protocol.tensors import Values, read_pictures, write_tensor
from secondlook.clinic.look.predictors import describe_readiness, find_predictor, refuse_unknown
from secondlook.clinic.look.services import TURNS, answer_picture
from secondlook.clinic.refusals import refuse
from secondlook.errors import InputError
from secondlook.inference.predictor import Prediction, Predictor

HEAD = "Inference-Header-Content-Length"
BINARY = "application/octet-stream"
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,80}$")]
Gather = Callable[[list[Prediction]], Values]

# By name: its datatype, and how it comes from predictions.
OUTPUTS: dict[str, tuple[messages.Datatype, Gather]] = {
    "probabilities": ("FP64", lambda said: np.array([list(one.probabilities.values()) for one in said])),
    "logits": ("FP32", lambda said: np.stack([one.logits for one in said])),
    "embedding": ("FP32", lambda said: np.stack([one.embedding for one in said])),
    "label": ("BYTES", lambda said: [one.label for one in said]),
    "triage": ("BYTES", lambda said: [one.triage for one in said]),
    "risk": ("FP64", lambda said: np.array([one.risk for one in said])),
    "prediction_set": ("BYTES", lambda said: [";".join(one.prediction_set) for one in said]),
    "outlier_score": ("FP64", lambda said: np.array([one.outlier_score for one in said])),
}
WIDE = {"probabilities", "logits", "embedding"}

api = DoorAPI(
    title="Secondlook: Open Inference Protocol",
    urls_namespace="v2",
    models=(messages.InferRequest,),
    description="Version 2 of the protocol, with binary tensor data. It supports a decision; it does not diagnose. "
    "`infer` needs a bearer token with the scope `infer`; nothing is stored.",
)
router = DoorRouter(namespace="v2", atomic=None, tags=["Inference"])
ASKED = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/InferRequest"}}},
    }
}
FAULTS = {400: Problem, 413: Problem, 503: Problem}
UNKNOWN = {404: Problem, 422: Problem, 503: Problem}


@api.get("/", response={200: messages.ServerFacts}, tags=["Server"])
def describe_server(request: HttpRequest) -> messages.ServerFacts:
    """Say what answers here. Open to anybody."""
    return messages.ServerFacts(name="secondlook", version=__version__, extensions=["binary_tensor_data"])


@require_safe
def show_server(request: HttpRequest) -> HttpResponse:
    """Say the same at the address without its last stroke, where the protocol has it. Open to anybody."""
    return JsonResponse(describe_server(request).model_dump())


@api.get("/health/live", response={200: messages.Live}, tags=["Server"])
def live(request: HttpRequest) -> messages.Live:
    """Say that the server lives. Open to anybody."""
    return messages.Live(live=True)


@api.get("/health/ready", response={200: messages.Ready, 503: Problem}, tags=["Server"])
def ready(request: HttpRequest) -> messages.Ready | HttpResponse:
    """Say whether pictures are answered. Open to anybody."""
    is_ready, sentence = describe_readiness()
    return messages.Ready(ready=True) if is_ready else refuse(request, sentence, status=503)


@api.get("/models/{model}", response={200: messages.ModelFacts, **UNKNOWN}, tags=["Models"])
def describe_model(request: HttpRequest, model: Path[Name]) -> messages.ModelFacts:
    """Say what a model takes and gives; it is named as its bundle is. Open to anybody."""
    predictor = find_predictor(model)
    identity, task = predictor.identity, predictor.task
    widths = {name: len(task.keys) for name in WIDE} | {"embedding": predictor.bundle.reference.embedding.shape[1]}
    return messages.ModelFacts(
        name=identity.name,
        versions=[identity.version],
        platform="onnxruntime",
        inputs=[
            messages.TensorFacts(name="image", datatype="UINT8", shape=[-1, -1, -1, 3]),
            messages.TensorFacts(name="file", datatype="BYTES", shape=[-1]),
        ],
        outputs=[
            messages.TensorFacts(name=name, datatype=datatype, shape=[-1, widths[name]] if name in WIDE else [-1])
            for name, (datatype, _gather) in OUTPUTS.items()
        ],
        parameters={"task": task.key, "labels": ";".join(task.keys), "hash": identity.sha256},
    )


@api.get("/models/{model}/ready", response={200: messages.ModelReady, **UNKNOWN}, tags=["Models"])
def is_model_ready(request: HttpRequest, model: Path[Name]) -> messages.ModelReady:
    """Say that a model answers. Open to anybody."""
    return messages.ModelReady(name=find_predictor(model).identity.name, ready=True)


@api.get("/models/{model}/versions/{version}", response={200: messages.ModelFacts, **UNKNOWN}, tags=["Models"])
def describe_version(request: HttpRequest, model: Path[Name], version: Path[Name]) -> messages.ModelFacts:
    """Say the same of this version of a model, if it is the one that answers. Open to anybody."""
    require_version(model, version)
    return describe_model(request, model)


@api.get("/models/{model}/versions/{version}/ready", response={200: messages.ModelReady, **UNKNOWN}, tags=["Models"])
def is_version_ready(request: HttpRequest, model: Path[Name], version: Path[Name]) -> messages.ModelReady:
    """Say that this version of a model answers. Open to anybody."""
    require_version(model, version)
    return is_model_ready(request, model)


def require_version(model: str, version: str) -> None:
    """Refuse a version that is not the one on offer.

    Raises:
        UnknownBundleError: It is another, or there is no such model.
    """
    offered = find_predictor(model).identity.version
    if version != offered:
        raise refuse_unknown("version", "une version", [offered], version)


@router.post(
    "/models/{model}/infer",
    auth=Scope.INFER,
    response={200: messages.InferResponse, **FAULTS},
    openapi_extra=ASKED,
)
def infer(request: HttpRequest, model: Path[Name]) -> HttpResponse:
    """Judge pictures: `image`, uint8 RGB of N×H×W×3, or `file`, N whole files (base64); or as bytes behind the JSON."""
    predictor = find_predictor(model)
    with TURNS:
        asked, behind = read_request(request)
        pictures = read_pictures(asked.inputs[0], behind)
    wanted = asked.outputs or [messages.WantedOutput(name=name) for name in OUTPUTS]
    for output in wanted:
        if output.name not in OUTPUTS:
            raise InputError(f"Expected outputs among {', '.join(OUTPUTS)}; got {output.name[:40]!r}.")
    said = predict_all(pictures, predictor)
    usual = asked.parameters.get("binary_data_output", False)
    written = [
        write_tensor(
            output.name,
            OUTPUTS[output.name][0],
            OUTPUTS[output.name][1](said),
            binary=bool(output.parameters.get("binary_data", usual)),
        )
        for output in wanted
    ]
    answer = messages.InferResponse(
        model_name=predictor.identity.name,
        model_version=predictor.identity.version,
        id=asked.id,
        parameters={"hash": predictor.identity.sha256},
        outputs=[tensor for tensor, _behind in written],
    )
    return send_answer(answer, b"".join(behind for _tensor, behind in written))


@router.post(
    "/models/{model}/versions/{version}/infer",
    auth=Scope.INFER,
    response={200: messages.InferResponse, **FAULTS},
    openapi_extra=ASKED,
)
def infer_version(request: HttpRequest, model: Path[Name], version: Path[Name]) -> HttpResponse:
    """Judge pictures with this version of a model, and with no other."""
    require_version(model, version)
    return infer(request, model)


def read_request(request: HttpRequest) -> tuple[messages.InferRequest, bytes]:
    """Return the JSON of a request, and what lies behind it.

    Raises:
        InputError: The header that says where the JSON ends is wrong.
        RequestError: The JSON is not what the protocol says.
    """
    length = request.headers.get(HEAD)
    content = request.read()  # Django's own limit, on `request.body`, is for forms
    if length is not None and not (length.isdecimal() and len(length) < 12 and int(length) <= len(content)):
        raise InputError(f"Expected in {HEAD} how many bytes of the body are JSON; got {length[:20]!r}.")
    end = len(content) if length is None else int(length)
    try:
        return messages.InferRequest.model_validate_json(content[:end]), content[end:]
    except ValidationError as error:
        faults = {"/".join(map(str, fault["loc"])): fault["msg"] for fault in error.errors(include_url=False)}
        raise RequestError(faults) from error


def predict_all(files: list[bytes], predictor: Predictor) -> list[Prediction]:
    """Return what the predictor says of each picture, read as every door reads one."""
    said = []
    for data in files:
        with TURNS:
            said.append(answer_picture(data, predictor).prediction)
    return [one for one in said if isinstance(one, Prediction)]


def send_answer(answer: messages.InferResponse, behind: bytes) -> HttpResponse:
    """Return an answer as JSON, with what lies behind it."""
    head = json.dumps(answer.model_dump(exclude_none=True)).encode()
    response = HttpResponse(head + behind, content_type=BINARY if behind else "application/json")
    if behind:
        response.headers[HEAD] = str(len(head))
    add_never_cache_headers(response)
    return response


api.add_router("", router)
