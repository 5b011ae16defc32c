"""An API as the site offers it: its schema says what is sent, refusals too."""

from typing import Any

from ninja import NinjaAPI, Swagger
from ninja.openapi.schema import REF_TEMPLATE
from ninja.operation import Operation
from pydantic import BaseModel

from secondlook import __version__
from secondlook.clinic.api.faults import add_refusals
from secondlook.clinic.refusals import PROBLEM


class DoorAPI(NinjaAPI):
    """A ninja whose refusals are all problems, and whose schema says so.

    Args:
        models: What the schema describes besides what ninja itself finds.
        options: Ninja's own.
    """

    def __init__(self, *, models: tuple[type[BaseModel], ...] = (), **options: Any) -> None:
        self.models = models
        # Swagger's validator is a service on the internet; no request leaves this site.
        super().__init__(version=__version__, docs=Swagger(settings={"validatorUrl": None}), **options)
        add_refusals(self)

    def get_openapi_operation_id(self, operation: Operation) -> str:
        """Name an operation as its route is."""
        return operation.view_func.__name__

    def get_openapi_schema(self, *args: Any, **options: Any) -> Any:
        """Return the schema, refusals under the media type that they have."""
        schema = super().get_openapi_schema(*args, **options)
        for operations in schema["paths"].values():
            for operation in operations.values():
                for status, response in operation["responses"].items():
                    if int(status) >= 400:
                        response["content"] = {PROBLEM: response["content"].pop("application/json")}
        for model in self.models:
            found = model.model_json_schema(ref_template=REF_TEMPLATE)
            schema["components"]["schemas"] |= {**found.pop("$defs", {}), model.__name__: found}
        return schema
