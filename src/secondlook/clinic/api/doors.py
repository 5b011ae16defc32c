"""An API as the site offers it: its schema says what is sent, problems and scopes too."""

from typing import Any

from ninja import NinjaAPI, Swagger

from secondlook import __version__
from secondlook.clinic.api.faults import add_refusals
from secondlook.clinic.refusals import PROBLEM


class DoorAPI(NinjaAPI):
    """A ninja whose refusals are all problems, and whose schema says so."""

    def __init__(self, **options: Any) -> None:
        # Swagger's validator is a service on the internet; no request leaves this site.
        super().__init__(version=__version__, docs=Swagger(settings={"validatorUrl": None}), **options)
        add_refusals(self)

    def get_openapi_schema(self, *args: Any, **options: Any) -> Any:
        """Return the schema, refusals under the media type that they have."""
        schema = super().get_openapi_schema(*args, **options)
        for operations in schema["paths"].values():
            for operation in operations.values():
                for status, response in operation["responses"].items():
                    if int(status) >= 400 and "content" in response:
                        response["content"] = {PROBLEM: response["content"].pop("application/json")}
        return schema
