"""What must have been seen: each question as one trace, its measurement with an exemplar, its log line."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from libraries_io_mcp.demo.failure import DemoError
from libraries_io_mcp.demo.otlp_model import LogRecord, MetricPoint, Span
from libraries_io_mcp.demo.otlp_receiver import OtlpReceiver
from libraries_io_mcp.demo.questions import Asked

CLIENT_NAME: Final = "libraries-io-mcp-demo"
SERVER_NAME: Final = "libraries-io-mcp"
DURATION: Final = "mcp.server.operation.duration"


@dataclass(frozen=True, slots=True)
class Received:
    """Everything that arrived."""

    spans: tuple[Span, ...]
    points: tuple[MetricPoint, ...]
    logs: tuple[LogRecord, ...]
    summary: str

    @classmethod
    def by(cls, receiver: OtlpReceiver) -> "Received":
        """What a receiver holds now."""
        return cls(receiver.spans, receiver.points, receiver.logs, receiver.summary())


@dataclass(frozen=True, slots=True)
class Trace:
    """The trace of one question: all spans by start, of them the client's, the server's and its attempts; its logs."""

    asked: Asked
    spans: tuple[Span, ...]
    client: Span
    server: Span
    attempts: tuple[Span, ...]
    logs: tuple[LogRecord, ...]

    @property
    def statuses(self) -> tuple[int, ...]:
        """The status of each attempt."""
        return tuple(int(span.attributes.get("http.response.status_code", 0)) for span in self.attempts)


@dataclass(frozen=True, slots=True)
class Story:
    """What may be shown: it was all received."""

    traces: tuple[Trace, ...]
    durations: tuple[MetricPoint, ...]
    """The newest point of each series of `DURATION` for tool calls."""
    received: Received


def tell(asked: Sequence[Asked], received: Received, *, attempts: int, secret: str) -> Story:
    """Put together what belongs together. `attempts` is how many requests of the server the sandbox counted.

    Raises:
        DemoError: something is missing, or `secret` is somewhere; all of it is listed.
    """
    complaints: list[str] = []
    traces = []
    for item in asked:
        trace, missing = read_trace(item, received)
        complaints += missing
        if trace is not None:
            traces.append(trace)
    durations = tuple(point for point in newest(received.points) if point.name == DURATION and _tool(point))
    complaints += _missing_durations(asked, durations)
    complaints += _miscounted(traces, asked, attempts)
    if secret in f"{[item.content for item in asked]}{received.spans}{received.points}{received.logs}":
        complaints.append("the API key is in an answer or in telemetry")
    if complaints:
        raise DemoError("\n".join([*complaints, f"arrived: {received.summary}"]))
    return Story(tuple(traces), durations, received)


def read_trace(asked: Asked, received: Received) -> tuple[Trace | None, list[str]]:
    """The trace of one question, and what it lacks."""
    spans = sorted((span for span in received.spans if span.trace_id == asked.trace_id), key=lambda span: span.start_ns)
    logs = sorted((log for log in received.logs if log.trace_id == asked.trace_id), key=lambda log: log.time_ns)
    name = f"tools/call {asked.question.tool}"
    where = f"not received for {asked.question.words!r} (trace {asked.trace_id[:8]}): "
    client = _only(span for span in spans if span.name == name and span.origin.service == CLIENT_NAME)
    if client is None:
        return None, [f"{where}the client's span {name!r}"]
    server = _only(
        span
        for span in spans
        if span.name == name and span.origin.service == SERVER_NAME and _is_below(span, client, spans)
    )
    if server is None or server.kind != "SERVER":
        return None, [f"{where}the server's span {name!r} below the client's"]
    attempts = tuple(span for span in spans if span.kind == "CLIENT" and span.parent_id == server.span_id)
    trace = Trace(asked, tuple(spans), client, server, attempts, tuple(logs))
    return trace, [where + missing for missing in _missing(trace)]


def _is_below(span: Span, ancestor: Span, spans: Sequence[Span]) -> bool:
    parents = {candidate.span_id: candidate.parent_id for candidate in spans}
    parent = span.parent_id
    while parent is not None and parent != ancestor.span_id:
        parent = parents.pop(parent, None)
    return parent is not None


def _missing(trace: Trace) -> list[str]:
    missing = []
    if not trace.attempts and not trace.asked.question.fails:
        missing.append("an attempt at the API under the server's span")
    if trace.asked.question.refused_first and trace.statuses != (429, 200):
        missing.append(f"a refused attempt and a successful one (seen: {trace.statuses})")
    if not any(log.span_id == trace.server.span_id for log in trace.logs):
        missing.append("a log record of the server's span")
    if trace.asked.question.fails and trace.server.attributes.get("error.type") != "tool_error":
        missing.append("error.type=tool_error on the server's span")
    return missing


def newest(points: Iterable[MetricPoint]) -> tuple[MetricPoint, ...]:
    """The last point of each series, with the exemplars of all its points.

    Sums and histograms are cumulative; each export brings only the exemplars since the one before.
    """
    series: dict[tuple[str, str, str], MetricPoint] = {}
    for point in points:
        key = (point.origin.service, point.name, repr(sorted(point.attributes.items())))
        earlier = series[key].exemplars if key in series else ()
        series[key] = replace(point, exemplars=earlier + point.exemplars)
    return tuple(series.values())


def _missing_durations(asked: Sequence[Asked], durations: Sequence[MetricPoint]) -> list[str]:
    missing = []
    traces = {item.trace_id for item in asked}
    for tool in sorted({item.question.tool for item in asked}):
        points = [point for point in durations if _tool(point) == tool]
        called = sum(item.question.tool == tool for item in asked)
        if sum(point.count for point in points) != called:
            missing.append(f"not received: {called} measurements of {tool} in {DURATION}")
        if not any(exemplar.trace_id in traces for point in points for exemplar in point.exemplars):
            missing.append(f"not received: an exemplar of {tool} in {DURATION} that leads to one of these traces")
    return missing


def _miscounted(traces: Sequence[Trace], asked: Sequence[Asked], attempts: int) -> list[str]:
    seen = sum(len(trace.attempts) for trace in traces)
    if len(traces) == len(asked) and seen != attempts:
        return [f"the sandbox answered {attempts} requests of the server, but {seen} attempts were received as spans"]
    return []


def _tool(point: MetricPoint) -> str | None:
    return point.attributes.get("gen_ai.tool.name")


def _only(spans: Iterable[Span]) -> Span | None:
    found = list(spans)
    return found[0] if len(found) == 1 else None
