"""Puts one question: from the cache or to the service, with its deadline and redirects, decoded, and recorded."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, TypeVar, cast

import httpx
from pydantic import ValidationError

from libraries_io_mcp import __version__
from libraries_io_mcp.errors import CallError, InvalidReplyError, KeyMissingError, UpstreamTimeoutError
from libraries_io_mcp.librariesio.ask import Ask
from libraries_io_mcp.librariesio.cache import NEGATIVE_SECONDS, Cache, Fetched
from libraries_io_mcp.librariesio.call_record import CallRecord
from libraries_io_mcp.librariesio.endpoints import Endpoint
from libraries_io_mcp.librariesio.faults import fault_of_exception, fault_of_reply
from libraries_io_mcp.librariesio.models import decoder
from libraries_io_mcp.librariesio.paths import expand, names_in
from libraries_io_mcp.librariesio.question import EXTENSION, OnWait, Priority, Question
from libraries_io_mcp.librariesio.reply import Reply
from libraries_io_mcp.librariesio.shared_answers import RawAnswer, SharedAnswers
from libraries_io_mcp.librariesio.vitals import Contacts
from libraries_io_mcp.telemetry.instruments import Instruments
from libraries_io_mcp.telemetry.semconv import CacheResult
from libraries_io_mcp.telemetry.waits import Waits

T = TypeVar("T")
MAX_REDIRECTS: Final = 3
CONNECT_SECONDS: Final = 5.0
HEADERS: Final = {
    "Accept": "application/json",
    "Accept-Encoding": "gzip",
    "User-Agent": f"libraries-io-mcp/{__version__}",
}


@dataclass(frozen=True, slots=True)
class Manner:
    """How a caller asks: for how long, how urgently, and whether it wants to hear about waits."""

    timeout_seconds: float
    priority: Priority = "interactive"
    on_wait: OnWait | None = None


class Asker:
    """Asks over one kept `httpx.AsyncClient`, whose transport is the network stack.

    `now` is epoch seconds, for what is told and kept; `monotonic` never jumps, for how long something may take.
    """

    def __init__(
        self,
        stack: httpx.AsyncBaseTransport,
        *,
        base_url: httpx.URL,
        key_present: bool,
        instruments: Instruments,
        cache: Cache,
        shared: SharedAnswers,
        waits: Waits,
        longest_keep_seconds: float | None,
        contacts: Contacts,
        now: Callable[[], float],
        monotonic: Callable[[], float],
        caller: Callable[[], str],
    ) -> None:
        self._contacts = contacts
        self._caller = caller
        self._base_url = base_url
        self._base_path = base_url.raw_path.split(b"?")[0].rstrip(b"/").decode()
        self._key_present = key_present
        self._instruments = instruments
        self._cache = cache
        self._shared = shared
        self._waits = waits
        self._longest_keep = longest_keep_seconds
        self._now = now
        self._monotonic = monotonic
        self._http = httpx.AsyncClient(transport=stack, headers=HEADERS, trust_env=False)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()
        await self._shared.aclose()

    async def ask(self, ask: Ask[T], manner: Manner) -> Reply[T]:
        """The answer, from the cache or the service; counted, timed and logged.

        Raises:
            CallError: one of its subclasses, whatever goes wrong.
        """
        start = self._monotonic()
        record = CallRecord(ask, self._instruments)
        result: CacheResult = "miss"
        try:
            outcome, result = await self._answer(ask, manner, start)
        except CallError as error:
            outcome = error
        except asyncio.CancelledError:
            record.end(self._monotonic() - start, "miss", "cancelled")
            raise
        seconds = self._monotonic() - start
        if isinstance(outcome, CallError):
            record.end(seconds, result, outcome.error_type)
            # The frames below hold the reply's body, and one error may be for many who asked the same.
            raise outcome.with_traceback(None)
        record.end(seconds, result)
        return outcome

    def seed(self, ask: Ask[T], reply: Reply[T], size: int) -> None:
        """Keep an answer that came with another one, of about `size` bytes, as if `ask` had been put.

        Raises:
            CallError: no request could carry that question.
        """
        self._cache.put(ask.identity, Fetched(reply, size, self._keep_seconds(ask.endpoint)))

    async def _answer(self, ask: Ask[T], manner: Manner, start: float) -> tuple[Reply[T] | CallError, CacheResult]:
        if ask.endpoint.needs_key and not self._key_present:
            raise KeyMissingError("Libraries.io answers this question only to callers with an API key.")
        question = Question(
            ask.endpoint.template,
            ask.endpoint.group,
            start + min(manner.timeout_seconds, ask.endpoint.timeout_seconds),
            dict(ask.names),
            method=ask.endpoint.method,
            repeatable=ask.endpoint.repeatable,
            priority=manner.priority,
            on_wait=manner.on_wait,
            caller=self._caller(),
        )
        # Also the check of the arguments: what no request could carry is neither looked up nor kept.
        identity = ask.identity
        if not ask.endpoint.shareable:
            return (await self._fetch(ask, question)).reply, "miss"
        return await self._cache.get(
            ask.endpoint.template,
            identity,
            lambda: self._fetch(ask, question),
            timeout_seconds=question.deadline - start,
            negative_seconds=min(NEGATIVE_SECONDS, self._keep_seconds(ask.endpoint)),
        )

    def _keep_seconds(self, endpoint: Endpoint[Any]) -> float:
        return endpoint.keep_seconds if self._longest_keep is None else min(endpoint.keep_seconds, self._longest_keep)

    async def _fetch(self, ask: Ask[T], question: Question) -> Fetched:
        keep = self._keep_seconds(ask.endpoint)
        if not keep:
            raw, reply = await self._fetch_new(ask, question)
            return Fetched(reply, len(raw.content), keep)
        identity = (str(self._base_url), ask.identity)
        # Half of the time, so that there is enough left to ask oneself, should the other process get no answer. Another
        # process may also be set to keep answers for longer than this one.
        patience = (question.deadline - self._monotonic()) / 2
        waiting = self._waits.replica(ask.endpoint.template)
        async with self._shared.turn(identity, lambda found: self._age(found) < keep, patience, waiting) as shared:
            if shared is not None:
                reply = self._decode(ask, shared).kept("cache", self._now())
                return Fetched(reply, len(shared.content), keep - self._age(shared))
            raw, reply = await self._fetch_new(ask, question)
            await self._shared.put(identity, raw, keep)
        return Fetched(reply, len(raw.content), keep)

    def _age(self, raw: RawAnswer) -> float:
        return max(self._now() - raw.fetched_at, 0.0)

    async def _fetch_new(self, ask: Ask[T], question: Question) -> tuple[RawAnswer, Reply[T]]:
        try:
            raw = await self._fetch_raw(ask, question)
            reply = self._decode(ask, raw)
        except CallError as error:
            self._contacts.note(error, sent=question.sent)
            raise
        self._contacts.note(None, sent=True)
        return raw, reply

    async def _fetch_raw(self, ask: Ask[Any], question: Question) -> RawAnswer:
        try:
            async with asyncio.timeout(max(question.deadline - self._monotonic(), 0)):
                reply, path = await self._follow(ask, question)
        except TimeoutError:
            raise UpstreamTimeoutError("Libraries.io did not answer in time.") from None
        except httpx.RequestError as error:
            raise fault_of_exception(error) from None
        if fault := fault_of_reply(reply, key_present=self._key_present):
            raise fault
        total = reply.headers.get("total", "")
        return RawAnswer(
            content=reply.content or b"null",
            fetched_at=self._now(),
            path=path,
            total=int(total) if total.isascii() and total.isdigit() and len(total) < 10 else None,
        )

    async def _follow(self, ask: Ask[Any], question: Question) -> tuple[httpx.Response, str]:
        """Send, and send again to the path that a redirect names: never to its host, never with its query.

        The method stays what it is: the service redirects before it does anything, so nothing is done twice.
        """
        path = ask.path
        for _ in range(MAX_REDIRECTS + 1):
            reply = await self._send(ask, path, question)
            if not reply.is_redirect:
                return reply, path
            path = self._redirect_path(reply, ask.endpoint)
            question.resends += 1
        raise InvalidReplyError("Libraries.io redirected the question in a circle.", status_code=reply.status_code)

    async def _send(self, ask: Ask[Any], path: str, question: Question) -> httpx.Response:
        url = self._base_url.copy_with(raw_path=f"{self._base_path}{path}{ask.query}".encode())
        left = max(question.deadline - self._monotonic(), 0.001)
        timeout = httpx.Timeout(left, connect=min(CONNECT_SECONDS, left))
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

    def _decode(self, ask: Ask[T], raw: RawAnswer) -> Reply[T]:
        try:
            data: T | None = decoder(ask.endpoint.model).validate_json(raw.content)
            fits = True
        except (ValidationError, RecursionError):
            data, fits = None, False
        if not fits:
            # Raised out here: the exception shows the body, which belongs in no message and no traceback.
            raise InvalidReplyError("Libraries.io's answer does not have the promised form.")
        final = names_in(ask.endpoint.template, raw.path) or {}

        def stored(key: str) -> str | None:
            spelling = getattr(data, key, None) or final.get(key)
            return cast("str | None", spelling) if key in ask.names and spelling != ask.names[key] else None

        return Reply(
            data=cast("T", data),
            endpoint=ask.endpoint.template,
            fetched_at=datetime.fromtimestamp(raw.fetched_at, UTC),
            canonical_platform=stored("platform"),
            canonical_name=stored("name"),
            total=raw.total,
        )
