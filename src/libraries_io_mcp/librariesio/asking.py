"""Puts one question to the service: request, deadline, redirects, decoding, and the record of how it went."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final, TypeVar
from urllib.parse import quote, urlencode

import httpx
from pydantic import ValidationError

from libraries_io_mcp.errors import (
    CallError,
    InvalidReplyError,
    KeyMissingError,
    UpstreamTimeoutError,
)
from libraries_io_mcp.librariesio.endpoints import Endpoint
from libraries_io_mcp.librariesio.faults import fault_of_exception, fault_of_reply
from libraries_io_mcp.librariesio.models import decoder
from libraries_io_mcp.librariesio.paths import expand, names_in
from libraries_io_mcp.librariesio.question import EXTENSION, Question
from libraries_io_mcp.librariesio.reply import Reply
from libraries_io_mcp.telemetry.instruments import Instruments
from libraries_io_mcp.telemetry.semconv import Attribute, Event

T = TypeVar("T")
MAX_REDIRECTS: Final = 3
CONNECT_SECONDS: Final = 5.0
HEADERS: Final = {"Accept": "application/json", "Accept-Encoding": "gzip"}
Parameters = Mapping[str, str]

logger = logging.getLogger("libraries_io_mcp.librariesio")


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
        now: Callable[[], float],
    ) -> None:
        self._base_url = base_url
        self._base_path = base_url.raw_path.split(b"?")[0].rstrip(b"/").decode()
        self._key_present = key_present
        self._instruments = instruments
        self._now = now
        self._http = httpx.AsyncClient(transport=stack, headers={**HEADERS, "User-Agent": user_agent}, trust_env=False)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def ask(
        self, endpoint: Endpoint[T], names: Mapping[str, str], parameters: Parameters, *, timeout_seconds: float
    ) -> Reply[T]:
        """Ask once and decode the answer; count, time and log it.

        Raises:
            CallError: one of its subclasses, whatever goes wrong.
        """
        start = self._now()
        about = _about(endpoint, names)
        logger.debug("call started", extra={"otel.event.name": Event.CALL_STARTED, **about})
        try:
            answer = await self._answer(endpoint, names, parameters, deadline=start + timeout_seconds)
        except (CallError, asyncio.CancelledError) as error:
            self._record_failure(endpoint, start, about, error)
            raise
        self._record_success(endpoint, start, about)
        return answer

    async def _answer(
        self, endpoint: Endpoint[T], names: Mapping[str, str], parameters: Parameters, *, deadline: float
    ) -> Reply[T]:
        if endpoint.needs_key and not self._key_present:
            raise KeyMissingError("Libraries.io answers this question only to callers with an API key.")
        question = Question(endpoint.template, deadline, dict(names), repeatable=endpoint.repeatable)
        path = expand(endpoint.template, question.names)
        try:
            async with asyncio.timeout(max(deadline - self._now(), 0)):
                reply, path = await self._follow(endpoint.method, path, parameters, question)
        except TimeoutError:
            raise UpstreamTimeoutError("Libraries.io did not answer in time.") from None
        except httpx.RequestError as error:
            raise fault_of_exception(error) from None
        if fault := fault_of_reply(reply, key_present=self._key_present):
            raise fault
        return self._decode(endpoint, reply, asked=names, final=names_in(endpoint.template, path) or {})

    async def _follow(
        self, method: str, path: str, parameters: Parameters, question: Question
    ) -> tuple[httpx.Response, str]:
        """Send, and send again to the path that a redirect names. Only its path is used: never its host or query."""
        for _ in range(MAX_REDIRECTS + 1):
            reply = await self._send(method, path, parameters, question)
            if not reply.is_redirect:
                return reply, path
            path = self._redirect_path(reply, question.endpoint)
        raise InvalidReplyError("Libraries.io redirected the question in a circle.", status_code=reply.status_code)

    async def _send(self, method: str, path: str, parameters: Parameters, question: Question) -> httpx.Response:
        query = f"?{urlencode(parameters, quote_via=quote)}" if parameters else ""
        url = self._base_url.copy_with(raw_path=f"{self._base_path}{path}{query}".encode())
        left = max(question.deadline - self._now(), 0.001)
        timeout = httpx.Timeout(left, connect=min(CONNECT_SECONDS, left))
        request = self._http.build_request(method, url, timeout=timeout)
        request.extensions[EXTENSION] = question
        return await self._http.send(request)

    def _redirect_path(self, reply: httpx.Response, template: str) -> str:
        target = httpx.URL(reply.headers["location"])
        path = target.raw_path.split(b"?")[0].decode()
        names = names_in(template, path.removeprefix(self._base_path))
        if (target.host and target.host != self._base_url.host) or names is None:
            raise InvalidReplyError("Libraries.io redirected the question elsewhere.", status_code=reply.status_code)
        return expand(template, names)

    def _decode(
        self, endpoint: Endpoint[T], reply: httpx.Response, *, asked: Mapping[str, str], final: Mapping[str, str]
    ) -> Reply[T]:
        try:
            data: T = decoder(endpoint.model).validate_json(reply.content or b"null")
        except ValidationError:
            # Its text shows the body, which belongs in no message.
            raise InvalidReplyError(
                "Libraries.io's answer does not have the promised form.", status_code=reply.status_code
            ) from None
        platform, name = (getattr(data, key, None) or final.get(key) for key in ("platform", "name"))
        total = reply.headers.get("total", "")
        return Reply(
            data=data,
            endpoint=endpoint.template,
            fetched_at=datetime.fromtimestamp(self._now(), UTC),
            canonical_platform=platform if platform != asked.get("platform") else None,
            canonical_name=name if name != asked.get("name") else None,
            total=int(total) if total.isascii() and total.isdigit() else None,
        )

    def _record_success(self, endpoint: Endpoint[Any], start: float, about: Mapping[str, Any]) -> None:
        duration = max(self._now() - start, 0.0)
        self._instruments.call(endpoint.template, duration, cache="miss", error_type=None)
        extra = {
            "otel.event.name": Event.CALL_COMPLETED,
            Attribute.DURATION: round(duration, 6),
            Attribute.OUTCOME: "completed",
        }
        logger.info("call completed", extra={**extra, **about})

    def _record_failure(
        self, endpoint: Endpoint[Any], start: float, about: Mapping[str, Any], error: BaseException
    ) -> None:
        duration = max(self._now() - start, 0.0)
        error_type = error.error_type if isinstance(error, CallError) else "cancelled"
        self._instruments.call(endpoint.template, duration, cache="miss", error_type=error_type)
        extra = {
            "otel.event.name": Event.CALL_FAILED,
            Attribute.DURATION: round(duration, 6),
            Attribute.OUTCOME: "failed",
            Attribute.ERROR_TYPE: error_type,
        }
        logger.warning("call failed: %s", error_type, extra={**extra, **about})


def _about(endpoint: Endpoint[Any], names: Mapping[str, str]) -> dict[str, Any]:
    """Attributes of a question's log records: the endpoint, and of its arguments platform and name only."""
    about: dict[str, Any] = {Attribute.ENDPOINT: endpoint.template}
    for name, attribute in (("platform", Attribute.PLATFORM), ("name", Attribute.PACKAGE)):
        if name in names:
            about[attribute] = names[name]
    return about
