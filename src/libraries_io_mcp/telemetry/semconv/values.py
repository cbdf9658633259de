"""The closed sets: what an attribute of a metric may say, and what it says for anything else."""

from collections.abc import Iterator
from typing import Final, Literal, get_args

from libraries_io_mcp.errors import LibrariesIOMCPError

SERVICE_NAME: Final = "libraries-io-mcp"
SCOPE_NAME: Final = "libraries_io_mcp"

OTHER: Final = "other"
"""What our own attributes say for a value outside their closed set."""
UNKNOWN_COMPONENT: Final = "_OTHER"
"""What attributes of the conventions say for a value outside their closed set, such as a tool nobody knows."""

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
"""Requests a client may send; any other method it names is `_OTHER`."""
PROTOCOL_VERSIONS: Final = frozenset({"2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25", "2026-07-28"})
HEADERS_SINCE: Final = "2026-07-28"
"""The first revision in which HTTP headers repeat what the message says, and are held against it."""
RPC_CODES: Final = frozenset(
    {-32700, -32603, -32602, -32601, -32600, -32042, -32022, -32021, -32020, -32002, -32001, -32000}
)
"""The codes of JSON-RPC and of MCP."""
CALLERS_FAULT: Final = frozenset({-32700, -32600, -32601, -32602, -32002})
"""Of them, those that are no error of the server: the span's status stays unset."""
HTTP_METHODS: Final = frozenset({"CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE"})
HTTP_EXCEPTIONS: Final = frozenset(
    {
        *("CloseError", "ConnectError", "ConnectTimeout", "DecodingError", "LocalProtocolError", "PoolTimeout"),
        *("ProxyError", "ReadError", "ReadTimeout", "RemoteProtocolError", "TooManyRedirects", "TruncatedReply"),
        *("UnsupportedProtocol", "WriteError", "WriteTimeout"),
    }
)
"""What can be raised by an attempt at Libraries.io: the classes of httpx, and ours for a reply that ends too early."""

CacheResult = Literal["hit", "miss", "stale", "coalesced", "negative"]
CACHE_RESULTS: Final[frozenset[str]] = frozenset(get_args(CacheResult))
BreakerState = Literal["closed", "half_open", "open"]
BREAKER_STATES: Final[frozenset[str]] = frozenset(get_args(BreakerState))
Signal = Literal["traces", "metrics", "logs"]
SIGNALS: Final[frozenset[str]] = frozenset(get_args(Signal))

LogDestination = Literal["queue", "console", "file", "syslog", "otlp"]
LOG_DESTINATIONS: Final[frozenset[str]] = frozenset(get_args(LogDestination))
AlertChannel = Literal["alertmanager", "email", "webhook"]
ALERT_CHANNELS: Final[frozenset[str]] = frozenset(get_args(AlertChannel))
AlertDelivery = Literal["delivered", "failed"]
AlertSeverity = Literal["critical", "high", "medium", "low", "none"]
ALERT_SEVERITIES: Final[frozenset[str]] = frozenset(get_args(AlertSeverity))
ActiveAlertState = Literal["pending", "firing"]
ALERT_STATES: Final[frozenset[str]] = frozenset(get_args(ActiveAlertState))
Refusal = Literal[
    "malformed",
    "headers_too_large",
    "slow_headers",
    "slow_body",
    "slow_reader",
    "too_many_connections",
    "pipelined",
    "body_too_large",
    "json_too_deep",
    "json_too_many_values",
    "too_many_bytes",
    "caller_busy",
    "server_busy",
    "too_many_sessions",
    "too_many_streams",
    "call_timeout",
    "server_ends",
]
"""Why something that came over HTTP was not served to its end."""
REFUSALS: Final[frozenset[str]] = frozenset(get_args(Refusal))
HttpLimit = Literal["connections", "calls", "queued_calls", "sessions", "streams", "held_bytes"]
"""What all callers over HTTP together may have so much of."""
HTTP_LIMITS: Final[frozenset[str]] = frozenset(get_args(HttpLimit))
HealthCheck = Literal[
    "api_connectivity",
    "rate_limit_status",
    "upstream_breaker",
    "cache_performance",
    "storage_connectivity",
    "telemetry_export",
    "log_destinations",
    "alerting",
    "sign_in",
    "background_tasks",
]
"""The checks of `health/checks`. A new one is added here first."""
HEALTH_CHECKS: Final[frozenset[str]] = frozenset(get_args(HealthCheck))
ALERT_OUTCOMES: Final[frozenset[str]] = frozenset(get_args(AlertDelivery)) | {"ok", "failed"}
OperationName = Literal["startup", "shutdown.drain", "alerting.deliver"]
"""Operations of our own that `telemetry/observe.py` watches. A new one is added here first."""
OPERATIONS: Final[frozenset[str]] = frozenset(get_args(OperationName))

BAGGAGE_KEYS: Final = frozenset({"gen_ai.conversation.id", "session.id"})
"""Baggage that is taken over from a caller; everything else in it is left where it is."""


def _error_types(root: type[LibrariesIOMCPError]) -> Iterator[str]:
    yield root.error_type
    for child in root.__subclasses__():
        yield from _error_types(child)


CALL_ERROR_TYPES: Final = frozenset(_error_types(LibrariesIOMCPError)) | {"cancelled"}
"""What can go wrong with a question to Libraries.io: the `error_type` of each class in `errors.py`."""
OPERATION_ERRORS: Final = frozenset(str(code) for code in RPC_CODES - CALLERS_FAULT) | {
    "cancelled",
    "tool_error",
    UNKNOWN_COMPONENT,
}
"""`error.type` of an MCP request."""
WORK_ERRORS: Final = CALL_ERROR_TYPES | {OTHER}
"""`error.type` of a question to Libraries.io and of an operation of our own."""
HTTP_CLIENT_ERRORS: Final = HTTP_EXCEPTIONS | {str(status) for status in range(400, 600)}
"""`error.type` of an attempt at Libraries.io."""
HTTP_SERVER_ERRORS: Final = frozenset(str(status) for status in range(500, 600)) | {"cancelled", UNKNOWN_COMPONENT}
"""`error.type` of an HTTP request to this server."""
