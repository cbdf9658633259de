"""One way out: made late, counted, failing alone."""

import logging
import threading
from typing import Any

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader, MetricExportResult
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SpanExportResult
from tests.support.polling import HANG_SECONDS

from libraries_io_mcp.telemetry.deliveries import Counts
from libraries_io_mcp.telemetry.redaction import Redactor
from libraries_io_mcp.telemetry.ways import LONGEST_REASON, LogWay, MetricWay, SpanQueue, SpanWay


class Exporter:
    """Stands for any exporter; keeps what it is asked."""

    def __init__(self, result: Any = SpanExportResult.SUCCESS) -> None:
        self.asked: list[str] = []
        self.result = result
        self.released = threading.Event()
        self.reached = threading.Event()
        self.released.set()

    def export(self, *_arguments: object, **_options: object) -> Any:
        self.asked.append("export")
        self.reached.set()
        self.released.wait()
        return self.result

    def shutdown(self, *_arguments: object, **_options: object) -> None:
        self.asked.append("shutdown")

    def force_flush(self, *_arguments: object, **_options: object) -> bool:
        self.asked.append("flush")
        return True


def counts(**options: Any) -> Counts:
    return Counts("traces", "otlp", now=lambda: 7.0, **options)


@pytest.mark.parametrize("kind", [SpanWay, LogWay])
def test_an_exporter_is_made_at_the_first_batch(kind: type):
    made: list[Exporter] = []

    def make() -> Exporter:
        made.append(Exporter())
        return made[-1]

    way = kind(make, Redactor(), counts())
    assert way.force_flush()
    assert made == []
    way.export([])
    way.export([])
    way.shutdown()
    (exporter,) = made
    assert exporter.asked == ["export", "export", "shutdown"]


@pytest.mark.parametrize("kind", [SpanWay, LogWay])
def test_an_exporter_that_was_never_needed_is_never_made(kind: type):
    def make() -> None:
        raise AssertionError("made")

    kind(make, Redactor(), counts()).shutdown()


def test_one_that_can_not_be_made_is_said_counted_and_tried_again(caplog: pytest.LogCaptureFixture):
    tries: list[int] = []
    lost: list[tuple[str, int]] = []

    def make() -> Exporter:
        tries.append(1)
        if len(tries) == 1:
            raise PermissionError(13, "Permission denied")
        return Exporter()

    kept = counts(on_loss=lambda signal, count: lost.append((signal, count)))
    way = SpanWay(make, Redactor(), kept)
    provider = TracerProvider(shutdown_on_exit=False)
    span = provider.get_tracer("t").start_span("s")
    span.end()
    assert way.export([span]) is SpanExportResult.FAILURE
    assert way.export([span]) is SpanExportResult.SUCCESS
    assert [each.getMessage() for each in caplog.records] == ["traces can't be written by otlp: Permission denied"]
    found = kept.snapshot()
    assert (found.delivered, found.failed, found.last_error, found.last_success) == (
        1,
        1,
        "PermissionError: Permission denied",
        7.0,
    )
    assert lost == [("traces", 1)]


def test_a_refused_batch_is_counted_as_failed():
    kept = counts()
    span = TracerProvider(shutdown_on_exit=False).get_tracer("t").start_span("s")
    SpanWay(lambda: Exporter(SpanExportResult.FAILURE), Redactor(), kept).export([span, span])
    assert (kept.snapshot().failed, kept.snapshot().last_error) == (2, "it was not taken")


class Complaining(Exporter):
    """Says why in its log, as OpenTelemetry's do, each time it tries again."""

    def export(self, *arguments: object, **options: object) -> Any:
        for error in (ConnectionRefusedError(111, "Connection refused"), TimeoutError()):
            logging.getLogger("opentelemetry.exporter").warning("Transient error %s encountered, retrying", error)
        return super().export(*arguments, **options)


def test_what_the_exporter_says_is_kept():
    kept = counts()
    way = SpanWay(lambda: Complaining(SpanExportResult.FAILURE), Redactor(), kept)
    way.export([TracerProvider(shutdown_on_exit=False).get_tracer("t").start_span("s")])
    assert kept.snapshot().last_error == "connection refused: nobody listens there"


def test_what_the_exporter_says_is_redacted_and_short(caplog: pytest.LogCaptureFixture):
    def make() -> Exporter:
        raise ValueError(f"secret-of-ours {'x' * 1000}")

    kept = counts()
    SpanWay(make, Redactor(["secret-of-ours"]), kept).export([])
    assert kept.snapshot().last_error.startswith("ValueError: *** xxx")
    assert len(kept.snapshot().last_error) == LONGEST_REASON


def test_points_that_come_again_are_not_lost():
    """Three collections, of which the first two are refused: the third one says it all."""
    lost: list[tuple[str, int]] = []
    kept = Counts("metrics", "otlp", on_loss=lambda signal, count: lost.append((signal, count)))
    exporter, reader = Exporter(MetricExportResult.FAILURE), InMemoryMetricReader()
    meters = MeterProvider([reader], shutdown_on_exit=False)
    meters.get_meter("t").create_counter("c").add(1)
    way = MetricWay(lambda: exporter, Redactor(), kept)
    way.export(reader.get_metrics_data())
    way.export(reader.get_metrics_data())
    found = kept.snapshot()
    assert (found.offered, found.failed, found.superseded, found.waiting, found.refusals) == (2, 0, 1, 1, 2)
    exporter.result = MetricExportResult.SUCCESS
    way.export(reader.get_metrics_data())
    found = kept.snapshot()
    assert (found.offered, found.delivered, found.superseded, found.waiting) == (3, 1, 2, 0)
    assert lost == []


def test_what_a_full_queue_drops_is_counted_and_the_rest_is_delivered(monkeypatch: pytest.MonkeyPatch):
    """There is room for three spans, one of which the exporter holds; the others find none."""
    monkeypatch.setenv("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "1")
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "10")
    exporter, kept = Exporter(), counts()
    exporter.released.clear()
    provider = TracerProvider(shutdown_on_exit=False)
    queue = SpanQueue(SpanWay(lambda: exporter, Redactor(), kept), kept, 3)
    provider.add_span_processor(queue)
    tracer = provider.get_tracer("t")
    tracer.start_span("held").end()
    assert exporter.reached.wait(HANG_SECONDS)
    for _ in range(5):
        tracer.start_span("more").end()
    found = kept.snapshot()
    assert (found.offered, found.dropped, found.waiting) == (6, 3, 3)
    exporter.released.set()
    provider.shutdown()
    found = kept.snapshot()
    assert (found.delivered, found.dropped, found.waiting) == (3, 3, 0)
