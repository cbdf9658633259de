"""The lines on stderr: their forms, the throttle, and that whoever logs never waits."""

import io
import json
import logging
import queue
import string
import threading
import warnings
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.sdk.trace import TracerProvider
from tests.support.polling import HANG_SECONDS, poll_until

from libraries_io_mcp.telemetry.logs import (
    QUEUE_SIZE,
    THROTTLE_SECONDS,
    JsonFormatter,
    LineQueue,
    Logging,
    TextFormatter,
    Throttle,
)
from libraries_io_mcp.telemetry.providers import finish_within
from libraries_io_mcp.telemetry.redaction import Redactor

SECRET = "hush-hush-hush"


def record(message: str = "hello %s", *args: object, name: str = "libraries_io_mcp.test", **extra: object):
    made = logging.makeLogRecord({"name": name, "msg": message, "args": args, "levelname": "INFO", "created": 0.5})
    vars(made).update(extra)
    return made


@pytest.fixture
def logging_as_found() -> Iterator[None]:
    """Logging of the process is taken over by what is tested; afterwards it is as before."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    names = ("fastmcp", "mcp", "uvicorn", "uvicorn.error", "httpx", "httpx2", "httpcore", "httpcore2", "sse_starlette")
    loggers = [logging.getLogger(name) for name in names]
    found = [
        (logger, logger.level, logger.propagate, list(logger.handlers), list(logger.filters)) for logger in loggers
    ]
    show = warnings.showwarning
    yield
    logging.captureWarnings(capture=False)
    warnings.showwarning = show
    root.handlers[:] = handlers
    root.setLevel(level)
    for logger, level_, propagate, handlers_, filters in found:
        logger.setLevel(level_)
        logger.propagate = propagate
        logger.handlers[:] = handlers_
        logger.filters[:] = filters


def test_a_json_line():
    line = JsonFormatter(Redactor()).format(record("hello %s", "you", **{"libraries_io.outcome": "completed"}))
    fields = json.loads(line)
    assert "\n" not in line
    assert fields["timestamp"] == "1970-01-01T00:00:00.500Z"
    assert (fields["level"], fields["logger"], fields["message"]) == ("INFO", "libraries_io_mcp.test", "hello you")
    assert fields["libraries_io.outcome"] == "completed"
    assert {"module", "function", "line"} <= set(fields)
    assert "exception" not in fields
    assert "trace_id" not in fields


def test_a_text_line():
    line = TextFormatter(Redactor()).format(record("hello %s", "you", outcome="completed"))
    assert line == "1970-01-01T00:00:00.500Z INFO     libraries_io_mcp.test: hello you outcome=completed"


@given(st.text(string.printable, max_size=60), st.text(max_size=60))
def test_any_message_stays_one_json_line(message: str, value: str):
    line = JsonFormatter(Redactor()).format(record("%s", message, value=value, thing=object()))
    assert "\n" not in line
    assert "\r" not in line
    fields = json.loads(line)
    assert (fields["message"], fields["value"]) == (message, value)


@given(st.text(string.ascii_letters + string.digits + "\"'\\{}[]:,&=-_.", min_size=8, max_size=40))
def test_a_secret_is_in_no_json_line(secret: str):
    """Whatever it is made of: quotes and backslashes are written differently in JSON."""

    class Thing:
        def __str__(self) -> str:
            return f"<{secret}>"

    made = record("key=%s.", secret, value=[secret, {"a": secret}], thing=Thing(), exc_text=f"at {secret}")
    fields = json.loads(JsonFormatter(Redactor([secret])).format(made))
    assert fields["message"] == "key=***."
    assert fields["value"] == ["***", {"a": "***"}]
    assert (fields["thing"], fields["exception"]) == ("<***>", "at ***")


def test_a_secret_is_in_no_text_line():
    made = record("key=%s", SECRET, value=[SECRET], exc_text=f"Traceback: {SECRET}")
    assert SECRET not in TextFormatter(Redactor([SECRET])).format(made)


def test_the_throttle_lets_one_of_each_message_pass_a_minute():
    now = 0.0
    throttle = Throttle(lambda: now)

    def passes(message: str = "export failed: %s", name: str = "opentelemetry.exporter") -> str | None:
        made = record(message, "refused", name=name)
        return made.getMessage() if throttle.filter(made) else None

    assert passes() == "export failed: refused"
    assert [passes() for _ in range(5)] == [None] * 5
    assert passes("another: %s") == "another: refused"
    assert passes(name="urllib3.connectionpool") == "export failed: refused"
    now = THROTTLE_SECONDS - 0.1
    assert passes() is None
    now = THROTTLE_SECONDS
    assert passes() == "export failed: refused (6 more like this held back)"
    now = 2 * THROTTLE_SECONDS
    assert passes() == "export failed: refused"


def test_the_throttle_leaves_our_own_records_alone():
    throttle = Throttle(lambda: 0.0)
    assert all(throttle.filter(record("call failed", name="libraries_io_mcp.librariesio")) for _ in range(10))
    assert all(throttle.filter(record("call failed", name="opentelemetry_like")) for _ in range(10))


def test_a_full_queue_drops_and_counts():
    dropped = []
    lines: queue.Queue[logging.LogRecord] = queue.Queue(2)
    handler = LineQueue(lines, lambda: dropped.append(1))
    for _ in range(5):
        handler.handle(record("hello %s", "you"))
    assert lines.qsize() == 2
    assert len(dropped) == 3


def test_a_queued_record_stands_on_its_own():
    """Arguments may change before the line is written, and the span has ended by then."""
    handler = LineQueue(queue.Queue(), lambda: None)
    argument = ["early"]
    provider = TracerProvider(shutdown_on_exit=False)
    with provider.get_tracer("test").start_as_current_span("span") as span:
        made = record("%s", argument)
        prepared = handler.prepare(made)
    argument.append("late")
    context = span.get_span_context()
    assert prepared.getMessage() == "['early']"
    assert prepared.trace_id == format(context.trace_id, "032x")
    assert prepared.span_id == format(context.span_id, "016x")
    assert "trace_id" not in vars(made)


def test_an_exception_is_text_in_one_field():
    handler = LineQueue(queue.Queue(), lambda: None)
    made = record("it failed", exc_info=(ValueError, ValueError(SECRET), None))
    line = JsonFormatter(Redactor([SECRET])).format(handler.prepare(made))
    assert json.loads(line)["exception"].endswith("ValueError: ***")
    assert made.exc_info is not None


@pytest.mark.usefixtures("logging_as_found")
def test_lines_come_out_in_order():
    stream = io.StringIO()
    taken = Logging(level="DEBUG", line_format="json", redactor=Redactor(), stream=stream)
    for number in range(100):
        logging.getLogger("libraries_io_mcp.test").debug("line %d", number)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("a warning of Python", stacklevel=1)
    taken.stop()
    messages = [json.loads(line)["message"] for line in stream.getvalue().splitlines()]
    assert messages[:100] == [f"line {number}" for number in range(100)]
    assert "a warning of Python" in messages[100]


@pytest.mark.usefixtures("logging_as_found")
@pytest.mark.parametrize("name", ["httpx", "httpcore.http11", "mcp.server", "uvicorn.access", "httpx2"])
def test_what_libraries_say_below_warning_is_not_logged(name: str):
    stream = io.StringIO()
    taken = Logging(level="DEBUG", line_format="json", redactor=Redactor(), stream=stream)
    logging.getLogger(name).info("GET http://host/?api_key=x")
    logging.getLogger(name).warning("news")
    taken.stop()
    assert [json.loads(line)["message"] for line in stream.getvalue().splitlines()] == ["news"]


@pytest.mark.usefixtures("logging_as_found")
def test_records_of_exporters_do_not_go_to_otlp():
    """They would be exported, fail, and make further records for ever."""
    kept: list[str] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            kept.append(record.name)

    taken = Logging(level="INFO", line_format="json", redactor=Redactor(), otlp=Keep(), stream=io.StringIO())
    for name in ("opentelemetry.exporter", "urllib3.connectionpool", "requests", "grpc", "libraries_io_mcp.app"):
        logging.getLogger(name).warning("news")
    taken.stop()
    assert kept == ["libraries_io_mcp.app"]


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


@pytest.fixture
def stuck() -> Iterator[Stuck]:
    """A stderr that is released when the test is over, so that no thread stays."""
    stream = Stuck()
    yield stream
    stream.released.set()


@pytest.mark.usefixtures("logging_as_found")
def test_whoever_logs_never_waits_for_stderr(stuck: Stuck):
    dropped: list[int] = []
    taken = Logging(
        level="INFO", line_format="json", redactor=Redactor(), on_drop=lambda: dropped.append(1), stream=stuck
    )
    logger = logging.getLogger("libraries_io_mcp.test")
    logger.info("the line that is stuck")
    assert stuck.reached.wait(HANG_SECONDS)
    # This thread would hang here if it waited: nobody releases the stream.
    for _ in range(QUEUE_SIZE + 5):
        logger.info("more")
    assert len(dropped) == 5
    assert finish_within(0.05, [("log lines", taken.stop)]) == ("log lines",)
    stuck.released.set()
    poll_until(lambda: stuck.getvalue().count("\n") == QUEUE_SIZE + 1, "all queued lines")
