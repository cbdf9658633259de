"""The caller's part: nothing is lost of the moment, nothing blocks."""

import logging

import pytest
from opentelemetry.sdk.trace import TracerProvider
from tests.unit.telemetry.logs.records import record

from libraries_io_mcp.telemetry import request_context
from libraries_io_mcp.telemetry.logs.capture import Capture, message_of
from libraries_io_mcp.telemetry.logs.facts import Reader


def capture(limit: int = 10, **options: object) -> tuple[Capture, list[int]]:
    dropped: list[int] = []
    return Capture(on_drop=lambda: dropped.append(1), limit=limit, **options), dropped


def test_a_full_queue_drops_and_counts():
    handler, dropped = capture(2)
    for _ in range(5):
        handler.handle(record("hello %s", "you"))
    assert len(handler.entries) == 2
    assert len(dropped) == 3


def test_ids_and_arguments_are_those_of_the_callers_moment():
    """Arguments may change before the record is rendered, and the span has ended by then."""
    handler, _ = capture()
    argument = ["early"]
    provider = TracerProvider(shutdown_on_exit=False)
    with provider.get_tracer("test").start_as_current_span("span") as span, request_context.bind(request_id="r-1"):
        handler.handle(record("%s", argument))
    argument.append("late")
    facts = Reader().facts(handler.entries[0])
    context = span.get_span_context()
    assert facts.message == "['early']"
    assert facts.ids == {"trace_id": f"{context.trace_id:032x}", "span_id": f"{context.span_id:016x}"}
    assert facts.who == {"libraries_io.request.id": "r-1"}


def test_outside_of_a_span_and_a_request_there_are_no_ids():
    handler, _ = capture()
    handler.handle(record("hello"))
    facts = Reader().facts(handler.entries[0])
    assert (facts.ids, facts.who) == ({}, {})


def test_categories_that_are_switched_off_are_not_kept():
    handler, dropped = capture(hidden_events={"libraries_io.call.completed"})
    for event in ("libraries_io.call.completed", "libraries_io.operation.completed"):
        handler.handle(record("ended", **{"otel.event.name": event}))
    assert [vars(entry.record)["otel.event.name"] for entry in handler.entries] == ["libraries_io.operation.completed"]
    assert dropped == []


class Stubborn:
    """An argument that can't be shown."""

    def __str__(self) -> str:
        raise ValueError("no")


@pytest.mark.parametrize(("message", "arguments"), [("%d", ("text",)), ("%s %s", (1,)), ("%s", (Stubborn(),))])
def test_arguments_that_do_not_fit_are_said_and_raise_nothing(message: str, arguments: tuple[object, ...]):
    handler, _ = capture()
    handler.handle(logging.LogRecord("x", logging.INFO, "", 1, message, arguments, None))
    assert message_of(handler.entries[0].record) == f"{message} (with arguments that do not fit)"
