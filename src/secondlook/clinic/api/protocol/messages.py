"""The protocol's messages (https://github.com/kserve/open-inference-protocol), as far as this site speaks it."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Datatype = Literal["UINT8", "FP32", "FP64", "BYTES"]
Parameter = bool | int | float | str


class Message(BaseModel):
    """What is said."""

    model_config = ConfigDict(frozen=True)


class TensorFacts(Message):
    """A tensor that a model takes or gives; -1 stands for any length."""

    name: str
    datatype: Datatype
    shape: list[int]


class ServerFacts(Message):
    """What answers here."""

    name: str
    version: str
    extensions: list[str]


class Live(Message):
    """That the server lives."""

    live: bool


class Ready(Message):
    """That pictures are answered."""

    ready: bool


class ModelReady(Message):
    """That a model answers."""

    name: str
    ready: bool


class ModelFacts(Message):
    """A model: what it takes, what it gives, and what the places in its outputs mean."""

    name: str
    versions: list[str]
    platform: str
    inputs: list[TensorFacts]
    outputs: list[TensorFacts]
    parameters: dict[str, Parameter] = Field(
        description="`task`, `labels` in the order of the probabilities, separated by semicolons, and `hash` of the "
        "bundle's list of sums."
    )


class InputTensor(Message):
    """A tensor that is sent; its data as JSON here, or behind the JSON."""

    name: str
    datatype: str
    shape: list[int] = Field(max_length=4)
    parameters: dict[str, Parameter] = {}
    data: list[Any] | None = None


class WantedOutput(Message):
    """An output that is wanted."""

    name: str
    parameters: dict[str, Parameter] = {}


class InferRequest(Message):
    """Pictures to judge: `image`, or `file`."""

    id: str | None = Field(None, max_length=200)
    parameters: dict[str, Parameter] = {}
    inputs: list[InputTensor] = Field(min_length=1, max_length=1)
    outputs: list[WantedOutput] = Field([], max_length=20)


class OutputTensor(Message):
    """A tensor that comes back; without data here it lies behind the JSON."""

    name: str
    datatype: Datatype
    shape: list[int]
    parameters: dict[str, Parameter] | None = None
    data: list[Any] | None = None


class InferResponse(Message):
    """What the model says of the pictures, in their order."""

    model_name: str
    model_version: str
    id: str | None = None
    parameters: dict[str, Parameter] = {}
    outputs: list[OutputTensor]
