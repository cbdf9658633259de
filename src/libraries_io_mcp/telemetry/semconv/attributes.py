"""Attribute keys of spans, metrics, log records and events, and what each may hold."""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal

from libraries_io_mcp.telemetry.semconv import values


class Attribute(StrEnum):
    """Attribute keys."""

    MCP_METHOD = "mcp.method.name"
    MCP_PROTOCOL_VERSION = "mcp.protocol.version"
    MCP_SESSION_ID = "mcp.session.id"
    MCP_RESOURCE_URI = "mcp.resource.uri"
    JSONRPC_REQUEST_ID = "jsonrpc.request.id"
    RPC_STATUS_CODE = "rpc.response.status_code"
    TOOL_NAME = "gen_ai.tool.name"
    PROMPT_NAME = "gen_ai.prompt.name"
    OPERATION_NAME = "gen_ai.operation.name"
    CONVERSATION_ID = "gen_ai.conversation.id"
    SESSION_ID = "session.id"
    ERROR_TYPE = "error.type"
    NETWORK_TRANSPORT = "network.transport"
    NETWORK_PROTOCOL_NAME = "network.protocol.name"
    NETWORK_PROTOCOL_VERSION = "network.protocol.version"
    NETWORK_PEER_ADDRESS = "network.peer.address"
    NETWORK_PEER_PORT = "network.peer.port"
    CLIENT_ADDRESS = "client.address"
    CLIENT_PORT = "client.port"
    SERVER_ADDRESS = "server.address"
    SERVER_PORT = "server.port"
    URL_FULL = "url.full"
    URL_SCHEME = "url.scheme"
    URL_TEMPLATE = "url.template"
    HTTP_METHOD = "http.request.method"
    HTTP_METHOD_ORIGINAL = "http.request.method_original"
    HTTP_RESEND_COUNT = "http.request.resend_count"
    HTTP_STATUS_CODE = "http.response.status_code"
    HTTP_ROUTE = "http.route"
    EXCEPTION_TYPE = "exception.type"
    EXCEPTION_MESSAGE = "exception.message"
    EXCEPTION_STACKTRACE = "exception.stacktrace"
    EXCEPTION_ESCAPED = "exception.escaped"
    SERVICE_VERSION = "service.version"
    CODE_FILE = "code.file.path"
    CODE_FUNCTION = "code.function.name"
    CODE_LINE = "code.line.number"
    STATE = "type"
    GC_GENERATION = "cpython.gc.generation"

    ENDPOINT = "libraries_io.endpoint"
    REPLY_FIELD = "libraries_io.reply.field"
    PLATFORM = "libraries_io.platform"
    PACKAGE = "libraries_io.package"
    CALL_ERROR_TYPE = "libraries_io.error.type"
    CACHE_RESULT = "libraries_io.cache.result"
    BREAKER_STATE = "libraries_io.breaker.state"
    DURATION = "libraries_io.duration"
    OUTCOME = "libraries_io.outcome"
    WAIT = "libraries_io.quota.wait"
    REQUEST_ID = "libraries_io.request.id"
    SIGNAL = "libraries_io.signal"
    OPERATION = "libraries_io.operation"
    THRESHOLD = "libraries_io.threshold"
    LOG_DESTINATION = "libraries_io.log.destination"
    HEALTH_CHECK = "health.check.name"
    ALERT_CHANNEL = "alerting.channel"
    ALERT_OUTCOME = "alerting.outcome"
    ALERT_SEVERITY = "alerting.severity"
    ALERT_STATE = "alerting.state"
    REFUSAL = "libraries_io.refusal.reason"
    HTTP_LIMIT = "libraries_io.http.limit.name"
    USER_HASH = "user.hash"
    USER_ID = "user.id"


@dataclass(frozen=True, slots=True)
class Facts:
    """What an attribute may hold: a type and, unless it is open, a closed set, a shape, or both.

    Attributes:
        values: permitted values; with `shape` too, either will do.
        shape: a regular expression for the whole value.
        words: what `shape` means, for people.
    """

    kind: Literal["string", "int", "double", "boolean"]
    description: str
    values: frozenset[str] | frozenset[int] | None = None
    shape: str | None = None
    words: str | None = None

    @property
    def is_open(self) -> bool:
        """Whether anything of the type may stand there: never on a metric."""
        return self.values is None and self.shape is None

    def permits(self, value: object) -> bool:
        """Whether an emitted value is as declared."""
        types: dict[str, type | tuple[type, ...]] = {"string": str, "int": int, "double": (float, int), "boolean": bool}
        if not isinstance(value, types[self.kind]) or (isinstance(value, bool) and self.kind != "boolean"):
            return False
        if self.is_open or (self.values is not None and value in self.values):
            return True
        return self.shape is not None and re.fullmatch(self.shape, str(value)) is not None


def _closed(description: str, permitted: frozenset[str], *more: str) -> Facts:
    return Facts("string", description, permitted | set(more))


_NAME: Final = r"[a-z][a-z0-9_]{0,63}|_OTHER"
_CODES: Final = frozenset(str(code) for code in values.RPC_CODES)

FACTS: Final[dict[Attribute, Facts]] = {
    Attribute.MCP_METHOD: _closed("JSON-RPC method of the request.", values.MCP_METHODS, values.UNKNOWN_COMPONENT),
    Attribute.MCP_PROTOCOL_VERSION: _closed(
        "Revision of the protocol.", values.PROTOCOL_VERSIONS, values.UNKNOWN_COMPONENT
    ),
    Attribute.MCP_SESSION_ID: Facts("string", "The session, only where a `mcp-session-id` header names one."),
    Attribute.MCP_RESOURCE_URI: Facts(
        "string", "The resource that was asked for; what is longer than 2,000 characters is cut."
    ),
    Attribute.JSONRPC_REQUEST_ID: Facts("string", "The request's id on its connection."),
    Attribute.RPC_STATUS_CODE: _closed("JSON-RPC code of an error reply.", _CODES, values.UNKNOWN_COMPONENT),
    Attribute.TOOL_NAME: Facts("string", "The tool.", shape=_NAME, words="a tool of this server, or `_OTHER`"),
    Attribute.PROMPT_NAME: Facts("string", "The prompt.", shape=_NAME, words="a prompt of this server, or `_OTHER`"),
    Attribute.OPERATION_NAME: _closed("Set on tool calls.", frozenset({"execute_tool"})),
    Attribute.CONVERSATION_ID: Facts("string", "From the caller's baggage: the agent's conversation."),
    Attribute.SESSION_ID: Facts("string", "From the caller's baggage: the user's session."),
    Attribute.ERROR_TYPE: Facts(
        "string",
        "What kind of failure it was.",
        values.OPERATION_ERRORS | values.WORK_ERRORS | values.HTTP_EXCEPTIONS,
        r"[45]\d\d",
        "or, from HTTP, a status code; which of them where, is said below",
    ),
    Attribute.NETWORK_TRANSPORT: _closed("`pipe` for stdio, `tcp` for HTTP.", frozenset({"pipe", "tcp"})),
    Attribute.NETWORK_PROTOCOL_NAME: _closed("Set on HTTP.", frozenset({"http"})),
    Attribute.NETWORK_PROTOCOL_VERSION: _closed("Version of HTTP.", frozenset({"1.0", "1.1", "2", "3"})),
    Attribute.NETWORK_PEER_ADDRESS: Facts("string", "Host that was connected to."),
    Attribute.NETWORK_PEER_PORT: Facts("int", "Port that was connected to."),
    Attribute.CLIENT_ADDRESS: Facts("string", "Address of the HTTP client."),
    Attribute.CLIENT_PORT: Facts("int", "Port of the HTTP client."),
    Attribute.SERVER_ADDRESS: Facts(
        "string", "Host of the Libraries.io API.", shape=r"[^\s/?#]{1,253}", words="the host of LIBRARIES_IO_BASE_URL"
    ),
    Attribute.SERVER_PORT: Facts(
        "int", "Port of the Libraries.io API.", shape=r"\d{1,5}", words="the port of LIBRARIES_IO_BASE_URL"
    ),
    Attribute.URL_FULL: Facts("string", "The address that was asked, without the API key."),
    Attribute.URL_SCHEME: _closed("Scheme of the request.", frozenset({"http", "https"})),
    Attribute.URL_TEMPLATE: Facts("string", "Path template of the endpoint.", shape=r"/[a-z_{}/]*", words="as below"),
    Attribute.HTTP_METHOD: _closed("Method of the request.", values.HTTP_METHODS, values.UNKNOWN_COMPONENT),
    Attribute.HTTP_METHOD_ORIGINAL: Facts("string", "The method as sent, where it is none of those."),
    Attribute.HTTP_RESEND_COUNT: Facts("int", "How often the question was sent before; absent on the first attempt."),
    Attribute.HTTP_STATUS_CODE: Facts("int", "Status of the reply.", shape=r"[1-5]\d\d", words="100 to 599"),
    Attribute.HTTP_ROUTE: Facts(
        "string", "Route template.", shape=r"/[a-z_{}/:]*|_OTHER", words="a route of this server, or `_OTHER`"
    ),
    Attribute.EXCEPTION_TYPE: Facts("string", "Name of the exception's class."),
    Attribute.EXCEPTION_MESSAGE: Facts("string", "Its text (HTTP attempts and log records)."),
    Attribute.EXCEPTION_STACKTRACE: Facts("string", "Its traceback (HTTP attempts and log records)."),
    Attribute.EXCEPTION_ESCAPED: Facts("string", "Whether it left the span.", frozenset({"True", "False"})),
    Attribute.SERVICE_VERSION: Facts("string", "On the first record: which version it is."),
    Attribute.CODE_FILE: Facts("string", "File that made the record."),
    Attribute.CODE_FUNCTION: Facts("string", "Function that made the record."),
    Attribute.CODE_LINE: Facts("int", "Line that made the record."),
    Attribute.STATE: _closed(
        "Kind of CPU time or of context switch.", frozenset({"user", "system", "voluntary", "involuntary"})
    ),
    Attribute.GC_GENERATION: Facts("int", "Generation of the garbage collector.", frozenset({0, 1, 2})),
    Attribute.ENDPOINT: Facts(
        "string",
        "What was asked of Libraries.io: a path template, or a group of them for the circuit breaker.",
        shape=r"[a-z_{}/]+",
        words="an endpoint of `librariesio/endpoints.py`",
    ),
    Attribute.REPLY_FIELD: Facts(
        "string",
        "Field of a reply that could not be read, without numbers of list items; `[]`: an item of the reply itself.",
        shape=r"[a-z_.]+|\[\]",
        words="a field of `librariesio/models.py` or `repository_models.py`",
    ),
    Attribute.PLATFORM: Facts("string", "Package manager, as asked."),
    Attribute.PACKAGE: Facts("string", "Package, as asked."),
    Attribute.CALL_ERROR_TYPE: _closed("Which class of `errors.py` it was.", values.CALL_ERROR_TYPES),
    Attribute.CACHE_RESULT: _closed(
        "How the answer was come by; `mixed` on the span of a request that asked several questions.",
        values.CACHE_RESULTS,
        "mixed",
    ),
    Attribute.BREAKER_STATE: _closed("State of a circuit breaker.", values.BREAKER_STATES),
    Attribute.DURATION: Facts("double", "Seconds it took."),
    Attribute.OUTCOME: _closed("How it ended.", frozenset({"completed", "failed"})),
    Attribute.WAIT: Facts("double", "Seconds waited for the quota."),
    Attribute.REQUEST_ID: Facts("string", "Id of the MCP request in this server's own records."),
    Attribute.SIGNAL: _closed("Which signal was lost.", values.SIGNALS),
    Attribute.OPERATION: _closed("Which of our own operations it was.", values.OPERATIONS),
    Attribute.THRESHOLD: Facts("double", "Seconds above which an operation counts as slow (SLOW_OPERATION_SECONDS)."),
    Attribute.LOG_DESTINATION: _closed(
        "Where the record did not arrive; `queue`: nowhere at all.", values.LOG_DESTINATIONS
    ),
    Attribute.HEALTH_CHECK: _closed("Which health check it is.", values.HEALTH_CHECKS),
    Attribute.ALERT_CHANNEL: _closed("How people are told of alerts.", values.ALERT_CHANNELS),
    Attribute.ALERT_OUTCOME: _closed("What became of a message or an evaluation.", values.ALERT_OUTCOMES),
    Attribute.ALERT_SEVERITY: _closed("How bad it is, by the rule's label.", values.ALERT_SEVERITIES),
    Attribute.ALERT_STATE: _closed("Whether the alert fires or is about to.", values.ALERT_STATES),
    Attribute.HTTP_LIMIT: _closed("What there is only so much of (docs/deployment.md).", values.HTTP_LIMITS),
    Attribute.REFUSAL: _closed("Which limit refused or ended it (docs/deployment.md).", values.REFUSALS),
    Attribute.USER_HASH: Facts("string", "Keyed hash of the caller's name (LOG_INCLUDE_USER_ID=hashed)."),
    Attribute.USER_ID: Facts("string", "The caller's name (LOG_INCLUDE_USER_ID=raw)."),
}
