"""FastMCP middleware, outermost: the SERVER span of each MCP request, its duration and its log line.

The span follows the MCP conventions and hangs under the caller's context in `_meta`; FastMCP's own spans are switched
off. Nothing here reads arguments or results, so user input never becomes telemetry. This runs for every request, so it
is written for speed: `docs/decisions/performance.md` says what costs what.
"""

import logging
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

import anyio
from fastmcp.server.dependencies import FastMCPRequestContext
from fastmcp.server.middleware import CallNext, Middleware, MiddlewareContext
from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, Tracer
from opentelemetry.util.types import AttributeValue

from libraries_io_mcp.telemetry import request_context, semconv
from libraries_io_mcp.telemetry.asked import noting
from libraries_io_mcp.telemetry.caller import NO_HEADERS, callers_baggage, callers_context
from libraries_io_mcp.telemetry.instruments import Attributes, Instruments
from libraries_io_mcp.telemetry.operation import Operation
from libraries_io_mcp.telemetry.semconv import Attribute, Event

logger: Final = logging.getLogger(__name__)

LONGEST_ID: Final = 128
LONGEST_URI: Final = 2_000
OF_A_SESSION: Final = (Attribute.MCP_PROTOCOL_VERSION, Attribute.NETWORK_TRANSPORT)
_Kind = tuple[str, str | None, str | None, str | None]


class ObserveRequests(Middleware):
    """Opens the SERVER span, keeps the time, counts what is in flight, writes one log line a request."""

    def __init__(
        self,
        tracer: Tracer,
        instruments: Instruments,
        *,
        transport: str,
        caller: Callable[[], Mapping[str, str] | None] = lambda: None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._tracer = tracer
        self._instruments = instruments
        self._transport = transport
        self._caller = caller
        self._monotonic = monotonic
        self._session: tuple[float, Attributes] | None = None
        self._in_flight = 0
        self._idle = anyio.Event()
        # What was looked up once is not looked up again: both are bounded by what the server has, not by its callers.
        self._known: set[tuple[str, str]] = set()
        self._attributes: dict[_Kind, Attributes] = {}
        instruments.watch_operations(lambda: self._in_flight)

    async def idle(self) -> None:
        """Return when no request is in flight."""
        while self._in_flight:
            await self._idle.wait()

    def end_session(self) -> None:
        """Measure the session that `initialize` has begun: the process ends, or another one begins."""
        if self._session is not None:
            started, attributes = self._session
            self._session = None
            self._instruments.session(self._monotonic() - started, attributes)

    async def on_message(self, context: MiddlewareContext[Any], call_next: CallNext[Any, Any]) -> Any:
        """Observe one message. Notifications pass: they have no end that could be measured."""
        request = context.fastmcp_context.request_context if context.fastmcp_context else None
        headers = _headers(request)
        if context.type != "request" or _is_the_librarys_own(context, request, headers):
            return await call_next(context)
        self._in_flight += 1
        try:
            request_id = request_context.request_id_of(request and request.request_id, headers.get("x-request-id"))
            with request_context.bind(request_id=request_id, caller=self._caller()):
                return await self._observe(context, request, headers, call_next)
        finally:
            self._in_flight -= 1
            if not self._in_flight:
                self._idle.set()
                self._idle = anyio.Event()

    async def _observe(
        self,
        context: MiddlewareContext[Any],
        request: FastMCPRequestContext | None,
        headers: Mapping[str, str],
        call_next: CallNext[Any, Any],
    ) -> Any:
        operation = await self._operation(context, request)
        span = self._start(operation, request, headers)
        # By hand, since `start_as_current_span` costs a third more.
        token = otel_context.attach(trace.set_span_in_context(span))
        started = self._monotonic()
        try:
            if logger.isEnabledFor(logging.DEBUG):
                extra = {"otel.event.name": Event.OPERATION_STARTED, **operation.attributes}
                logger.debug("%s started", operation.name, extra=extra)
            with noting(operation.span_attributes):
                result = await call_next(context)
            operation.read_result(result)
            if operation.method == "initialize":
                self._begin_session(operation, result)
        except Exception as error:
            operation.read_exception(error)
            span.add_event(Event.EXCEPTION, {Attribute.EXCEPTION_TYPE: type(error).__qualname__})
            raise
        except BaseException:
            operation.error_type = "cancelled"
            raise
        else:
            return result
        finally:
            self._end(span, operation, self._monotonic() - started)
            otel_context.detach(token)

    def _begin_session(self, operation: Operation, result: Any) -> None:
        version = getattr(result, "protocol_version", None)
        if version in semconv.PROTOCOL_VERSIONS:
            # Only now is it agreed on; before, the request context has a default.
            operation.attributes = operation.attributes | {Attribute.MCP_PROTOCOL_VERSION: version}
            operation.span_attributes[Attribute.MCP_PROTOCOL_VERSION] = version
        if self._transport == "pipe":
            # Over HTTP every request stands alone.
            self.end_session()
            mine: Attributes = {
                name: operation.attributes[name] for name in OF_A_SESSION if name in operation.attributes
            }
            self._session = (self._monotonic(), mine)

    def _start(self, operation: Operation, request: FastMCPRequestContext | None, headers: Mapping[str, str]) -> Span:
        meta = request.meta if request is not None else None
        parent, links = callers_context(meta, headers)
        mine: dict[str, AttributeValue] = dict(operation.attributes)
        if request is not None and request.request_id is not None:
            mine[Attribute.JSONRPC_REQUEST_ID] = str(request.request_id)[:LONGEST_ID]
        if bound := request_context.current():
            mine |= bound.attributes
        if headers:
            mine |= _of_connection(request, headers)
        if meta:
            mine |= callers_baggage(meta)
        return self._tracer.start_span(
            operation.name,
            context=parent,
            kind=SpanKind.SERVER,
            attributes=mine | operation.span_attributes,
            links=links,
            record_exception=False,
            set_status_on_exception=False,
        )

    async def _operation(self, context: MiddlewareContext[Any], request: FastMCPRequestContext | None) -> Operation:
        method = context.method if context.method in semconv.MCP_METHODS else semconv.UNKNOWN_COMPONENT
        target = await self._target(method, context) if method in {"tools/call", "prompts/get"} else None
        version = request.protocol_version if request is not None else None
        if version and version not in semconv.PROTOCOL_VERSIONS:
            version = semconv.UNKNOWN_COMPONENT
        http = request.request if request is not None else None
        kind = (method, target, version, http.scope.get("http_version") if http is not None else None)
        if (attributes := self._attributes.get(kind)) is None:
            attributes = self._attributes[kind] = self._attributes_of(kind)
        operation = Operation(method, target, attributes)
        if method == "resources/read":
            operation.span_attributes[Attribute.MCP_RESOURCE_URI] = _cut(str(_field(context.message, "uri")))
        return operation

    def _attributes_of(self, kind: _Kind) -> Attributes:
        method, target, version, http_version = kind
        attributes: Attributes = {Attribute.MCP_METHOD: method, Attribute.NETWORK_TRANSPORT: self._transport}
        if method == "tools/call":
            attributes[Attribute.OPERATION_NAME] = "execute_tool"
        if target:
            attributes[Attribute.TOOL_NAME if method == "tools/call" else Attribute.PROMPT_NAME] = target
        if version:
            attributes[Attribute.MCP_PROTOCOL_VERSION] = version
        if http_version:
            attributes[Attribute.NETWORK_PROTOCOL_NAME] = "http"
            attributes[Attribute.NETWORK_PROTOCOL_VERSION] = http_version
        return attributes

    async def _target(self, method: str, context: MiddlewareContext[Any]) -> str:
        """The tool or prompt that is asked for, or `_OTHER` when the server has no such thing."""
        name = _field(context.message, "name")
        server = context.fastmcp_context.fastmcp if context.fastmcp_context else None
        if not isinstance(name, str) or server is None:
            return semconv.UNKNOWN_COMPONENT
        if (method, name) not in self._known:
            found = await (server.get_tool(name) if method == "tools/call" else server.get_prompt(name))
            if found is None:
                return semconv.UNKNOWN_COMPONENT
            self._known.add((method, name))
        return name

    def _end(self, span: Span, operation: Operation, duration: float) -> None:
        outcome = operation.outcome()
        if operation.error_type is not None:
            span.set_status(Status(StatusCode.ERROR, operation.call_error_type or operation.error_type))
        measured = outcome
        if operation.call_error_type is not None:
            # On the metric, too: alerts tell a caller's mistake from a fault of ours by it.
            measured = outcome | {Attribute.CALL_ERROR_TYPE: operation.call_error_type}
        late = measured | operation.span_attributes
        if late:
            span.set_attributes(late)
        # Inside the span, so that it becomes the exemplar of the point.
        self._instruments.operation(duration, operation.attributes | measured if measured else operation.attributes)
        _log_end(operation, outcome, duration)
        span.end()


def _log_end(operation: Operation, outcome: Attributes, duration: float) -> None:
    level = logging.WARNING if operation.failed else logging.INFO
    if not logger.isEnabledFor(level):
        return
    extra = {
        **operation.attributes,
        **outcome,
        Attribute.DURATION: round(duration, 6),
        Attribute.OUTCOME: "failed" if operation.failed else "completed",
        "otel.event.name": Event.OPERATION_FAILED if operation.failed else Event.OPERATION_COMPLETED,
    }
    if operation.call_error_type is not None:
        extra[Attribute.CALL_ERROR_TYPE] = operation.call_error_type
    logger.log(level, "%s %s in %.1f ms", operation.name, extra[Attribute.OUTCOME], duration * 1000, extra=extra)


def _is_the_librarys_own(
    context: MiddlewareContext[Any], request: FastMCPRequestContext | None, headers: Mapping[str, str]
) -> bool:
    """Whether it is the list that the library asks itself for while it serves a call over HTTP.

    Only in this revision is the header held against the message; before, anybody may write anything into it.
    """
    return (
        context.method == "tools/list"
        and request is not None
        and request.protocol_version == semconv.HEADERS_SINCE
        and headers.get("mcp-method") == "tools/call"
    )


def _headers(request: FastMCPRequestContext | None) -> Mapping[str, str]:
    http = request.request if request is not None else None
    headers: Mapping[str, str] = http.headers if http is not None else NO_HEADERS
    return headers


def _of_connection(request: FastMCPRequestContext | None, headers: Mapping[str, str]) -> dict[str, AttributeValue]:
    attributes: dict[str, AttributeValue] = {}
    if "mcp-session-id" in headers:
        attributes[Attribute.MCP_SESSION_ID] = headers["mcp-session-id"]
    client = request.request.client if request is not None and request.request is not None else None
    if client is not None:
        attributes[Attribute.CLIENT_ADDRESS] = client.host
        attributes[Attribute.CLIENT_PORT] = client.port
    return attributes


def _cut(uri: str) -> str:
    # A client may send megabytes, and thousands of spans may wait for a Collector that is away.
    return uri if len(uri) <= LONGEST_URI else f"{uri[:LONGEST_URI]}... ({len(uri)} characters, cut)"


def _field(message: Any, name: str) -> Any:
    return message.get(name) if isinstance(message, Mapping) else getattr(message, name, None)
