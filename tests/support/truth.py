"""Holds what was emitted against what `telemetry/semconv` declares; every difference is a complaint."""

import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

from libraries_io_mcp.demo.otlp_model import LogRecord, MetricPoint, Span
from libraries_io_mcp.librariesio import endpoints
from libraries_io_mcp.librariesio.endpoints import Endpoint
from libraries_io_mcp.telemetry import semconv
from libraries_io_mcp.telemetry.semconv import Attribute

ENDPOINTS: Final = {value for value in vars(endpoints).values() if isinstance(value, Endpoint)}
TEMPLATES: Final = {endpoint.template for endpoint in ENDPOINTS}
GROUPS: Final = {endpoint.group for endpoint in ENDPOINTS}
KINDS: Final = {"counter": "sum", "up_down_counter": "sum", "gauge": "gauge", "histogram": "histogram"}
METRICS: Final = {metric.name: metric for metric in (*semconv.METRICS, *semconv.FOREIGN_METRICS)}
LOG_EVENTS: Final = {event.name: event for event in semconv.LOG_EVENTS}
SOMETIMES: Final = {
    *(Attribute.ERROR_TYPE, Attribute.CALL_ERROR_TYPE, Attribute.RPC_STATUS_CODE, Attribute.HTTP_STATUS_CODE),
    *(Attribute.TOOL_NAME, Attribute.PROMPT_NAME, Attribute.OPERATION_NAME, Attribute.NETWORK_PROTOCOL_NAME),
    Attribute.NETWORK_PROTOCOL_VERSION,
}
"""Attributes of metrics that are there only where they apply."""
CUT_SHORT: Final = {"cancelled", "timeout"}
"""Errors of a request that leave an attempt without an outcome of its own."""
WHERE: Final[tuple[tuple[Attribute, str, tuple[Attribute, ...]], ...]] = (
    (Attribute.MCP_METHOD, "tools/call", (Attribute.TOOL_NAME, Attribute.OPERATION_NAME)),
    (Attribute.MCP_METHOD, "prompts/get", (Attribute.PROMPT_NAME,)),
    (Attribute.MCP_METHOD, "resources/read", (Attribute.MCP_RESOURCE_URI,)),
    (
        Attribute.NETWORK_TRANSPORT,
        "tcp",
        (
            *(Attribute.NETWORK_PROTOCOL_NAME, Attribute.NETWORK_PROTOCOL_VERSION),
            *(Attribute.CLIENT_ADDRESS, Attribute.CLIENT_PORT),
        ),
    ),
    (Attribute.ERROR_TYPE, "tool_error", (Attribute.CALL_ERROR_TYPE,)),
    (Attribute.OPERATION, "alerting.deliver", (Attribute.ALERT_CHANNEL,)),
)
"""An attribute with this value brings those along, where the span or metric can have them."""
RESOURCE: Final = {
    "service.name",
    "service.version",
    "service.instance.id",
    "telemetry.sdk.language",
    "telemetry.sdk.name",
    "telemetry.sdk.version",
}


def complaints_of_spans(spans: Iterable[Span], known: set[str]) -> Iterator[str]:
    """`known`: the tools and prompts of the server."""
    spans = tuple(spans)
    cut_short = {span.trace_id for span in spans if CUT_SHORT & set(map(str, span.attributes.values()))}
    for span in spans:
        declared = [each for each in semconv.SPANS if each.kind == span.kind and re.fullmatch(each.shape, span.name)]
        if not declared:
            yield f"span {span.name!r} of kind {span.kind}"
            continue
        (kind,) = [each for each in declared if each is not semconv.WORK_SPAN] or declared
        yield from _attributes(f"span {span.name}", span.attributes, set(kind.attributes), known)
        required = set(kind.required) | conditional(span.attributes, kind.attributes)
        if kind is semconv.CLIENT_SPAN and Attribute.HTTP_STATUS_CODE not in span.attributes:
            required |= set() if span.trace_id in cut_short else {Attribute.ERROR_TYPE}
        yield from _missing(f"span {span.name}", span.attributes, required)
        if span.name != name_of(kind, span.attributes):
            yield f"span {span.name} is called otherwise than what it says: {name_of(kind, span.attributes)}"
        yield from _error_type(f"span {span.name}", span.attributes, kind.errors)
        yield from _resource(f"span {span.name}", span.origin.resource)
        if span.links and not kind.links:
            yield f"span {span.name} has links"
        if (span.status == "ERROR") != ("error.type" in span.attributes):
            yield f"span {span.name}: status {span.status} with error.type {span.attributes.get('error.type')}"
        events = {event.name: event for event in kind.events}
        for event in span.events:
            if event.name not in events:
                yield f"span {span.name}: event {event.name!r}"
            else:
                where = f"span {span.name}, event {event.name}"
                yield from _attributes(where, event.attributes, set(events[event.name].attributes), known)


def complaints_of_points(points: Iterable[MetricPoint], known: set[str]) -> Iterator[str]:
    """Names, units, kinds, bounds, attributes; and that exemplars carry nothing more."""
    for point in points:
        metric = METRICS.get(point.name)
        if metric is None:
            yield f"metric {point.name!r}"
            continue
        if (point.kind, point.unit) != (KINDS[metric.kind], metric.unit):
            yield f"metric {point.name}: {point.kind} in {point.unit!r}, declared {metric.kind} in {metric.unit!r}"
        if metric.kind == "histogram" and point.bounds != metric.buckets:
            yield f"metric {point.name}: bounds {point.bounds}"
        yield from _attributes(f"metric {point.name}", point.attributes, set(metric.attributes), known)
        always = set(metric.attributes) - SOMETIMES | ({Attribute.ERROR_TYPE} if metric is semconv.RETRIES else set())
        yield from _missing(
            f"metric {point.name}", point.attributes, always | conditional(point.attributes, metric.attributes)
        )
        yield from _error_type(f"metric {point.name}", point.attributes, metric.errors)
        yield from _resource(f"metric {point.name}", point.origin.resource)
        for attribute in point.attributes:
            if semconv.FACTS[Attribute(attribute)].is_open:
                yield f"metric {point.name}: {attribute} is open"
        for exemplar in point.exemplars:
            if exemplar.attributes:
                yield f"metric {point.name}: exemplar with {exemplar.attributes}"


def complaints_of_logs(logs: Iterable[LogRecord], known: set[str]) -> Iterator[str]:
    """Records with an event name are those declared, and no record has other attributes."""
    for log in logs:
        allowed = set(semconv.PLAIN_LOG_ATTRIBUTES)
        if log.event_name:
            if log.event_name not in LOG_EVENTS:
                yield f"log event {log.event_name!r}"
                continue
            allowed |= set(LOG_EVENTS[log.event_name].attributes)
        yield from _attributes(f"log {log.event_name or log.body!r}", log.attributes, allowed, known)
        yield from _resource(f"log {log.event_name}", log.origin.resource)


def complaints_of_prometheus(text: str) -> Iterator[str]:
    """Each family has a declared name, and only labels that are declared attributes."""
    labels = {str(attribute).replace(".", "_") for attribute in Attribute} | {"le"}
    families = {prometheus_name(metric) for metric in METRICS.values()} | {"target_info"}
    for line in text.splitlines():
        if line.startswith("# TYPE "):
            family = line.split()[2]
            if family not in families:
                yield f"/metrics: family {family}"
        elif line and not line.startswith(("#", "target_info")):
            for label in re.findall(r"(\w+)=\"", line):
                if label not in labels:
                    yield f"/metrics: label {label} in {line}"


def prometheus_name(metric: semconv.Metric) -> str:
    """As `docs/telemetry.md` says; told apart from its generator on purpose."""
    unit = {"s": "_seconds", "By": "_bytes"}.get(metric.unit, "")
    total = "_total" if metric.kind == "counter" else ""
    return metric.name.replace(".", "_") + unit + total


def _attributes(where: str, found: dict[str, Any], allowed: set[Attribute], known: set[str]) -> Iterator[str]:
    for key, value in found.items():
        if key not in allowed:
            yield f"{where}: attribute {key} = {value!r}"
        elif not semconv.FACTS[Attribute(key)].permits(value):
            yield f"{where}: value {key} = {value!r}"
        elif key in (Attribute.TOOL_NAME, Attribute.PROMPT_NAME) and value not in known | {semconv.UNKNOWN_COMPONENT}:
            yield f"{where}: {key} = {value!r} is nothing of this server"
        elif (key == Attribute.URL_TEMPLATE and value not in TEMPLATES) or (
            key == Attribute.ENDPOINT and value not in TEMPLATES | GROUPS
        ):
            yield f"{where}: {key} = {value!r} is no endpoint"


def name_of(kind: semconv.Span, found: dict[str, Any]) -> str:
    """What a span of this kind that says this must be called."""
    parts = {
        semconv.SERVER_SPAN.name: (Attribute.MCP_METHOD, Attribute.TOOL_NAME, Attribute.PROMPT_NAME),
        semconv.CLIENT_SPAN.name: (Attribute.HTTP_METHOD,),
        semconv.WORK_SPAN.name: (Attribute.OPERATION,),
    }
    if kind.name not in parts:
        return kind.name
    return " ".join(str(found[part]) for part in parts[kind.name] if part in found)


def conditional(found: dict[str, Any], possible: Iterable[Attribute]) -> set[Attribute]:
    """What the attributes that are there bring along."""
    brought = {each for attribute, value, more in WHERE if found.get(attribute) == value for each in more}
    return brought & set(possible)


def _missing(where: str, found: dict[str, Any], required: set[Attribute]) -> Iterator[str]:
    for attribute in sorted(required - set(found)):
        yield f"{where}: {attribute} is missing"


def _error_type(where: str, found: dict[str, Any], permitted: frozenset[str]) -> Iterator[str]:
    value = found.get(Attribute.ERROR_TYPE)
    if value is not None and value not in permitted:
        yield f"{where}: error.type {value!r} is none of its own"


def _resource(where: str, resource: dict[str, Any]) -> Iterator[str]:
    if set(resource) != RESOURCE:
        yield f"{where}: resource {sorted(resource)}"
