"""The network stack as one list. Each transport does one thing to the request and hands it to the next."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final

import httpx
from opentelemetry.metrics import MeterProvider
from opentelemetry.trace import Span, TracerProvider
from pydantic import SecretStr

from libraries_io_mcp.librariesio.api_key import ApiKeyTransport
from libraries_io_mcp.librariesio.body import MAX_REPLY_BYTES, BodyTransport
from libraries_io_mcp.librariesio.breaker import BreakerTransport
from libraries_io_mcp.librariesio.question import EXTENSION, Question
from libraries_io_mcp.librariesio.quota import Quota
from libraries_io_mcp.librariesio.rate_limit import RateLimitTransport
from libraries_io_mcp.librariesio.retry import RetryTransport
from libraries_io_mcp.telemetry.instruments import Instruments
from libraries_io_mcp.telemetry.semconv import Attribute
from libraries_io_mcp.telemetry.waits import Waits
from libraries_io_mcp.tls import trust

if TYPE_CHECKING:
    from opentelemetry.instrumentation.httpx import RequestInfo

LIMITS: Final = httpx.Limits(max_connections=20, max_keepalive_connections=10, keepalive_expiry=30.0)


def network_stack(
    *,
    base_url: httpx.URL,
    key: SecretStr | None,
    quota: Quota,
    instruments: Instruments,
    waits: Waits,
    tracer_provider: TracerProvider | None,
    meter_provider: MeterProvider | None,
    monotonic: Callable[[], float],
    sleep: Callable[[float], Awaitable[None]],
    network: httpx.AsyncBaseTransport | None = None,
    max_reply_bytes: int = MAX_REPLY_BYTES,
) -> tuple[RetryTransport, BreakerTransport]:
    """The transports, wrapped from the network outwards; read from the bottom, that is the way of a request.

    The outermost one, and the breaker, which others ask how it stands.

    Below the tracing, each attempt is one span that lasts until the last byte; the key is known only below it.
    """

    def traced_network() -> httpx.AsyncBaseTransport:
        # Imported here for start-up time; so is httpcore, by the transport that makes connections.
        from opentelemetry.instrumentation.httpx import AsyncOpenTelemetryTransport  # noqa: PLC0415

        inner: httpx.AsyncBaseTransport = network or way_out()
        inner = BodyTransport(inner, max_bytes=max_reply_bytes)
        inner = ApiKeyTransport(inner, key=key, origin=base_url)
        return AsyncOpenTelemetryTransport(
            inner, tracer_provider=tracer_provider, meter_provider=meter_provider, request_hook=_describe
        )

    limited = RateLimitTransport(Late(traced_network), quota=quota, instruments=instruments, waits=waits)
    breaker = BreakerTransport(limited, instruments=instruments, now=monotonic)
    return RetryTransport(breaker, instruments=instruments, now=monotonic, sleep=sleep), breaker


def way_out(proxy: SecretStr | None = None) -> httpx.AsyncBaseTransport:
    """The real network, through a proxy if one is given. Nothing is taken from the environment."""
    through = httpx.Proxy(proxy.get_secret_value()) if proxy else None
    return Late(lambda: httpx.AsyncHTTPTransport(limits=LIMITS, proxy=through, verify=trust()))


class Late(httpx.AsyncBaseTransport):
    """Made at its first request: certificates and the code of connections and of tracing take 0.1 s to load."""

    def __init__(self, make: Callable[[], httpx.AsyncBaseTransport]) -> None:
        self._make = make
        self._made: httpx.AsyncBaseTransport | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Hand the request on."""
        if self._made is None:
            self._made = self._make()
        return await self._made.handle_async_request(request)

    async def aclose(self) -> None:
        """Close what was made."""
        if self._made is not None:
            await self._made.aclose()


async def _describe(span: Span, request: "RequestInfo") -> None:
    question = (request.extensions or {}).get(EXTENSION)
    if not isinstance(question, Question) or not span.is_recording():
        return
    attributes: dict[str, Any] = {Attribute.URL_TEMPLATE: question.endpoint}
    if "platform" in question.names:
        attributes[Attribute.PLATFORM] = question.names["platform"]
    if "name" in question.names:
        attributes[Attribute.PACKAGE] = question.names["name"]
    if question.waited:
        attributes[Attribute.WAIT] = round(question.waited, 3)
    if question.resends:
        attributes[Attribute.HTTP_RESEND_COUNT] = question.resends
    span.set_attributes(attributes)
