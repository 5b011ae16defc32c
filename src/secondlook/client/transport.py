"""Requests that are sent again where that is safe, and refusals that become errors."""

import time
import uuid
from collections.abc import Callable
from typing import Any

import httpx

from secondlook.client.faults import DownError, make_error

RETRIED = frozenset({429, 502, 503, 504})
FIRST_WAIT_S = 0.5
LONGEST_WAIT_S = 30.0
REPEATABLE = "Idempotency-Key"


class Transport:
    """Sends requests to one site; safe to use from several threads.

    Args:
        url: Where the site is, without any path of its interface.
        token: The token, as the page of the account showed it; none for what is open to anybody.
        language: Language of the site's sentences.
        timeout_s: Longest wait for an answer, in seconds.
        retries: How often a request is sent again where no answer came, or the site was busy.
        transport: What carries requests, for tests.
    """

    def __init__(
        self,
        url: str,
        token: str | None,
        *,
        language: str,
        timeout_s: float,
        retries: int,
        transport: httpx.BaseTransport | None,
    ) -> None:
        headers = {"Accept-Language": language} | ({"Authorization": f"Bearer {token}"} if token else {})
        base = f"{url.rstrip('/')}/api/v1/"
        self._http = httpx.Client(base_url=base, headers=headers, timeout=timeout_s, transport=transport)
        self._retries = retries
        self.sleep: Callable[[float], None] = time.sleep

    def send(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Send one request and return its answer.

        A request is sent again where that cannot do anything twice: a creation carries a key of its own, by which the
        site knows it again.

        Raises:
            SiteError: The site refused, cannot be reached, or cannot answer.
        """
        headers = {REPEATABLE: str(uuid.uuid4())} if method == "POST" else {}
        request = self._http.build_request(method, path, headers=headers, **options)
        request.read()  # a file is sent again from memory
        tried = 0
        while True:
            answer = self._try(request)
            if isinstance(answer, httpx.Response) and answer.is_success:
                return answer
            wanted = answer.headers.get("Retry-After", "") if isinstance(answer, httpx.Response) else ""
            busy = not isinstance(answer, httpx.Response) or answer.status_code in RETRIED
            if not busy or tried >= self._retries:
                raise make_error(answer) if isinstance(answer, httpx.Response) else answer
            self.sleep(choose_wait(tried, wanted))
            tried += 1

    def _try(self, request: httpx.Request) -> httpx.Response | DownError:
        """Return the answer, or why there was none."""
        try:
            return self._http.send(request)
        except httpx.TransportError as error:
            down = DownError(
                f"Expected an answer from {request.url.host}, got none ({type(error).__name__}). "
                "Check the address and the connection."
            )
            down.__cause__ = error
            return down

    def close(self) -> None:
        """Close the connections."""
        self._http.close()


def choose_wait(tried: int, wanted: str) -> float:
    """Return how many seconds to wait: as the site says, or twice as long each time."""
    wait_s = float(wanted) if wanted.isdecimal() else FIRST_WAIT_S * 2**tried
    return min(wait_s, LONGEST_WAIT_S)
