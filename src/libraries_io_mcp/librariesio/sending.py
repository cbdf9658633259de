"""Sends one question until there is an answer: within its deadline, along redirects, and again while it is made."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

import httpx

from libraries_io_mcp import __version__
from libraries_io_mcp.errors import InvalidReplyError, UpstreamTimeoutError
from libraries_io_mcp.librariesio.ask import Ask
from libraries_io_mcp.librariesio.endpoints import Endpoint
from libraries_io_mcp.librariesio.faults import fault_of_exception, fault_of_reply, retry_after_of
from libraries_io_mcp.librariesio.paths import expand, names_in
from libraries_io_mcp.librariesio.question import EXTENSION, Question
from libraries_io_mcp.librariesio.shared_answers import RawAnswer

MAX_REDIRECTS: Final = 3
CONNECT_SECONDS: Final = 5.0
WRITE_SECONDS: Final = 10.0
POOL_SECONDS: Final = 10.0
READ_SECONDS: Final = 65.0
"""The service's own front end gives up after 60 s."""
FIRST_POLL_SECONDS: Final = 1.0
LONGEST_POLL_SECONDS: Final = 8.0
HEADERS: Final = {
    "Accept": "application/json",
    "Accept-Encoding": "gzip",
    "User-Agent": f"libraries-io-mcp/{__version__}",
}


class Sender:
    """Sends over one kept `httpx.AsyncClient`, whose transport is the network stack.

    `now` is epoch seconds, for what is told; `monotonic` never jumps, for how long something may take.
    """

    def __init__(
        self,
        stack: httpx.AsyncBaseTransport,
        *,
        base_url: httpx.URL,
        key_present: bool,
        now: Callable[[], float],
        monotonic: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        self._base_url = base_url
        self._base_path = base_url.raw_path.split(b"?")[0].rstrip(b"/").decode()
        self.key_present = key_present
        self._now = now
        self._monotonic = monotonic
        self._sleep = sleep
        self._http = httpx.AsyncClient(transport=stack, headers=HEADERS, trust_env=False)

    @property
    def service(self) -> str:
        """The address of the service."""
        return str(self._base_url)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def send(self, ask: Ask[Any], question: Question) -> RawAnswer:
        """The answer as it came.

        Raises:
            CallError: there is none.
        """
        try:
            reply, path = await self._within_the_deadline(ask, question)
        except TimeoutError:
            raise UpstreamTimeoutError("Libraries.io did not answer in time.") from None
        except httpx.RequestError as error:
            raise fault_of_exception(error) from None
        if fault := fault_of_reply(reply, key_present=self.key_present):
            raise fault
        has_no_body = reply.status_code == httpx.codes.NO_CONTENT
        if has_no_body != (ask.endpoint.model is None):
            said = f"Libraries.io answered with status {reply.status_code}, which this question does not have."
            raise InvalidReplyError(said, status_code=reply.status_code)
        total = reply.headers.get("total", "")
        return RawAnswer(
            content=b"null" if has_no_body else reply.content,
            fetched_at=self._now(),
            path=path,
            total=int(total) if total.isascii() and total.isdigit() and len(total) < 10 else None,
        )

    async def _within_the_deadline(self, ask: Ask[Any], question: Question) -> tuple[httpx.Response, str]:
        def left() -> float:
            return max(question.deadline - self._monotonic(), 0)

        def extend() -> None:
            if not limit.expired():
                limit.reschedule(asyncio.get_running_loop().time() + left())

        async with asyncio.timeout(left()) as limit:
            with question.watched(extend):
                return await self._follow(ask, question)

    async def _follow(self, ask: Ask[Any], question: Question) -> tuple[httpx.Response, str]:
        """Send, and send again to the path that a redirect names: never to its host, never with its query.

        The method stays what it is: the service redirects before it does anything, so nothing is done twice. A 202 says
        that the answer is being made: what may be repeated is asked again, after pauses that grow.
        """
        path, redirects, pause = ask.path, 0, FIRST_POLL_SECONDS
        while True:
            reply = await self._send(ask, path, question)
            if reply.has_redirect_location:
                path, redirects = self._redirect_path(reply, ask.endpoint), redirects + 1
                if redirects > MAX_REDIRECTS:
                    said = "Libraries.io redirected the question in a circle."
                    raise InvalidReplyError(said, status_code=reply.status_code)
            elif reply.status_code == httpx.codes.ACCEPTED and question.repeatable:
                wait = max(retry_after_of(reply) or 0.0, pause)
                if self._monotonic() + wait >= question.deadline:
                    return reply, path
                question.tell(wait, None)
                await self._sleep(wait)
                pause = min(2 * pause, LONGEST_POLL_SECONDS)
            else:
                return reply, path
            question.resends += 1

    async def _send(self, ask: Ask[Any], path: str, question: Question) -> httpx.Response:
        url = self._base_url.copy_with(raw_path=f"{self._base_path}{path}{ask.query}".encode())
        left = max(question.deadline - self._monotonic(), 0.001)
        timeout = httpx.Timeout(
            connect=min(CONNECT_SECONDS, left),
            write=min(WRITE_SECONDS, left),
            pool=min(POOL_SECONDS, left),
            read=READ_SECONDS,
        )
        headers = {"Content-Type": "application/json"} if ask.content is not None else None
        request = self._http.build_request(
            ask.endpoint.method, url, timeout=timeout, content=ask.content, headers=headers
        )
        request.extensions[EXTENSION] = question
        return await self._http.send(request)

    def _redirect_path(self, reply: httpx.Response, endpoint: Endpoint[Any]) -> str:
        try:
            target = httpx.URL(reply.headers.get("location", ""))
        except httpx.InvalidURL:
            target = httpx.URL("")
        path = target.raw_path.split(b"?")[0].decode()
        names = names_in(endpoint.template, path.removeprefix(self._base_path))
        if (target.host and target.host != self._base_url.host) or names is None:
            raise InvalidReplyError("Libraries.io redirected the question elsewhere.", status_code=reply.status_code)
        return expand(endpoint.template, names, escape_dots=endpoint.escape_dots)
