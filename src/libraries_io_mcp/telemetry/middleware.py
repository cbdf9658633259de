"""FastMCP middleware, outermost: the SERVER span of each MCP request, its duration and its log line.

The span follows the MCP conventions and hangs under the caller's context in `_meta`; FastMCP's own spans are switched
off. Nothing here reads arguments or results, so user input never becomes telemetry.
"""

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import anyio
from fastmcp.exceptions import AuthorizationError, DisabledError, NotFoundError, ToolError, ValidationError
from fastmcp.server.middleware import CallNext, Middleware, MiddlewareContext
from fastmcp.tools.base import ToolResult
from mcp import MCPError
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import Link, Span, SpanKind, Status, StatusCode, Tracer
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from opentelemetry.util.types import AttributeValue

from libraries_io_mcp.errors import LibrariesIOMCPError
from libraries_io_mcp.telemetry import semconv
from libraries_io_mcp.telemetry.instruments import Instruments
from libraries_io_mcp.telemetry.semconv import Attribute, Event

logger: Final = logging.getLogger(__name__)

TOOL_ERROR: Final = "tool_error"
INVALID_PARAMS: Final = -32602
INTERNAL_ERROR: Final = -32603
CALLERS_FAULT: Final = frozenset({-32700, -32600, -32601, INVALID_PARAMS, -32002})
"""JSON-RPC codes that are no error of the server: the span's status stays unset."""
_PROPAGATOR: Final = TraceContextTextMapPropagator()


@dataclass(slots=True)
class Operation:
    """One MCP request while it runs: what it is, what is known of it, how it ended."""

    method: str
    target: str | None = None
    attributes: dict[str, AttributeValue] = field(default_factory=dict)
    """For span and metric alike: closed sets only."""
    span_attributes: dict[str, AttributeValue] = field(default_factory=dict)
    """For the span alone: ids and addresses."""
    error_type: str | None = None
    call_error_type: str | None = None
    status_code: int | None = None

    @property
    def name(self) -> str:
        """The span name: method, and the tool or prompt if there is one."""
        return f"{self.method} {self.target}" if self.target else self.method


class ObserveRequests(Middleware):
    """Opens the SERVER span, keeps the time, counts what is in flight, writes one log line a request."""

    def __init__(
        self,
        tracer: Tracer,
        instruments: Instruments,
        *,
        transport: str,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._tracer = tracer
        self._instruments = instruments
        self._transport = transport
        self._monotonic = monotonic
        self._in_flight = 0
        self._idle = anyio.Event()

    async def idle(self) -> None:
        """Return when no request is in flight."""
        while self._in_flight:
            await self._idle.wait()

    async def on_message(self, context: MiddlewareContext[Any], call_next: CallNext[Any, Any]) -> Any:
        """Observe one message. Notifications pass: they have no end that could be measured."""
        if context.type != "request" or _is_inner_request(context):
            return await call_next(context)
        self._in_flight += 1
        try:
            return await self._observe(context, call_next)
        finally:
            self._in_flight -= 1
            if not self._in_flight:
                self._idle.set()
                self._idle = anyio.Event()

    async def _observe(self, context: MiddlewareContext[Any], call_next: CallNext[Any, Any]) -> Any:
        operation = await self._operation(context)
        parent, links = _callers_context(context)
        started = self._monotonic()
        with self._tracer.start_as_current_span(
            operation.name,
            context=parent,
            kind=SpanKind.SERVER,
            attributes=operation.attributes | operation.span_attributes,
            links=links,
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            logger.debug(
                "%s started", operation.name, extra={"otel.event.name": Event.OPERATION_STARTED, **operation.attributes}
            )
            try:
                result = await call_next(context)
                _read_result(operation, result)
            except Exception as error:
                _read_exception(operation, error)
                span.add_event(Event.EXCEPTION, {Attribute.EXCEPTION_TYPE: type(error).__qualname__})
                raise
            except BaseException:
                operation.error_type = "cancelled"
                raise
            finally:
                self._end(span, operation, self._monotonic() - started)
            return result

    async def _operation(self, context: MiddlewareContext[Any]) -> Operation:
        method = context.method if context.method in semconv.MCP_METHODS else semconv.UNKNOWN_COMPONENT
        operation = Operation(method)
        operation.attributes = {Attribute.MCP_METHOD: method, Attribute.NETWORK_TRANSPORT: self._transport}
        server = context.fastmcp_context.fastmcp if context.fastmcp_context else None
        name = _field(context.message, "name")
        if isinstance(name, str) and method == "tools/call":
            known = server is not None and await server.get_tool(name) is not None
            operation.target = name if known else semconv.UNKNOWN_COMPONENT
            operation.attributes[Attribute.TOOL_NAME] = operation.target
            operation.attributes[Attribute.OPERATION_NAME] = "execute_tool"
        elif isinstance(name, str) and method == "prompts/get":
            known = server is not None and await server.get_prompt(name) is not None
            operation.target = name if known else semconv.UNKNOWN_COMPONENT
            operation.attributes[Attribute.PROMPT_NAME] = operation.target
        elif method == "resources/read":
            operation.span_attributes[Attribute.MCP_RESOURCE_URI] = str(_field(context.message, "uri"))
        _add_request(operation, context)
        return operation

    def _end(self, span: Span, operation: Operation, duration: float) -> None:
        outcome: dict[str, AttributeValue] = {}
        if operation.error_type is not None:
            outcome[Attribute.ERROR_TYPE] = operation.error_type
            span.set_status(Status(StatusCode.ERROR, operation.call_error_type or operation.error_type))
        if operation.status_code is not None:
            outcome[Attribute.RPC_STATUS_CODE] = str(operation.status_code)
        span.set_attributes(outcome)
        if operation.call_error_type is not None:
            span.set_attribute(Attribute.CALL_ERROR_TYPE, operation.call_error_type)
        # Inside the span, so that it becomes the exemplar of the point.
        self._instruments.operation(duration, operation.attributes | outcome)
        failed = operation.error_type is not None or operation.status_code is not None
        extra = {
            **operation.attributes,
            **outcome,
            Attribute.DURATION: round(duration, 6),
            Attribute.OUTCOME: "failed" if failed else "completed",
            "otel.event.name": Event.OPERATION_FAILED if failed else Event.OPERATION_COMPLETED,
        }
        if operation.call_error_type is not None:
            extra[Attribute.CALL_ERROR_TYPE] = operation.call_error_type
        level = logging.WARNING if failed else logging.INFO
        logger.log(level, "%s %s in %.1f ms", operation.name, extra[Attribute.OUTCOME], duration * 1000, extra=extra)


def _callers_context(context: MiddlewareContext[Any]) -> tuple[Context | None, list[Link]]:
    """The context the caller sent in `_meta`, and a link to the span of the HTTP request if there is one."""
    request = context.fastmcp_context.request_context if context.fastmcp_context else None
    meta = request.meta if request is not None else None
    carrier = {
        key: value for key, value in (meta or {}).items() if key in _PROPAGATOR.fields and isinstance(value, str)
    }
    ambient = trace.get_current_span().get_span_context()
    if "traceparent" not in carrier:
        return None, []
    parent = _PROPAGATOR.extract(carrier, context=Context())
    callers = trace.get_current_span(parent).get_span_context()
    foreign = ambient.is_valid and ambient.span_id != callers.span_id
    return parent, [Link(ambient)] if foreign else []


def _is_inner_request(context: MiddlewareContext[Any]) -> bool:
    """Whether this is the `tools/list` that the library asks of itself while it serves a call over HTTP."""
    headers = _headers(context)
    return "mcp-method" in headers and headers["mcp-method"] != context.method


def _headers(context: MiddlewareContext[Any]) -> Mapping[str, str]:
    request = context.fastmcp_context.request_context if context.fastmcp_context else None
    http = request.request if request is not None else None
    return http.headers if http is not None else {}


def _add_request(operation: Operation, context: MiddlewareContext[Any]) -> None:
    request = context.fastmcp_context.request_context if context.fastmcp_context else None
    if request is None:
        return
    if request.protocol_version:
        operation.attributes[Attribute.MCP_PROTOCOL_VERSION] = request.protocol_version
    if request.request_id is not None:
        operation.span_attributes[Attribute.JSONRPC_REQUEST_ID] = str(request.request_id)
    headers = _headers(context)
    if headers:
        operation.attributes[Attribute.NETWORK_PROTOCOL_NAME] = "http"
    if "mcp-session-id" in headers:
        operation.span_attributes[Attribute.MCP_SESSION_ID] = headers["mcp-session-id"]


def _field(message: Any, name: str) -> Any:
    return message.get(name) if isinstance(message, Mapping) else getattr(message, name, None)


def _read_result(operation: Operation, result: Any) -> None:
    if isinstance(result, ToolResult) and result.is_error:
        operation.error_type = TOOL_ERROR
        error_type = (result.structured_content or {}).get("error_type")
        operation.call_error_type = error_type if isinstance(error_type, str) else "internal"


def _read_exception(operation: Operation, error: Exception) -> None:
    """What an exception becomes on the wire decides what it is called."""
    if operation.method == "tools/call" and not isinstance(error, MCPError):
        operation.error_type = TOOL_ERROR
        operation.call_error_type = _call_error_type(error)
        return
    operation.status_code = _rpc_code(error)
    if operation.status_code not in CALLERS_FAULT:
        operation.error_type = str(operation.status_code) if isinstance(error, MCPError) else type(error).__qualname__


def _call_error_type(error: Exception) -> str:
    if isinstance(error, ValidationError | NotFoundError | DisabledError):
        return "invalid_request"
    if isinstance(error, AuthorizationError):
        return "forbidden"
    cause = error.__cause__ if isinstance(error, ToolError) else error
    return cause.error_type if isinstance(cause, LibrariesIOMCPError) else "internal"


def _rpc_code(error: Exception) -> int:
    if isinstance(error, MCPError):
        return error.error.code
    return INVALID_PARAMS if isinstance(error, ValidationError | NotFoundError | DisabledError) else INTERNAL_ERROR
