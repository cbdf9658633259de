"""Every name that leaves the process: spans, metrics, attributes, events, units, buckets and permitted values.

Nothing else may spell one. MCP names follow the OpenTelemetry semantic conventions for generative AI (MCP part),
HTTP names the stable HTTP conventions; our own start with `libraries_io.`. `docs/telemetry.md` shows the same list.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal

SERVICE_NAME: Final = "libraries-io-mcp"
SCOPE_NAME: Final = "libraries_io_mcp"

OTHER: Final = "other"
"""What a metric attribute says for a value outside its closed set."""
UNKNOWN_COMPONENT: Final = "_OTHER"
"""What the MCP metrics say for a tool, prompt or method that the server does not have."""


MCP_METHODS: Final = frozenset(
    {
        "completion/complete",
        "initialize",
        "logging/setLevel",
        "ping",
        "prompts/get",
        "prompts/list",
        "resources/list",
        "resources/read",
        "resources/subscribe",
        "resources/templates/list",
        "resources/unsubscribe",
        "server/discover",
        "tools/call",
        "tools/list",
    }
)
"""The closed set of `mcp.method.name`; any other method a client names is `_OTHER`."""


class Attribute(StrEnum):
    """Attribute keys of spans, metrics and log records."""

    MCP_METHOD = "mcp.method.name"
    MCP_PROTOCOL_VERSION = "mcp.protocol.version"
    MCP_SESSION_ID = "mcp.session.id"
    MCP_RESOURCE_URI = "mcp.resource.uri"
    JSONRPC_REQUEST_ID = "jsonrpc.request.id"
    RPC_STATUS_CODE = "rpc.response.status_code"
    TOOL_NAME = "gen_ai.tool.name"
    PROMPT_NAME = "gen_ai.prompt.name"
    OPERATION_NAME = "gen_ai.operation.name"
    ERROR_TYPE = "error.type"
    NETWORK_TRANSPORT = "network.transport"
    NETWORK_PROTOCOL_NAME = "network.protocol.name"
    URL_TEMPLATE = "url.template"
    HTTP_RESEND_COUNT = "http.request.resend_count"
    EXCEPTION_TYPE = "exception.type"

    ENDPOINT = "libraries_io.endpoint"
    PLATFORM = "libraries_io.platform"
    PACKAGE = "libraries_io.package"
    CALL_ERROR_TYPE = "libraries_io.error.type"
    CACHE_RESULT = "libraries_io.cache.result"
    BREAKER_STATE = "libraries_io.breaker.state"
    DURATION = "libraries_io.duration"
    OUTCOME = "libraries_io.outcome"
    WAIT = "libraries_io.quota.wait"
    REQUEST_ID = "libraries_io.request.id"


class Event(StrEnum):
    """Names of span events and of log records that stand for an event."""

    EXCEPTION = "exception"
    OPERATION_STARTED = "libraries_io.operation.started"
    OPERATION_COMPLETED = "libraries_io.operation.completed"
    OPERATION_FAILED = "libraries_io.operation.failed"
    CALL_STARTED = "libraries_io.call.started"
    CALL_COMPLETED = "libraries_io.call.completed"
    CALL_FAILED = "libraries_io.call.failed"


CacheResult = Literal["hit", "miss", "stale", "coalesced", "negative"]
BreakerState = Literal["closed", "half_open", "open"]

FAST_BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
"""Bounds in seconds for one call on Libraries.io: a cached answer to a reply that ran into the time limit."""
MCP_BUCKETS: Final = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0)
"""Bounds in seconds that the MCP conventions prescribe."""


@dataclass(frozen=True, slots=True)
class Metric:
    """One instrument: its name, kind, UCUM unit, meaning, attribute keys and (for a histogram) bounds."""

    name: str
    kind: Literal["counter", "gauge", "histogram", "up_down_counter"]
    unit: str
    description: str
    attributes: tuple[Attribute, ...] = ()
    buckets: tuple[float, ...] = ()


OPERATION_DURATION: Final = Metric(
    "mcp.server.operation.duration",
    "histogram",
    "s",
    "Duration of one MCP request as the server sees it.",
    (
        Attribute.MCP_METHOD,
        Attribute.TOOL_NAME,
        Attribute.PROMPT_NAME,
        Attribute.OPERATION_NAME,
        Attribute.ERROR_TYPE,
        Attribute.RPC_STATUS_CODE,
        Attribute.MCP_PROTOCOL_VERSION,
        Attribute.NETWORK_TRANSPORT,
        Attribute.NETWORK_PROTOCOL_NAME,
    ),
    MCP_BUCKETS,
)
CALL_DURATION: Final = Metric(
    "libraries_io.call.duration",
    "histogram",
    "s",
    "Duration of one question to Libraries.io, with its waits, retries and cache look-up.",
    (Attribute.ENDPOINT, Attribute.CACHE_RESULT, Attribute.ERROR_TYPE),
    FAST_BUCKETS,
)
RETRIES: Final = Metric(
    "libraries_io.retries",
    "counter",
    "{retry}",
    "Attempts made again after a failed one.",
    (Attribute.ENDPOINT, Attribute.ERROR_TYPE),
)
QUOTA_LIMIT: Final = Metric(
    "libraries_io.quota.limit", "gauge", "{request}", "Requests that the current window allows."
)
QUOTA_REMAINING: Final = Metric(
    "libraries_io.quota.remaining", "gauge", "{request}", "Requests left in the current window."
)
QUOTA_WAIT: Final = Metric(
    "libraries_io.quota.wait",
    "histogram",
    "s",
    "Time one attempt waited for its place in the quota.",
    (Attribute.ENDPOINT,),
    FAST_BUCKETS,
)
CACHE_LOOKUPS: Final = Metric(
    "libraries_io.cache.lookups",
    "counter",
    "{lookup}",
    "Questions put to the cache, by what came of them.",
    (Attribute.ENDPOINT, Attribute.CACHE_RESULT),
)
CACHE_ENTRIES: Final = Metric("libraries_io.cache.entries", "gauge", "{entry}", "Answers kept in memory.")
CACHE_SIZE: Final = Metric("libraries_io.cache.size", "gauge", "By", "Bytes of the replies kept in memory.")
BREAKER: Final = Metric(
    "libraries_io.breaker.open",
    "gauge",
    "1",
    "1 while the circuit breaker of an endpoint group is open, 0.5 while it probes, 0 while it is closed.",
    (Attribute.ENDPOINT,),
)
LOG_DROPS: Final = Metric(
    "libraries_io.log.dropped", "counter", "{record}", "Log records dropped because their destination was too slow."
)

METRICS: Final = (
    OPERATION_DURATION,
    CALL_DURATION,
    RETRIES,
    QUOTA_LIMIT,
    QUOTA_REMAINING,
    QUOTA_WAIT,
    CACHE_LOOKUPS,
    CACHE_ENTRIES,
    CACHE_SIZE,
    BREAKER,
    LOG_DROPS,
)
