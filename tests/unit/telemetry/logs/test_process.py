"""The logging of the process: taken over, told by several destinations, none of which waits for another."""

import io
import json
import logging
import threading
import warnings
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from opentelemetry.metrics import NoOpMeter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.trace import NoOpTracer
from tests.support.polling import HANG_SECONDS

from libraries_io_mcp.settings import LogSettings
from libraries_io_mcp.telemetry.instruments import Instruments
from libraries_io_mcp.telemetry.logs.building import build_logging
from libraries_io_mcp.telemetry.logs.capture import QUEUE_SIZE
from libraries_io_mcp.telemetry.logs.destinations import Destination, console
from libraries_io_mcp.telemetry.logs.facts import Reader
from libraries_io_mcp.telemetry.logs.lines import json_line
from libraries_io_mcp.telemetry.logs.process import Logging
from libraries_io_mcp.telemetry.observe import Observer
from libraries_io_mcp.telemetry.redaction import Redactor
from libraries_io_mcp.telemetry.shutdown import finish_within

NAMES = ("fastmcp", "mcp", "uvicorn", "uvicorn.error", "httpx", "httpx2", "httpcore", "httpcore2", "sse_starlette")
FLAGS = ("logThreads", "logProcesses", "logMultiprocessing")


@pytest.fixture(autouse=True)
def logging_as_found() -> Iterator[None]:
    """Logging of the process is taken over by what is tested; afterwards it is as before."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    loggers = [logging.getLogger(name) for name in NAMES]
    found = [(each, each.level, each.propagate, list(each.handlers), list(each.filters)) for each in loggers]
    flags = {name: getattr(logging, name) for name in FLAGS}
    show = warnings.showwarning
    yield
    logging.captureWarnings(capture=False)
    warnings.showwarning = show
    for name, value in flags.items():
        setattr(logging, name, value)
    root.handlers[:] = handlers
    root.setLevel(level)
    for logger, level_, propagate, handlers_, filters in found:
        logger.setLevel(level_)
        logger.propagate = propagate
        logger.handlers[:] = handlers_
        logger.filters[:] = filters


class Stage:
    """Logging with destinations of ours."""

    def __init__(self, *streams: io.StringIO, provider: LoggerProvider | None = None, level: str = "DEBUG") -> None:
        self.drops: list[str] = []
        self.logging = Logging(
            level=level,
            line=json_line(Redactor()),
            reader=Reader(),
            destinations=[self.destination(str(number), stream) for number, stream in enumerate(streams)],
            provider=provider,
            on_drop=lambda: self.drops.append("queue"),
        )

    def destination(self, name: str, stream: io.StringIO) -> Destination:
        return Destination(name, console(stream), on_drop=lambda: self.drops.append(name))

    def stop(self) -> tuple[str, ...]:
        self.logging.stop_catching()
        return finish_within(HANG_SECONDS, self.logging.ends)


def messages(stream: io.StringIO) -> list[str]:
    return [json.loads(line)["message"] for line in stream.getvalue().splitlines()]


def test_lines_come_out_in_order_everywhere():
    streams = io.StringIO(), io.StringIO()
    stage = Stage(*streams)
    for number in range(100):
        logging.getLogger("libraries_io_mcp.test").debug("line %d", number)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("a warning of Python", stacklevel=1)
    assert stage.stop() == ()
    for stream in streams:
        assert messages(stream)[:100] == [f"line {number}" for number in range(100)]
        assert "a warning of Python" in messages(stream)[100]


@pytest.mark.parametrize("name", ["httpx", "httpcore.http11", "mcp.server", "uvicorn", "httpx2"])
def test_what_libraries_say_below_warning_is_not_logged(name: str):
    stream = io.StringIO()
    stage = Stage(stream)
    logging.getLogger(name).info("GET http://host/?api_key=x")
    logging.getLogger(name).warning("news")
    stage.stop()
    assert messages(stream) == ["news"]


def test_records_of_exporters_do_not_go_to_otlp():
    """They would be exported, fail, and make further records for ever."""
    exporter = InMemoryLogRecordExporter()
    provider = LoggerProvider(shutdown_on_exit=False)
    provider.add_log_record_processor(SimpleLogRecordProcessor(exporter))
    stream = io.StringIO()
    stage = Stage(stream, provider=provider)
    for name in ("opentelemetry.exporter", "urllib3.connectionpool", "requests", "grpc", "libraries_io_mcp.app"):
        logging.getLogger(name).warning("news", extra={"otel.event.name": "an.event", "thing": object, "number": 1})
    stage.logging.end_otlp()
    logging.getLogger("libraries_io_mcp.app").warning("too late for OTLP")
    stage.stop()
    (done,) = exporter.get_finished_logs()
    assert done.instrumentation_scope.name == "libraries_io_mcp.app"
    assert (done.log_record.body, done.log_record.event_name, done.log_record.severity_text) == (
        "news",
        "an.event",
        "WARN",
    )
    assert dict(done.log_record.attributes) == {"thing": "<class 'object'>", "number": 1}
    assert len(messages(stream)) == 6
    provider.shutdown()


class Broken:
    """An object that can't be written."""

    def __str__(self) -> str:
        raise ValueError("no")


def test_a_record_that_can_not_be_rendered_stops_nobody():
    stream = io.StringIO()
    stage = Stage(stream)
    logging.getLogger("libraries_io_mcp.test").info("first", extra={"thing": Broken()})
    logging.getLogger("libraries_io_mcp.test").info("second")
    stage.stop()
    assert messages(stream)[0] == "second" or "could not be rendered" in messages(stream)[0]
    assert "second" in messages(stream)


class Stuck(io.StringIO):
    """A stderr that nobody reads: writing waits until `released`."""

    def __init__(self) -> None:
        super().__init__()
        self.released = threading.Event()
        self.reached = threading.Event()

    def write(self, text: str) -> int:
        self.reached.set()
        self.released.wait()
        return super().write(text)


def test_a_stuck_destination_holds_up_neither_the_caller_nor_another_destination():
    stuck, free = Stuck(), io.StringIO()
    stage = Stage(stuck, free, level="INFO")
    logger = logging.getLogger("libraries_io_mcp.test")
    logger.info("the line that is stuck")
    assert stuck.reached.wait(HANG_SECONDS)
    # This thread would hang here if it waited: nobody releases the stream.
    for _ in range(2):
        for _ in range(QUEUE_SIZE - 10):
            logger.info("more")
        stage.logging._relay.drain()
    stage.logging.stop_catching()
    first, second = stage.logging.ends
    assert finish_within(0.05, [first]) == (first[0],)
    assert finish_within(HANG_SECONDS, [second]) == ()
    assert stage.drops.count("0") >= QUEUE_SIZE - 30
    assert len(messages(free)) + stage.drops.count("1") == 2 * (QUEUE_SIZE - 10) + 1
    stuck.released.set()


def test_failures_of_our_own_work_are_seen_also_without_records_of_performance(tmp_path: Path):
    path, instruments = tmp_path / "log.jsonl", Instruments(NoOpMeter("t"))
    settings = LogSettings(level="DEBUG", file=path, enable_console=False, enable_performance=False)
    logging_ = build_logging(settings, Redactor(), provider=None, instruments=instruments)
    for error in (None, ValueError("text of a user")):
        with suppress(ValueError), Observer(NoOpTracer(), instruments).operation("startup"):
            if error is not None:
                raise error
    logging_.stop_catching()
    assert finish_within(HANG_SECONDS, logging_.ends) == ()
    (line,) = map(json.loads, path.read_text(encoding="utf-8").splitlines())
    assert (line["event"], line["error.type"], line["exception.type"]) == (
        "libraries_io.work.failed",
        "other",
        "ValueError",
    )
