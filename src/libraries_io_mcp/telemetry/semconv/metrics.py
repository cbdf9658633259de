"""The metrics: names, kinds, units, attributes and bounds."""

from dataclasses import dataclass
from typing import Final, Literal

from libraries_io_mcp.telemetry.semconv import values
from libraries_io_mcp.telemetry.semconv.attributes import Attribute

FAST_BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
"""Bounds in seconds for one call on Libraries.io: a cached answer to a reply that ran into the time limit."""
MCP_BUCKETS: Final = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0)
"""Bounds in seconds that the MCP conventions prescribe."""
HTTP_BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
"""Bounds in seconds that the HTTP conventions prescribe."""
EVALUATION_BUCKETS: Final = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0)
"""Bounds in seconds for one evaluation of a group of rules: next to nothing, to far too long."""

Kind = Literal["counter", "gauge", "histogram", "up_down_counter"]


@dataclass(frozen=True, slots=True)
class Metric:
    """One instrument: its name, kind, UCUM unit, meaning, attribute keys, bounds (of a histogram), `error.type`s."""

    name: str
    kind: Kind
    unit: str
    description: str
    attributes: tuple[Attribute, ...] = ()
    buckets: tuple[float, ...] = ()
    errors: frozenset[str] = frozenset()


_NETWORK: Final = (
    Attribute.NETWORK_TRANSPORT,
    Attribute.NETWORK_PROTOCOL_NAME,
    Attribute.NETWORK_PROTOCOL_VERSION,
)
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
        Attribute.CALL_ERROR_TYPE,
        Attribute.RPC_STATUS_CODE,
        Attribute.MCP_PROTOCOL_VERSION,
        *_NETWORK,
    ),
    MCP_BUCKETS,
    values.OPERATION_ERRORS,
)
SESSION_DURATION: Final = Metric(
    "mcp.server.session.duration",
    "histogram",
    "s",
    "Duration of one MCP session on stdio, where the protocol revision has sessions.",
    (Attribute.MCP_PROTOCOL_VERSION, Attribute.NETWORK_TRANSPORT),
    MCP_BUCKETS,
)
OPERATIONS_ACTIVE: Final = Metric(
    "libraries_io.operations.active", "up_down_counter", "{request}", "MCP requests being served right now."
)
HTTP_SERVER_DURATION: Final = Metric(
    "http.server.request.duration",
    "histogram",
    "s",
    "Duration of HTTP server requests.",
    (
        Attribute.HTTP_METHOD,
        Attribute.HTTP_ROUTE,
        Attribute.HTTP_STATUS_CODE,
        Attribute.URL_SCHEME,
        Attribute.NETWORK_PROTOCOL_VERSION,
        Attribute.ERROR_TYPE,
    ),
    HTTP_BUCKETS,
    values.HTTP_SERVER_ERRORS,
)
HTTP_SERVER_ACTIVE: Final = Metric(
    "http.server.active_requests",
    "up_down_counter",
    "{request}",
    "Number of active HTTP server requests.",
    (Attribute.HTTP_METHOD, Attribute.URL_SCHEME),
)
CALL_DURATION: Final = Metric(
    "libraries_io.call.duration",
    "histogram",
    "s",
    "Duration of one question to Libraries.io, with its waits, retries and cache look-up.",
    (Attribute.ENDPOINT, Attribute.CACHE_RESULT, Attribute.ERROR_TYPE),
    FAST_BUCKETS,
    values.WORK_ERRORS,
)
RETRIES: Final = Metric(
    "libraries_io.retries",
    "counter",
    "{retry}",
    "Attempts made again after a failed one.",
    (Attribute.ENDPOINT, Attribute.ERROR_TYPE),
    errors=values.WORK_ERRORS,
)
QUOTA_LIMIT: Final = Metric(
    "libraries_io.quota.limit", "gauge", "{request}", "Requests that the current window allows."
)
QUOTA_REMAINING: Final = Metric(
    "libraries_io.quota.remaining", "gauge", "{request}", "Requests left in the current window."
)
QUOTA_WAITING: Final = Metric(
    "libraries_io.quota.waiting", "gauge", "{question}", "Questions that wait for their place in the quota now."
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
    "{state}",
    "1 while the circuit breaker of an endpoint group is open, 0.5 while it probes, 0 while it is closed.",
    (Attribute.ENDPOINT,),
)
LOG_DROPS: Final = Metric(
    "libraries_io.log.dropped",
    "counter",
    "{record}",
    "Log records dropped because their destination was too slow or did not work.",
    (Attribute.LOG_DESTINATION,),
)
WORK_DURATION: Final = Metric(
    "libraries_io.work.duration",
    "histogram",
    "s",
    "Duration of one operation of our own.",
    (Attribute.OPERATION, Attribute.ERROR_TYPE),
    FAST_BUCKETS,
    values.WORK_ERRORS,
)
TELEMETRY_DROPS: Final = Metric(
    "libraries_io.telemetry.dropped",
    "counter",
    "{item}",
    "Spans and log records that were made and not delivered. Metrics are cumulative: what did not arrive comes again "
    "with the next collection.",
    (Attribute.SIGNAL,),
)
HEALTH_STATUS: Final = Metric(
    "health.check.status",
    "gauge",
    "{status}",
    "What a health check found last: 1 healthy, 0.5 degraded, 0 unhealthy, -1 unknown.",
    (Attribute.HEALTH_CHECK,),
)
HEALTH_SCORE: Final = Metric(
    "health.score",
    "gauge",
    "{score}",
    "Mean over the health checks whose status is known: 100 healthy, 50 degraded, 0 unhealthy. Absent while none is.",
)
ALERT_DELIVERIES: Final = Metric(
    "alerting.deliveries",
    "counter",
    "{delivery}",
    "Attempts to tell people of alerts, by what came of them. What failed is tried again.",
    (Attribute.ALERT_CHANNEL, Attribute.ALERT_OUTCOME),
)
REPLY_DEVIATIONS: Final = Metric(
    "libraries_io.reply.deviations",
    "counter",
    "{value}",
    "Values in replies of Libraries.io that could not be read, and are unknown in answers: the service has changed.",
    (Attribute.ENDPOINT, Attribute.REPLY_FIELD),
)
HTTP_REFUSALS: Final = Metric(
    "libraries_io.http.refusals",
    "counter",
    "{refusal}",
    "Connections, requests and calls over HTTP that a limit refused or ended.",
    (Attribute.REFUSAL,),
)
HTTP_LIMIT_USED: Final = Metric(
    "libraries_io.http.limit.used",
    "gauge",
    "{item}",
    "How much of a limit for all callers over HTTP is in use: `calls` are worked on, `queued_calls` wait for a place, "
    "`held_bytes` are those of request bodies in memory.",
    (Attribute.HTTP_LIMIT,),
)
HTTP_LIMIT_MAX: Final = Metric(
    "libraries_io.http.limit.max",
    "gauge",
    "{item}",
    "How much of it there may be, by the settings.",
    (Attribute.HTTP_LIMIT,),
)
ALERTS_ACTIVE: Final = Metric(
    "alerting.alerts.active",
    "gauge",
    "{alert}",
    "Alerts that fire or are about to, whoever evaluates; without those that a person resolved.",
    (Attribute.ALERT_SEVERITY, Attribute.ALERT_STATE),
)
ALERT_EVALUATIONS: Final = Metric(
    "alerting.evaluations",
    "counter",
    "{evaluation}",
    "Evaluations of a group of rules in this process, whether it is in charge or stands by.",
    (Attribute.ALERT_OUTCOME,),
)
ALERT_EVALUATION_DURATION: Final = Metric(
    "alerting.evaluation.duration",
    "histogram",
    "s",
    "Duration of one evaluation of a group of rules in this process.",
    buckets=EVALUATION_BUCKETS,
)
ALERT_EVALUATOR: Final = Metric(
    "alerting.evaluator.in_charge",
    "gauge",
    "{state}",
    "1 while this process decides what fires, 0 while Prometheus does and this process stands by.",
)

METRICS: Final = (
    OPERATION_DURATION,
    SESSION_DURATION,
    OPERATIONS_ACTIVE,
    HTTP_SERVER_DURATION,
    HTTP_SERVER_ACTIVE,
    CALL_DURATION,
    RETRIES,
    QUOTA_LIMIT,
    QUOTA_REMAINING,
    QUOTA_WAITING,
    QUOTA_WAIT,
    CACHE_LOOKUPS,
    CACHE_ENTRIES,
    CACHE_SIZE,
    BREAKER,
    LOG_DROPS,
    WORK_DURATION,
    TELEMETRY_DROPS,
    HEALTH_STATUS,
    HEALTH_SCORE,
    ALERT_DELIVERIES,
    REPLY_DEVIATIONS,
    HTTP_REFUSALS,
    HTTP_LIMIT_USED,
    HTTP_LIMIT_MAX,
    ALERTS_ACTIVE,
    ALERT_EVALUATIONS,
    ALERT_EVALUATION_DURATION,
    ALERT_EVALUATOR,
)
"""What our own code measures."""


def _process(name: str, unit: str, description: str, *attributes: Attribute, kind: Kind = "counter") -> Metric:
    return Metric(name, kind, unit, description, attributes)


FOREIGN_METRICS: Final = (
    Metric(
        "http.client.request.duration",
        "histogram",
        "s",
        "Duration of HTTP client requests.",
        (
            Attribute.HTTP_METHOD,
            Attribute.HTTP_STATUS_CODE,
            Attribute.SERVER_ADDRESS,
            Attribute.SERVER_PORT,
            Attribute.NETWORK_PROTOCOL_VERSION,
            Attribute.ERROR_TYPE,
        ),
        HTTP_BUCKETS,
        values.HTTP_CLIENT_ERRORS,
    ),
    _process("process.cpu.time", "s", "Total CPU seconds broken down by different states.", Attribute.STATE),
    _process("process.memory.usage", "By", "The amount of physical memory in use.", kind="up_down_counter"),
    _process("process.memory.virtual", "By", "The amount of committed virtual memory.", kind="up_down_counter"),
    _process(
        "process.open_file_descriptor.count",
        "",
        "Number of file descriptors in use by the process.",
        kind="up_down_counter",
    ),
    _process("process.thread.count", "", "Process threads count.", kind="up_down_counter"),
    _process(
        "cpython.gc.collections",
        "{collection}",
        "The number of times a generation was collected since interpreter start.",
        Attribute.GC_GENERATION,
    ),
    _process(
        "cpython.gc.collected_objects",
        "{object}",
        "The total number of objects collected since interpreter start.",
        Attribute.GC_GENERATION,
    ),
    _process(
        "cpython.gc.uncollectable_objects",
        "{object}",
        "The total number of uncollectable objects found since interpreter start.",
        Attribute.GC_GENERATION,
    ),
)
"""What the official instrumentations measure, held to these attributes by `telemetry/views.py`."""
