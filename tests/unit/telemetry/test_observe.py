"""observe: span, duration, outcome and record of an operation, as decorator and as context manager."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from libraries_io_mcp.errors import QuotaExceededError
from libraries_io_mcp.telemetry.observe import Observer
from libraries_io_mcp.telemetry.slow import WatchingInstruments

pytestmark = pytest.mark.anyio


@dataclass
class Stage:
    """An observer with a clock that is told to move, and all that it made."""

    observer: Observer
    exporter: InMemorySpanExporter
    reader: InMemoryMetricReader
    logs: pytest.LogCaptureFixture
    now: float = 0.0

    def points(self) -> list[tuple[int, float, dict[str, Any]]]:
        groups = self.reader.get_metrics_data().resource_metrics
        metrics = [each for group in groups for scope in group.scope_metrics for each in scope.metrics]
        (work,) = [metric for metric in metrics if metric.name == "libraries_io.work.duration"]
        return [(point.count, point.sum, dict(point.attributes)) for point in work.data.data_points]

    def records(self) -> list[tuple[str, str, str]]:
        return [
            (record.levelname, record.getMessage(), vars(record)["otel.event.name"]) for record in self.logs.records
        ]


@pytest.fixture
def stage(caplog: pytest.LogCaptureFixture) -> Iterator[Stage]:
    caplog.set_level(logging.DEBUG, "libraries_io_mcp.telemetry")
    exporter, reader = InMemorySpanExporter(), InMemoryMetricReader()
    tracers, meters = TracerProvider(shutdown_on_exit=False), MeterProvider([reader], shutdown_on_exit=False)
    tracers.add_span_processor(SimpleSpanProcessor(exporter))

    def clock() -> float:
        return stage.now

    instruments = WatchingInstruments(meters.get_meter("t"), threshold=5.0)
    observer = Observer(tracers.get_tracer("t"), instruments, monotonic=clock)
    stage = Stage(observer, exporter, reader, caplog)
    yield stage
    tracers.shutdown()
    meters.shutdown()


def test_a_block(stage: Stage):
    with stage.observer.operation("startup"):
        stage.now = 2.0
    (span,) = stage.exporter.get_finished_spans()
    assert (span.name, dict(span.attributes), span.status.status_code) == (
        "startup",
        {"libraries_io.operation": "startup"},
        StatusCode.UNSET,
    )
    assert stage.points() == [(1, 2.0, {"libraries_io.operation": "startup"})]
    assert stage.records() == [
        ("DEBUG", "startup started", "libraries_io.work.started"),
        ("DEBUG", "startup completed in 2000.0 ms", "libraries_io.work.completed"),
    ]


def test_a_function_is_watched_at_every_call(stage: Stage):
    @stage.observer.operation("startup")
    def double(number: int) -> int:
        """Twice as much."""
        stage.now += 1.0
        return 2 * number

    assert [double(1), double(2)] == [2, 4]
    assert double.__doc__ == "Twice as much."
    assert len(stage.exporter.get_finished_spans()) == 2
    assert stage.points() == [(2, 2.0, {"libraries_io.operation": "startup"})]


async def test_async_functions_run_at_the_same_time_each_in_its_own_span(stage: Stage):
    reached = asyncio.Event()

    @stage.observer.operation("startup")
    async def wait_or_go(first: bool) -> int:
        if first:
            await reached.wait()
        reached.set()
        return 1

    assert await asyncio.gather(wait_or_go(True), wait_or_go(False)) == [1, 1]
    spans = stage.exporter.get_finished_spans()
    assert len({span.context.span_id for span in spans}) == 2
    assert all(span.parent is None for span in spans)


async def test_an_async_block_is_the_parent_of_what_is_inside(stage: Stage):
    async with stage.observer.operation("startup") as outer:
        with stage.observer.operation("shutdown.drain"):
            pass
    inner, _ = stage.exporter.get_finished_spans()
    assert inner.parent.span_id == outer.get_span_context().span_id


def test_a_failure_goes_on_and_is_recorded_by_its_class_alone(stage: Stage):
    with pytest.raises(ValueError, match="text-of-the-user"), stage.observer.operation("startup"):
        raise ValueError("text-of-the-user")
    (span,) = stage.exporter.get_finished_spans()
    assert (span.status.status_code, span.status.description) == (StatusCode.ERROR, "ValueError")
    assert "text-of-the-user" not in span.to_json()
    assert stage.points() == [(1, 0.0, {"libraries_io.operation": "startup", "error.type": "other"})]
    assert stage.records()[1:] == [("WARNING", "startup failed in 0.0 ms", "libraries_io.work.failed")]
    assert vars(stage.logs.records[-1])["exception.type"] == "ValueError"


@pytest.mark.parametrize(
    ("error", "error_type"),
    [(QuotaExceededError("no"), "quota_exceeded"), (TimeoutError(), "timeout"), (KeyboardInterrupt(), "other")],
)
def test_what_went_wrong_is_of_a_closed_set(stage: Stage, error: BaseException, error_type: str):
    with pytest.raises(type(error)), stage.observer.operation("startup"):
        raise error
    assert stage.points() == [(1, 0.0, {"libraries_io.operation": "startup", "error.type": error_type})]
    (span,) = stage.exporter.get_finished_spans()
    assert span.attributes["error.type"] == error_type


def generator() -> Iterator[int]:
    yield 1


async def async_generator() -> AsyncIterator[int]:
    yield 1


@pytest.mark.parametrize("function", [generator, async_generator])
def test_a_generator_is_refused_at_once(stage: Stage, function: Any):
    """Its call only makes the generator: a span of that would say that the work took no time."""
    with pytest.raises(TypeError, match=f"{function.__name__} is a generator function"):
        stage.observer.operation("startup")(function)


def test_one_that_takes_long_is_warned_of(stage: Stage):
    with stage.observer.operation("startup"):
        stage.now = 6.0
    slow = [(level, text) for level, text, event in stage.records() if event == "libraries_io.operation.slow"]
    assert slow == [("WARNING", "startup was slow: 6.000 s, threshold 5 s")]


async def test_a_cancelled_operation_says_so(stage: Stage):
    @stage.observer.operation("startup")
    async def endless() -> None:
        await asyncio.Event().wait()

    task = asyncio.create_task(endless())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    (span,) = stage.exporter.get_finished_spans()
    assert span.attributes["error.type"] == "cancelled"
