"""Responses that are made while they are sent, so that no export is ever held whole."""

from collections.abc import AsyncIterator, Iterator

from asgiref.sync import sync_to_async
from django.http import StreamingHttpResponse


class SteadyResponse(StreamingHttpResponse):
    """Sends what a generator yields; under ASGI each part is made in the request's own thread."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Yield the parts; Django would make all of them first."""
        parts: Iterator[bytes] = iter(self)

        def make_part() -> bytes | None:
            return next(parts, None)

        while (part := await sync_to_async(make_part)()) is not None:
            yield part
