"""Puts one question: from the cache or to the service, with its deadline and redirects, decoded, and recorded."""

import asyncio
import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, Generic, TypeVar, cast
from urllib.parse import quote, urlencode

import httpx
from pydantic import ValidationError

from libraries_io_mcp.errors import (
    CallError,
    InvalidReplyError,
    InvalidRequestError,
    KeyMissingError,
    UpstreamTimeoutError,
)
from libraries_io_mcp.librariesio.cache import Cache, Fetched
from libraries_io_mcp.librariesio.endpoints import Endpoint
from libraries_io_mcp.librariesio.faults import fault_of_exception, fault_of_reply
from libraries_io_mcp.librariesio.models import decoder
from libraries_io_mcp.librariesio.paths import expand, names_in
from libraries_io_mcp.librariesio.question import EXTENSION, OnWait, Priority, Question
from libraries_io_mcp.librariesio.reply import Reply
from libraries_io_mcp.librariesio.shared_answers import RawAnswer, SharedAnswers
from libraries_io_mcp.telemetry.asked import note_question
from libraries_io_mcp.telemetry.instruments import Instruments
from libraries_io_mcp.telemetry.semconv import Attribute, CacheResult, Event

T = TypeVar("T")
MAX_REDIRECTS: Final = 3
CONNECT_SECONDS: Final = 5.0
MAX_QUERY_BYTES: Final = 4096
HEADERS: Final = {"Accept": "application/json", "Accept-Encoding": "gzip"}

logger = logging.getLogger("libraries_io_mcp.librariesio")


@dataclass(frozen=True, slots=True)
class Manner:
    """How a caller asks: for how long, how urgently, and whether it wants to hear about waits."""

    timeout_seconds: float
    priority: Priority = "interactive"
    on_wait: OnWait | None = None


@dataclass(frozen=True, slots=True)
class Ask(Generic[T]):
    """One question: the endpoint, the names in its path, its query, its JSON body."""

    endpoint: Endpoint[T]
    names: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)
    body: Any = None

    def identity(self) -> tuple[Any, ...]:
        """What decides the answer, hashable."""
        body = json.dumps(self.body, sort_keys=True) if self.body is not None else ""
        return self.endpoint.template, *self.names.values(), *sorted(self.parameters.items()), body


class Asker:
    """Asks over one kept `httpx.AsyncClient`, whose transport is the network stack."""

    def __init__(
        self,
        stack: httpx.AsyncBaseTransport,
        *,
        base_url: httpx.URL,
        key_present: bool,
        user_agent: str,
        instruments: Instruments,
        cache: Cache,
        shared: SharedAnswers,
        longest_keep_seconds: float | None,
        now: Callable[[], float],
    ) -> None:
        self._base_url = base_url
        self._base_path = base_url.raw_path.split(b"?")[0].rstrip(b"/").decode()
        self._key_present = key_present
        self._instruments = instruments
        self._cache = cache
        self._shared = shared
        self._longest_keep = longest_keep_seconds
        self._now = now
        self._http = httpx.AsyncClient(transport=stack, headers={**HEADERS, "User-Agent": user_agent}, trust_env=False)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()
        await self._shared.aclose()

    async def ask(self, ask: Ask[T], manner: Manner) -> Reply[T]:
        """The answer, from the cache or the service; counted, timed and logged.

        Raises:
            CallError: one of its subclasses, whatever goes wrong.
        """
        start = self._now()
        about = _about(ask)
        logger.debug("call started", extra={"otel.event.name": Event.CALL_STARTED, **about})
        try:
            outcome, result = await self._answer(ask, manner, start)
        except CallError as error:
            outcome, result = error, "miss"
        except asyncio.CancelledError:
            self._record(ask, start, about, "miss", "cancelled")
            raise
        if isinstance(outcome, CallError):
            self._record(ask, start, about, result, outcome.error_type)
            raise outcome
        self._record(ask, start, about, result, None)
        return outcome

    async def _answer(self, ask: Ask[T], manner: Manner, start: float) -> tuple[Reply[T] | CallError, CacheResult]:
        if ask.endpoint.needs_key and not self._key_present:
            raise KeyMissingError("Libraries.io answers this question only to callers with an API key.")
        question = Question(
            ask.endpoint.template,
            ask.endpoint.group,
            start + min(manner.timeout_seconds, ask.endpoint.timeout_seconds),
            dict(ask.names),
            repeatable=ask.endpoint.repeatable,
            priority=manner.priority,
            on_wait=manner.on_wait,
        )
        if not ask.endpoint.shareable:
            return (await self._fetch(ask, question)).reply, "miss"
        return await self._cache.get(
            ask.endpoint.template,
            ask.identity(),
            lambda: self._fetch(ask, question),
            timeout_seconds=question.deadline - start,
        )

    async def _fetch(self, ask: Ask[T], question: Question) -> Fetched:
        keep = (
            ask.endpoint.keep_seconds
            if self._longest_keep is None
            else min(ask.endpoint.keep_seconds, self._longest_keep)
        )
        identity = (str(self._base_url), ask.identity())
        raw = await self._shared.get(identity) if keep else None
        if raw is not None:
            age = max(self._now() - raw.fetched_at, 0.0)
            reply = self._decode(ask, raw).kept("cache", self._now())
            return Fetched(reply, len(raw.content), max(keep - age, 0.0))
        raw = await self._fetch_raw(ask, question)
        fetched = Fetched(self._decode(ask, raw), len(raw.content), keep)
        if keep:
            await self._shared.put(identity, raw, keep)
        return fetched

    async def _fetch_raw(self, ask: Ask[Any], question: Question) -> RawAnswer:
        path = expand(ask.endpoint.template, question.names, escape_dots=ask.endpoint.escape_dots)
        try:
            async with asyncio.timeout(max(question.deadline - self._now(), 0)):
                reply, path = await self._follow(ask, path, question)
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
            total=int(total) if total.isascii() and total.isdigit() else None,
        )

    async def _follow(self, ask: Ask[Any], path: str, question: Question) -> tuple[httpx.Response, str]:
        """Send, and send again to the path that a redirect names: never to its host, never with its query.

        The method stays what it is: the service redirects before it does anything, so nothing is done twice.
        """
        for _ in range(MAX_REDIRECTS + 1):
            reply = await self._send(ask, path, question)
            if not reply.is_redirect:
                return reply, path
            path = self._redirect_path(reply, ask.endpoint)
        raise InvalidReplyError("Libraries.io redirected the question in a circle.", status_code=reply.status_code)

    async def _send(self, ask: Ask[Any], path: str, question: Question) -> httpx.Response:
        url = self._base_url.copy_with(raw_path=f"{self._base_path}{path}{_query(ask.parameters)}".encode())
        left = max(question.deadline - self._now(), 0.001)
        timeout = httpx.Timeout(left, connect=min(CONNECT_SECONDS, left))
        request = self._http.build_request(ask.endpoint.method, url, timeout=timeout, json=ask.body)
        request.extensions[EXTENSION] = question
        return await self._http.send(request)

    def _redirect_path(self, reply: httpx.Response, endpoint: Endpoint[Any]) -> str:
        elsewhere = InvalidReplyError("Libraries.io redirected the question elsewhere.", status_code=reply.status_code)
        try:
            target = httpx.URL(reply.headers["location"])
        except httpx.InvalidURL:
            raise elsewhere from None
        path = target.raw_path.split(b"?")[0].decode()
        names = names_in(endpoint.template, path.removeprefix(self._base_path))
        if (target.host and target.host != self._base_url.host) or names is None:
            raise elsewhere
        return expand(endpoint.template, names, escape_dots=endpoint.escape_dots)

    def _decode(self, ask: Ask[T], raw: RawAnswer) -> Reply[T]:
        try:
            data: T = decoder(ask.endpoint.model).validate_json(raw.content)
        except (ValidationError, RecursionError):
            # Its text shows the body, which belongs in no message.
            raise InvalidReplyError("Libraries.io's answer does not have the promised form.") from None
        final = names_in(ask.endpoint.template, raw.path) or {}

        def stored(key: str) -> str | None:
            spelling = getattr(data, key, None) or final.get(key)
            return cast("str | None", spelling) if key in ask.names and spelling != ask.names[key] else None

        return Reply(
            data=data,
            endpoint=ask.endpoint.template,
            fetched_at=datetime.fromtimestamp(raw.fetched_at, UTC),
            canonical_platform=stored("platform"),
            canonical_name=stored("name"),
            total=raw.total,
        )

    def _record(
        self, ask: Ask[Any], start: float, about: dict[str, Any], result: CacheResult, error_type: str | None
    ) -> None:
        duration = max(self._now() - start, 0.0)
        self._instruments.call(ask.endpoint.template, duration, cache=result, error_type=error_type)
        note_question(result, about)
        level = _level(result, error_type)
        if not logger.isEnabledFor(level):
            return
        extra = {
            "otel.event.name": Event.CALL_FAILED if error_type else Event.CALL_COMPLETED,
            Attribute.DURATION: round(duration, 6),
            Attribute.OUTCOME: "failed" if error_type else "completed",
            Attribute.CACHE_RESULT: result,
            **about,
        }
        if error_type:
            extra[Attribute.ERROR_TYPE] = error_type
        logger.log(level, "call %s", f"failed: {error_type}" if error_type else "completed", extra=extra)


def _level(result: CacheResult, error_type: str | None) -> int:
    if error_type == "cancelled" or (result == "hit" and not error_type):
        return logging.DEBUG
    return logging.WARNING if error_type or result == "stale" else logging.INFO


def _about(ask: Ask[Any]) -> dict[str, Any]:
    """Attributes of a question's log records: the endpoint, and of its arguments platform and name only."""
    about: dict[str, Any] = {Attribute.ENDPOINT: ask.endpoint.template}
    for name, attribute in (("platform", Attribute.PLATFORM), ("name", Attribute.PACKAGE)):
        if name in ask.names:
            about[attribute] = ask.names[name]
    return about


def _query(parameters: Mapping[str, str]) -> str:
    try:
        query = urlencode(parameters, quote_via=quote)
    except UnicodeEncodeError:
        raise InvalidRequestError("An argument holds half of a surrogate pair, which is not text.") from None
    if len(query) > MAX_QUERY_BYTES:
        raise InvalidRequestError(f"The arguments are longer than {MAX_QUERY_BYTES} bytes together.")
    return f"?{query}" if query else ""
