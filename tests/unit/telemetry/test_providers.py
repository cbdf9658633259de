"""The providers: quiet by default, and ended under one deadline."""

import logging
import threading
from collections.abc import Iterator

import pytest
from opentelemetry.instrumentation.logging.handler import LoggingHandler
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.trace.export import SpanExportResult
from tests.support.polling import HANG_SECONDS

from libraries_io_mcp.telemetry.providers import (
    LateLogExporter,
    LateMetricExporter,
    LateSpanExporter,
    RedactLogs,
    finish_within,
)
from libraries_io_mcp.telemetry.redaction import Redactor


@pytest.fixture
def hanging() -> Iterator[threading.Event]:
    """An event that is set when the test is over, so that no thread stays."""
    event = threading.Event()
    yield event
    event.set()


def test_all_end_at_the_same_time():
    """Each waits for the other one: one after the other they would hang."""
    first, second = threading.Event(), threading.Event()

    def one() -> None:
        first.set()
        second.wait(HANG_SECONDS)

    def other() -> None:
        second.set()
        first.wait(HANG_SECONDS)

    assert finish_within(HANG_SECONDS, [("one", one), ("other", other)]) == ()


def test_what_hangs_is_named(hanging: threading.Event):
    ends = [("spans", hanging.wait), ("metrics", lambda: None), ("log records", hanging.wait)]
    assert finish_within(0.01, ends) == ("spans", "log records")


def test_what_hangs_does_not_hold_the_process(hanging: threading.Event):
    finish_within(0.01, [("hanging-end", hanging.wait)])
    (thread,) = [thread for thread in threading.enumerate() if thread.name == "hanging-end"]
    assert thread.daemon


def test_nothing_to_end():
    assert finish_within(0.0, []) == ()


class Exporter:
    """Stands for any exporter; keeps what it is asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def export(self, *_arguments: object, **_options: object) -> SpanExportResult:
        self.asked.append("export")
        return SpanExportResult.SUCCESS

    def shutdown(self, *_arguments: object, **_options: object) -> None:
        self.asked.append("shutdown")

    def force_flush(self, *_arguments: object, **_options: object) -> bool:
        self.asked.append("flush")
        return True


@pytest.mark.parametrize("kind", [LateSpanExporter, LateLogExporter, LateMetricExporter])
def test_an_exporter_is_made_at_the_first_batch(kind: type):
    made: list[Exporter] = []

    def make() -> Exporter:
        made.append(Exporter())
        return made[-1]

    late = kind(make)
    late.force_flush()
    assert made == []
    assert late.export([]) is SpanExportResult.SUCCESS
    late.export([])
    late.shutdown()
    (exporter,) = made
    assert exporter.asked == ["export", "export", "shutdown"]


@pytest.mark.parametrize("kind", [LateSpanExporter, LateLogExporter, LateMetricExporter])
def test_an_exporter_that_was_never_needed_is_never_made(kind: type):
    def make() -> None:
        raise AssertionError("made")

    kind(make).shutdown()


def test_log_records_are_scrubbed_before_they_are_queued():
    exporter = InMemoryLogRecordExporter()
    provider = LoggerProvider(shutdown_on_exit=False)
    provider.add_log_record_processor(RedactLogs(Redactor(["hush-hush-hush"])))
    provider.add_log_record_processor(SimpleLogRecordProcessor(exporter))
    logged = logging.makeLogRecord({"name": "x", "msg": "key %s", "args": ("hush-hush-hush",), "levelno": 20})
    logged.value = ["hush-hush-hush"]
    logged.exc_info = (ValueError, ValueError("hush-hush-hush"), None)
    LoggingHandler(logging.NOTSET, logger_provider=provider).handle(logged)
    provider.shutdown()
    (done,) = exporter.get_finished_logs()
    shown = f"{done.log_record.body} {dict(done.log_record.attributes)}"
    assert "key ***" in shown
    assert "'exception.message': '***'" in shown
    assert "hush-hush-hush" not in shown
