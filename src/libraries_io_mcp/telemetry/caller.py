"""What a request brings of its caller's context: the parent of its span, a link to its HTTP request, some baggage."""

from collections.abc import Mapping
from typing import Any, Final

from opentelemetry import baggage, trace
from opentelemetry.baggage.propagation import W3CBaggagePropagator
from opentelemetry.context import Context
from opentelemetry.trace import Link
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from libraries_io_mcp.telemetry.semconv import BAGGAGE_KEYS

LONGEST_BAGGAGE: Final = 128
NO_HEADERS: Final[Mapping[str, str]] = {}
_TRACE: Final = TraceContextTextMapPropagator()
_BAGGAGE: Final = W3CBaggagePropagator()


def callers_context(meta: Mapping[str, Any] | None, headers: Mapping[str, str]) -> tuple[Context | None, list[Link]]:
    """The context that the SERVER span goes under (`None`: the current one), and its links.

    What `_meta` says comes first, as the MCP conventions want it; then the span of the HTTP request is a link. That is
    the current span if an HTTP instrumentation made one, else the one that the `traceparent` header names.
    """
    carrier = _carrier(meta, "traceparent", "tracestate")
    if carrier is None and "traceparent" not in headers:
        return None, []
    ambient = trace.get_current_span().get_span_context()
    parent = _TRACE.extract(carrier, context=Context()) if carrier else None
    callers = trace.get_current_span(parent).get_span_context() if parent else None
    if callers is None or not callers.is_valid:
        # Nobody speaks for the MCP message: the HTTP request does.
        return (None, []) if ambient.is_valid else (_TRACE.extract(headers, context=Context()), [])
    # FastMCP has made the caller's own span the current one: that is no HTTP request.
    if (not ambient.is_valid or ambient.span_id == callers.span_id) and "traceparent" in headers:
        ambient = trace.get_current_span(_TRACE.extract(headers, context=Context())).get_span_context()
    foreign = ambient.is_valid and ambient.span_id != callers.span_id
    return parent, [Link(ambient)] if foreign else []


def callers_baggage(meta: Mapping[str, Any] | None) -> dict[str, str]:
    """The allowed entries of the caller's baggage. They become attributes and are never sent on."""
    carrier = _carrier(meta, "baggage")
    if carrier is None:
        return {}
    entries = baggage.get_all(_BAGGAGE.extract(carrier, context=Context()))
    return {key: str(value)[:LONGEST_BAGGAGE] for key, value in entries.items() if key in BAGGAGE_KEYS}


def _carrier(meta: Mapping[str, Any] | None, required: str, *more: str) -> dict[str, str] | None:
    if not meta or not isinstance(meta.get(required), str):
        return None
    return {key: meta[key] for key in (required, *more) if isinstance(meta.get(key), str)}
