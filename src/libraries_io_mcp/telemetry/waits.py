"""Spans for time that passes while nothing is sent, so that a trace shows where the seconds went."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from opentelemetry import trace
from opentelemetry.trace import Link, NoOpTracer, SpanContext, TracerProvider

from libraries_io_mcp.telemetry import semconv
from libraries_io_mcp.telemetry.instruments import Attributes
from libraries_io_mcp.telemetry.semconv import Attribute

SHORTEST_WAIT_SECONDS: Final = 0.005
"""A shorter one explains nothing, and nearly every request would have it."""
_NANOSECONDS: Final = 1_000_000_000


@dataclass(slots=True)
class Wait:
    """Whether something held the block up; else it was only slow, on a busy machine, and that is no wait."""

    held_up: bool = True


class Waits:
    """Makes those spans. `now` is in epoch seconds."""

    def __init__(self, tracer_provider: TracerProvider | None, now: Callable[[], float]) -> None:
        self._tracer = tracer_provider.get_tracer(semconv.SCOPE_NAME) if tracer_provider else NoOpTracer()
        self._now = now

    @contextmanager
    def quota(self, endpoint: str) -> Iterator[Wait]:
        """The block waits for the quota, or says that it did not have to; only then there is no span."""
        start, wait = self._now(), Wait()
        try:
            yield wait
        finally:
            end = self._now()
            if wait.held_up:
                self._tell(semconv.QUOTA_SPAN, endpoint, start, end, {Attribute.WAIT: round(end - start, 3)})

    @contextmanager
    def replica(self, endpoint: str) -> Iterator[None]:
        """The block waits for what another process is just asking, if there is one."""
        start = self._now()
        try:
            yield
        finally:
            self._tell(semconv.REPLICA_SPAN, endpoint, start, self._now(), {})

    @contextmanager
    def flight(self, endpoint: str, asked_in: SpanContext) -> Iterator[None]:
        """The block waits for what another request, whose span is `asked_in`, is just asking."""
        links = [Link(asked_in)] if asked_in.is_valid else []
        with self._tracer.start_as_current_span(
            semconv.FLIGHT_SPAN.name,
            attributes={Attribute.ENDPOINT: endpoint},
            links=links,
            # What it ended with is on the span of the request.
            record_exception=False,
            set_status_on_exception=False,
        ):
            yield

    def _tell(self, kind: semconv.Span, endpoint: str, start: float, end: float, more: Attributes) -> None:
        if end - start < SHORTEST_WAIT_SECONDS:
            return
        attributes: Attributes = {Attribute.ENDPOINT: endpoint, **more}
        span = self._tracer.start_span(kind.name, attributes=attributes, start_time=int(start * _NANOSECONDS))
        span.end(int(end * _NANOSECONDS))


def here() -> SpanContext:
    """The span that is current."""
    return trace.get_current_span().get_span_context()
