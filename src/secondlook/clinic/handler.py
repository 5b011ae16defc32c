"""The ASGI door: bodies are bounded and encrypted as they arrive, and a request changes threads once."""

import io
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from asgiref.sync import sync_to_async
from django.conf import settings
from django.core.exceptions import RequestAborted
from django.core.handlers.asgi import ASGIHandler
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from secondlook.clinic.files.quotas import OVER_QUOTA, is_refused, is_upload
from secondlook.clinic.files.transit import TransitFile
from secondlook.clinic.jobs.worker import Worker
from secondlook.clinic.look.predictors import start_loading

Message = Mapping[str, Any]
Scope = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

TOO_LARGE, NO_ROOM = "secondlook.too_large", "secondlook.no_room"

logger = logging.getLogger(__name__)


class SiteHandler(ASGIHandler):
    """Django's handler for views and middleware that are all synchronous.

    Django would run each middleware in the event loop and send each of its hooks to a thread and back;
    this runs the whole chain in one thread.
    """

    def load_middleware(self, is_async: bool = False) -> None:  # noqa: ARG002 - Django asks for an asynchronous one
        """Build the chain for one thread."""
        super().load_middleware(is_async=False)

    async def get_response_async(self, request: HttpRequest) -> HttpResponseBase:
        """Run the chain in a thread."""
        return await sync_to_async(self.get_response, thread_sensitive=True)(request)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or start loading the bundles when the server starts."""
        if scope["type"] == "lifespan":
            await follow_lifespan(receive, send)
            return
        # Asked in the head of the request, before any of its body is read.
        if is_upload(scope) and await sync_to_async(is_refused, thread_sensitive=False)(scope):
            scope[OVER_QUOTA] = True
        await super().__call__(scope, bound_body(scope, receive), send)

    async def read_body(self, receive: Receive) -> Any:
        """Write the body into a file of this request as it arrives; a closed one says that there was no room for it.

        Raises:
            RequestAborted: The client has gone.
        """
        body, more = TransitFile(), True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                body.close()
                raise RequestAborted
            try:
                if not body.closed:
                    body.write(message.get("body", b""))
            except OSError as error:
                logger.error("There is no room for an upload: %s", error.strerror)  # noqa: TRY400 - no place is told
                body.close()
            more = message.get("more_body", False)
        if not body.closed:
            body.seek(0)
        return body

    def create_request(self, scope: Any, body_file: Any) -> Any:
        """Mark what there was no room for, and say how long a body is that came without its length."""
        if body_file.closed:
            scope[NO_ROOM], body_file = True, io.BytesIO()
        elif not any(name == b"content-length" for name, _value in scope["headers"]):
            length = body_file.seek(0, io.SEEK_END)
            body_file.seek(0)
            scope["headers"] = [*scope["headers"], (b"content-length", str(length).encode())]
        return super().create_request(scope, body_file)


def bound_body(scope: Scope, receive: Receive) -> Receive:
    """Return a ``receive`` that ends the body at the limit and marks the scope, so that no more is ever held."""
    declared = next((value for name, value in scope.get("headers", ()) if name == b"content-length"), b"0")
    limit = settings.LARGEST_BODY_BYTES
    seen = 0
    if declared.isdigit() and int(declared) > limit:
        scope[TOO_LARGE] = True
    unread = (TOO_LARGE, OVER_QUOTA)
    ended = False

    async def receive_bounded() -> Message:
        nonlocal seen, ended
        while not ended and not any(map(scope.get, unread)):
            message = await receive()
            seen += len(message.get("body", b""))
            if seen <= limit:
                ended = message["type"] == "http.disconnect" or not message.get("more_body", False)
                return message
            scope[TOO_LARGE] = True
        if not ended:
            ended = True
            return {"type": "http.request", "body": b"", "more_body": False}
        # What still arrives is dropped unseen: Django waits here only to learn that the client has gone.
        while (message := await receive())["type"] != "http.disconnect":
            pass
        return message

    return receive_bounded


async def follow_lifespan(receive: Receive, send: Send) -> None:
    """Start loading the bundles and doing jobs with the server; requests and `/readyz` see how far the bundles are."""
    worker = Worker()
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            start_loading()
            if settings.CONFIGURATION.jobs == "inside":
                worker.start()
            await send({"type": "lifespan.startup.complete"})
        else:
            await sync_to_async(worker.stop, thread_sensitive=False)()
            await send({"type": "lifespan.shutdown.complete"})
            return
