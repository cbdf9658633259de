"""Hours of a server's work and of a page that looks at it, in seconds: to see that memory stays flat."""

import tracemalloc

from opentelemetry.context import Context
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import SpanKind
from tests.unit.telemetry.logs.records import facts, record

from libraries_io_mcp.status.feed import Changes
from libraries_io_mcp.status.sources import Sources
from libraries_io_mcp.telemetry.instruments import Instruments
from libraries_io_mcp.telemetry.logs.lines import json_line
from libraries_io_mcp.telemetry.logs.tail import LogTail
from libraries_io_mcp.telemetry.recent import Recent
from libraries_io_mcp.telemetry.recent_traces import RecentTraces
from libraries_io_mcp.telemetry.redaction import Redactor
from libraries_io_mcp.telemetry.series import Series
from libraries_io_mcp.telemetry.summary import Summary


class Work:
    """A server's recent traces, log tail and figures, and a page that looks at them, on a clock of its own."""

    def __init__(self, *, tick_seconds: float, requests: int) -> None:
        """`requests` are those between two looks."""
        self.time = 0.0
        self._tick, self._requests = tick_seconds, requests
        redactor = Redactor(["5ecret5ecret"])
        self.traces = RecentTraces(redactor, slow_seconds=1.0)
        provider = TracerProvider(shutdown_on_exit=False)
        provider.add_span_processor(self.traces)
        self.tracer = provider.get_tracer("test")
        self.tail = LogTail(json_line(redactor))
        meters = MeterProvider(shutdown_on_exit=False)
        self.instruments = Instruments(meters.get_meter("test"))
        self.series = Series()
        self.summary = Summary(Recent(meters).collect, monotonic=lambda: self.time, on_slice=self.series.add)
        parts = {"figures": self.summary.facts, "traces": self.traces.facts}
        self.changes = Changes(Sources(parts, self.series, self.traces, self.tail), now=lambda: self.time)
        self.changes.first(begin=True)

    def until(self, end: float) -> None:
        """Let time pass, up to `end` seconds since the start."""
        while self.time < end:
            self.time += self._tick
            self.summary.gather()
            for number in range(self._requests):
                self.request(f"tool_{number % 8}")
            self.changes.next()

    def request(self, tool: str) -> None:
        """A request is served: its span, its duration, its line."""
        name = f"tools/call {tool}"
        span = self.tracer.start_span(name, Context(), SpanKind.SERVER, {"gen_ai.tool.name": tool}, start_time=1)
        span.set_attribute("libraries_io.package", f"package-{self.time}")
        span.end(20_000_000)
        self.instruments.operation(0.02, {"mcp.method.name": "tools/call", "gen_ai.tool.name": tool})
        self.tail.put(facts(record(f"{name} completed at {self.time}")))

    def kept(self) -> list[int]:
        """Bytes of spans, characters of log lines, slices of time."""
        return [self.traces.bytes, self.tail.size, len(self.series.since(-1)[0])]


def eight_hours(work: Work) -> tuple[int, list[int], list[int]]:
    """Bytes by which memory has grown from the first hour to the eighth, and what was kept at both."""
    work.until(3600)
    at_one = work.kept()
    # Once more round, so that all that is kept was made under the eye of the account.
    tracemalloc.start()
    try:
        work.until(2 * 3600)
        at_two = tracemalloc.get_traced_memory()[0]
        work.until(8 * 3600)
        grown = tracemalloc.get_traced_memory()[0] - at_two
    finally:
        tracemalloc.stop()
    return grown, at_one, work.kept()
