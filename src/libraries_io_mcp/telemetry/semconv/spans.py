"""The spans: names, kinds, attributes, events and links."""

from dataclasses import dataclass
from typing import Final, Literal

from libraries_io_mcp.telemetry.semconv import values
from libraries_io_mcp.telemetry.semconv.attributes import Attribute
from libraries_io_mcp.telemetry.semconv.events import Event


@dataclass(frozen=True, slots=True)
class SpanEvent:
    """An event of a span, and its attributes."""

    name: Event
    attributes: tuple[Attribute, ...]


@dataclass(frozen=True, slots=True)
class Span:
    """One kind of span.

    Attributes:
        name: how it is called; for several, `shape` is a regular expression for all of them.
        required: those of its attributes that are always there.
        errors: what `error.type` may say on it.
        links: what its links lead to; `None` for no links.
    """

    name: str
    shape: str
    kind: Literal["SERVER", "CLIENT", "INTERNAL"]
    when: str
    attributes: tuple[Attribute, ...]
    events: tuple[SpanEvent, ...] = ()
    links: str | None = None
    required: tuple[Attribute, ...] = ()
    errors: frozenset[str] = frozenset()


SERVER_SPAN: Final = Span(
    "{mcp.method.name} {gen_ai.tool.name | gen_ai.prompt.name}",
    r"([a-z]+(/[a-zA-Z]+)*|_OTHER)( [a-z][a-z0-9_]*| _OTHER)?",
    "SERVER",
    "each MCP request, of every method",
    (
        Attribute.MCP_METHOD,
        Attribute.TOOL_NAME,
        Attribute.PROMPT_NAME,
        Attribute.OPERATION_NAME,
        Attribute.MCP_RESOURCE_URI,
        Attribute.MCP_PROTOCOL_VERSION,
        Attribute.MCP_SESSION_ID,
        Attribute.JSONRPC_REQUEST_ID,
        Attribute.NETWORK_TRANSPORT,
        Attribute.NETWORK_PROTOCOL_NAME,
        Attribute.NETWORK_PROTOCOL_VERSION,
        Attribute.CLIENT_ADDRESS,
        Attribute.CLIENT_PORT,
        Attribute.ERROR_TYPE,
        Attribute.RPC_STATUS_CODE,
        Attribute.CALL_ERROR_TYPE,
        Attribute.CACHE_RESULT,
        Attribute.PLATFORM,
        Attribute.PACKAGE,
        Attribute.CONVERSATION_ID,
        Attribute.SESSION_ID,
        Attribute.REQUEST_ID,
        Attribute.USER_HASH,
        Attribute.USER_ID,
    ),
    (SpanEvent(Event.EXCEPTION, (Attribute.EXCEPTION_TYPE,)),),
    "the span of the HTTP request, when the parent comes from `_meta`",
    (
        Attribute.MCP_METHOD,
        Attribute.MCP_PROTOCOL_VERSION,
        Attribute.JSONRPC_REQUEST_ID,
        Attribute.NETWORK_TRANSPORT,
        Attribute.REQUEST_ID,
    ),
    values.OPERATION_ERRORS,
)
CLIENT_SPAN: Final = Span(
    "{http.request.method}",
    "GET|POST|PUT|DELETE",
    "CLIENT",
    "each attempt at Libraries.io, until the last byte of the reply",
    (
        Attribute.HTTP_METHOD,
        Attribute.HTTP_STATUS_CODE,
        Attribute.HTTP_RESEND_COUNT,
        Attribute.URL_FULL,
        Attribute.URL_TEMPLATE,
        Attribute.SERVER_ADDRESS,
        Attribute.SERVER_PORT,
        Attribute.NETWORK_PEER_ADDRESS,
        Attribute.NETWORK_PEER_PORT,
        Attribute.NETWORK_PROTOCOL_VERSION,
        Attribute.ERROR_TYPE,
        Attribute.PLATFORM,
        Attribute.PACKAGE,
        Attribute.WAIT,
        Attribute.REQUEST_ID,
        Attribute.USER_HASH,
        Attribute.USER_ID,
    ),
    (
        SpanEvent(
            Event.EXCEPTION,
            (
                Attribute.EXCEPTION_TYPE,
                Attribute.EXCEPTION_MESSAGE,
                Attribute.EXCEPTION_STACKTRACE,
                Attribute.EXCEPTION_ESCAPED,
            ),
        ),
    ),
    required=(
        Attribute.HTTP_METHOD,
        Attribute.URL_FULL,
        Attribute.URL_TEMPLATE,
        Attribute.SERVER_ADDRESS,
        Attribute.SERVER_PORT,
    ),
    errors=values.HTTP_CLIENT_ERRORS,
)
QUOTA_SPAN: Final = Span(
    "libraries_io.quota.wait",
    r"libraries_io\.quota\.wait",
    "INTERNAL",
    "an attempt that had to wait for its place in the quota",
    (Attribute.ENDPOINT, Attribute.WAIT, Attribute.REQUEST_ID, Attribute.USER_HASH, Attribute.USER_ID),
    required=(Attribute.ENDPOINT, Attribute.WAIT),
)
FLIGHT_SPAN: Final = Span(
    "libraries_io.flight.join",
    r"libraries_io\.flight\.join",
    "INTERNAL",
    "a question that another request is just asking: it waits for that one's answer",
    (Attribute.ENDPOINT, Attribute.REQUEST_ID, Attribute.USER_HASH, Attribute.USER_ID),
    links="the request that asks",
    required=(Attribute.ENDPOINT,),
)
REPLICA_SPAN: Final = Span(
    "libraries_io.replica.wait",
    r"libraries_io\.replica\.wait",
    "INTERNAL",
    "a question that another process on the same Redis is just asking: it waits for that one's answer",
    (Attribute.ENDPOINT, Attribute.REQUEST_ID, Attribute.USER_HASH, Attribute.USER_ID),
    required=(Attribute.ENDPOINT,),
)
WORK_SPAN: Final = Span(
    "{libraries_io.operation}",
    r"[a-z_]+(\.[a-z_]+)*",
    "INTERNAL",
    "an operation of our own that `telemetry/observe.py` watches",
    (
        Attribute.OPERATION,
        Attribute.ERROR_TYPE,
        Attribute.ALERT_CHANNEL,
        Attribute.REQUEST_ID,
        Attribute.USER_HASH,
        Attribute.USER_ID,
    ),
    (SpanEvent(Event.EXCEPTION, (Attribute.EXCEPTION_TYPE,)),),
    required=(Attribute.OPERATION,),
    errors=values.WORK_ERRORS,
)
SPANS: Final = (SERVER_SPAN, CLIENT_SPAN, QUOTA_SPAN, FLIGHT_SPAN, REPLICA_SPAN, WORK_SPAN)
