"""The SERVER span of each way a request can end, on a server in this process with a clock that is told to move."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

import anyio
import fastmcp
import pytest
from fastmcp import Client, FastMCP
from fastmcp.exceptions import ResourceError, ToolError
from fastmcp.tools.base import ToolResult
from mcp import MCPError
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import NonRecordingSpan, SpanContext, StatusCode, TraceFlags, get_current_span, use_span
from tests.support.polling import HANG_SECONDS

from libraries_io_mcp.errors import KeyRejectedError
from libraries_io_mcp.telemetry.instruments import Instruments
from libraries_io_mcp.telemetry.middleware import ObserveRequests

pytestmark = pytest.mark.anyio
INPUT = "text-of-the-user"


@dataclass
class Stage:
    """A server under observation, its client, and what was observed."""

    client: Client
    observer: ObserveRequests
    exporter: InMemorySpanExporter
    reader: InMemoryMetricReader
    entered: anyio.Event

    def span(self, name: str) -> ReadableSpan:
        (found,) = [span for span in self.exporter.get_finished_spans() if span.name == name]
        return found

    def points(self) -> list[Any]:
        data = self.reader.get_metrics_data()
        metrics = [
            metric for group in data.resource_metrics for scope in group.scope_metrics for metric in scope.metrics
        ]
        durations = (metric for metric in metrics if metric.name == "mcp.server.operation.duration")
        return [point for metric in durations for point in metric.data.data_points]


@pytest.fixture(autouse=True)
def own_spans_only() -> Iterator[None]:
    """FastMCP makes no spans, as in the product."""
    mode = fastmcp.settings.telemetry_mode
    fastmcp.settings.telemetry_mode = "propagation_only"
    yield
    fastmcp.settings.telemetry_mode = mode


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    exporter, reader, entered = InMemorySpanExporter(), InMemoryMetricReader(), anyio.Event()
    tracers = TracerProvider(shutdown_on_exit=False)
    tracers.add_span_processor(SimpleSpanProcessor(exporter))
    meters = MeterProvider([reader], shutdown_on_exit=False)
    moments = iter(range(0, 1000, 3))
    observer = ObserveRequests(
        tracers.get_tracer("test"),
        Instruments(meters.get_meter("test")),
        transport="pipe",
        monotonic=lambda: next(moments),
    )
    server = FastMCP("stage", middleware=[observer], mask_error_details=True)
    add_components(server, entered)
    async with Client(server, mode="legacy") as client:
        await client.list_tools()
        exporter.clear()
        yield Stage(client, observer, exporter, reader, entered)
    meters.shutdown()


def add_components(server: FastMCP, entered: anyio.Event) -> None:
    """One tool, resource or prompt for each way to end."""

    @server.tool
    def works(text: str) -> str:
        get_current_span().set_attribute("seen.inside", True)
        return text

    @server.tool
    def crashes(text: str) -> str:
        raise RuntimeError(text)

    @server.tool
    def refuses(text: str) -> str:
        raise ToolError(text) from KeyRejectedError("no")

    @server.tool
    def answers_error(text: str) -> ToolResult:
        return ToolResult(content=text, structured_content={"error_type": "not_found"}, is_error=True)

    @server.tool
    def answers_bare_error(text: str) -> ToolResult:
        return ToolResult(content=text, is_error=True)

    @server.tool
    async def hangs(text: str) -> str:
        entered.set()
        await anyio.sleep_forever()
        return text

    @server.prompt
    def greet(text: str) -> str:
        return text

    @server.resource("stage://item/{text}")
    def item(text: str) -> str:
        return text

    @server.resource("stage://broken/{text}")
    def broken(text: str) -> str:
        raise ResourceError(text)


async def call(stage: Stage, tool: str, **arguments: Any) -> None:
    await stage.client.call_tool(tool, arguments, raise_on_error=False)


def assert_no_input(span: ReadableSpan) -> None:
    events = [(event.name, dict(event.attributes)) for event in span.events]
    shown = f"{span.name} {dict(span.attributes)} {span.status.description} {events}"
    assert INPUT not in shown


async def test_a_tool_that_works(stage: Stage):
    await call(stage, "works", text=INPUT)
    span = stage.span("tools/call works")
    assert span.status.status_code is StatusCode.UNSET
    assert span.events == ()
    assert span.attributes["seen.inside"] is True
    assert_no_input(span)
    (point,) = [point for point in stage.points() if point.attributes.get("gen_ai.tool.name") == "works"]
    assert (point.count, point.sum) == (1, 3)
    assert INPUT not in str(point.attributes)


@pytest.mark.parametrize(
    ("tool", "call_error_type", "exception"),
    [
        ("crashes", "internal", "ToolError"),
        ("refuses", "api_key_rejected", "ToolError"),
        ("answers_error", "not_found", None),
        ("answers_bare_error", "internal", None),
    ],
)
async def test_a_tool_that_fails(stage: Stage, tool: str, call_error_type: str, exception: str | None):
    await call(stage, tool, text=INPUT)
    span = stage.span(f"tools/call {tool}")
    assert span.status.status_code is StatusCode.ERROR
    assert span.status.description == call_error_type
    assert span.attributes["error.type"] == "tool_error"
    assert span.attributes["libraries_io.error.type"] == call_error_type
    assert [dict(event.attributes) for event in span.events] == ([{"exception.type": exception}] if exception else [])
    assert_no_input(span)
    (point,) = [point for point in stage.points() if point.attributes.get("gen_ai.tool.name") == tool]
    assert point.attributes["error.type"] == "tool_error"


async def test_wrong_arguments_are_a_tool_error(stage: Stage):
    await call(stage, "works", text=[INPUT])
    span = stage.span("tools/call works")
    assert span.attributes["libraries_io.error.type"] == "invalid_request"
    assert_no_input(span)


async def test_a_call_that_is_cancelled(stage: Stage):
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(lambda: call(stage, "hangs", text=INPUT))
        await stage.entered.wait()
        tasks.cancel_scope.cancel()
    with anyio.fail_after(HANG_SECONDS):
        await stage.observer.idle()
    span = stage.span("tools/call hangs")
    assert span.status.status_code is StatusCode.ERROR
    assert span.attributes["error.type"] == "cancelled"


async def test_idle_waits_for_what_is_in_flight(stage: Stage):
    with anyio.fail_after(HANG_SECONDS):
        await stage.observer.idle()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(lambda: call(stage, "hangs", text=INPUT))
        await stage.entered.wait()
        with anyio.move_on_after(0.01) as waiting:
            await stage.observer.idle()
        assert waiting.cancelled_caught
        tasks.cancel_scope.cancel()


async def test_a_prompt(stage: Stage):
    await stage.client.get_prompt("greet", {"text": INPUT})
    span = stage.span("prompts/get greet")
    assert span.attributes["gen_ai.prompt.name"] == "greet"
    assert "gen_ai.operation.name" not in span.attributes
    assert_no_input(span)


async def test_an_unknown_prompt(stage: Stage):
    with pytest.raises(MCPError):
        await stage.client.get_prompt(INPUT, {})
    span = stage.span("prompts/get _OTHER")
    assert span.status.status_code is StatusCode.UNSET
    assert_no_input(span)


async def test_a_resource(stage: Stage):
    await stage.client.read_resource("stage://item/one")
    span = stage.span("resources/read")
    assert span.attributes["mcp.resource.uri"] == "stage://item/one"
    assert not [point for point in stage.points() if "mcp.resource.uri" in point.attributes]


async def test_a_long_address_of_a_resource_is_cut(stage: Stage):
    """Thousands of spans may wait for a Collector that is away."""
    await stage.client.read_resource(f"stage://item/{'x' * 1_000_000}")
    uri = stage.span("resources/read").attributes["mcp.resource.uri"]
    assert uri == f"stage://item/{'x' * 1_987}... (1000013 characters, cut)"


async def test_a_resource_that_fails(stage: Stage):
    with pytest.raises(MCPError):
        await stage.client.read_resource("stage://broken/one")
    span = stage.span("resources/read")
    assert span.status.status_code is StatusCode.ERROR
    assert span.attributes["rpc.response.status_code"] == "-32603"
    assert span.attributes["error.type"] not in ("", "tool_error")


async def test_a_resource_that_does_not_exist(stage: Stage):
    with pytest.raises(MCPError):
        await stage.client.read_resource("stage://nothing")
    span = stage.span("resources/read")
    assert span.status.status_code is StatusCode.UNSET
    assert "error.type" not in span.attributes


async def test_metric_attributes_come_from_closed_sets(stage: Stage):
    for number in range(30):
        await call(stage, f"invented_{number}")
    points = [point for point in stage.points() if point.attributes["mcp.method.name"] == "tools/call"]
    assert [point.attributes["gen_ai.tool.name"] for point in points] == ["_OTHER"]
    assert points[0].count == 30


async def test_a_callers_context_in_meta(stage: Stage):
    """FastMCP's client puts the context of the moment into `_meta`, under a span of its own if it can make one."""
    trace_id = "0af7651916cd43dd8448eb211c80319c"
    parent = SpanContext(int(trace_id, 16), int("b7ad6b7169203331", 16), is_remote=True, trace_flags=TraceFlags(1))
    with use_span(NonRecordingSpan(parent)):
        await call(stage, "works", text="x")
    span = stage.span("tools/call works")
    assert format(span.context.trace_id, "032x") == trace_id
    assert span.parent is not None


@pytest.mark.parametrize("value", ["", "nonsense", "00-0-0-01", 7, None])
async def test_a_callers_context_that_makes_no_sense(stage: Stage, value: object):
    await stage.client.call_tool("works", {"text": "x"}, meta={"traceparent": value})
    assert stage.span("tools/call works").status.status_code is StatusCode.UNSET
