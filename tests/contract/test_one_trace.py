"""One call, one trace: the caller's span, the server's, and that of the HTTP request, with their log and metric."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import anyio
import pytest
from fastmcp import Client
from fastmcp.client.transports import StdioTransport
from fastmcp.exceptions import ToolError
from mcp import MCPError
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from tests.support.command import HTTP, Running, environment, launcher
from tests.support.stand_in import CANARY, within_a_minute

from libraries_io_mcp.demo.otlp_model import LogRecord, MetricPoint, Span
from libraries_io_mcp.demo.otlp_receiver import OtlpReceiver

pytestmark = pytest.mark.anyio
DURATION = "mcp.server.operation.duration"
REVISIONS = {"legacy": "2025-11-25", "2026-07-28": "2026-07-28"}


@dataclass(frozen=True)
class Caller:
    """An MCP client's own telemetry."""

    provider: TracerProvider
    exporter: InMemorySpanExporter

    def finished(self, name: str) -> ReadableSpan:
        return next(span for span in self.exporter.get_finished_spans() if span.name == name)


@dataclass(frozen=True)
class Connection:
    """A client that is connected to a server over a transport in a protocol revision."""

    client: Client
    caller: Caller
    receiver: OtlpReceiver
    transport: str
    revision: str

    def trace_of(self, root: str) -> str:
        return format(self.caller.finished(root).context.trace_id, "032x")

    async def server_span(self, root: str) -> Span:
        """The SERVER span of the trace that the caller's span `root` began; fails if there is a second one."""
        trace_id = self.trace_of(root)
        await self.receiver.arrival(lambda r: kinds(r, trace_id, "SERVER"), f"the SERVER span under {root}")
        (span,) = kinds(self.receiver, trace_id, "SERVER")
        return span

    async def point_of(self, span: Span) -> MetricPoint:
        """The duration point that shows `span` as its exemplar."""

        def shown(receiver: OtlpReceiver) -> MetricPoint | None:
            named = (point for point in receiver.points if point.name == DURATION)
            ids = (span.trace_id, span.span_id)
            found = (point for point in named if ids in {(e.trace_id, e.span_id) for e in point.exemplars})
            return next(found, None)

        return await self.receiver.arrival(shown, f"a duration point with {span.name} as exemplar")


def kinds(receiver: OtlpReceiver, trace_id: str, kind: str) -> list[Span]:
    return [span for span in receiver.spans if span.trace_id == trace_id and span.kind == kind]


@pytest.fixture(scope="module")
def caller() -> Caller:
    """FastMCP's client makes its spans with the global provider, so an agent's program sets one; this module does."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    assert trace.get_tracer_provider() is provider
    return Caller(provider, exporter)


@pytest.fixture(scope="module")
def variables(sandbox_url: str, receiver: OtlpReceiver) -> dict[str, str]:
    return {
        "LIBRARIES_IO_BASE_URL": sandbox_url,
        "LIBRARIES_IO_API_KEY": CANARY,
        "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint,
        "OTEL_BSP_SCHEDULE_DELAY": "100",
        "OTEL_BLRP_SCHEDULE_DELAY": "100",
        "OTEL_METRIC_EXPORT_INTERVAL": "300",
        # Both revisions ask the same server over HTTP, and each wants to see the request.
        "CACHE_TTL_SECONDS": "0",
    }


@pytest.fixture(scope="module")
def http_url(variables: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with Running(*HTTP, folder=tmp_path_factory.mktemp("http"), **variables) as server:
        yield server.url


@pytest.fixture(scope="module", params=["stdio legacy", "stdio 2026-07-28", "http legacy", "http 2026-07-28"])
async def connection(
    request: pytest.FixtureRequest,
    caller: Caller,
    receiver: OtlpReceiver,
    variables: dict[str, str],
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Connection]:
    """The real client and the installed command, over each transport and in each protocol revision."""
    transport, mode = request.param.split()
    target: StdioTransport | str
    if transport == "stdio":
        folder: Path = tmp_path_factory.mktemp("stdio")
        target = StdioTransport(
            *launcher(),
            env=environment(folder, **variables),
            cwd=str(folder),
            keep_alive=False,
            log_file=folder / "stderr",
        )
    else:
        target = request.getfixturevalue("http_url")
    async with Client(target, mode=mode) as client:
        # Before its first call the client asks for the output schemas by itself; that is a request of its own.
        await client.list_tools()
        yield Connection(client, caller, receiver, transport, REVISIONS[mode])


async def test_one_trace_from_caller_to_upstream(connection: Connection, sandbox_url: str):
    # Otherwise a wait for the next quota window would be in the trace too.
    await anyio.to_thread.run_sync(within_a_minute)
    root = f"agent asks {connection.transport} {connection.revision}"
    with connection.caller.provider.get_tracer("agent").start_as_current_span(root):
        answer = await connection.client.call_tool("get_package_info", {"platform": "pypi", "name": "requests"})
    assert answer.structured_content["name"] == "requests"

    server = await connection.server_span(root)
    trace_id = server.trace_id
    await connection.receiver.arrival(lambda r: kinds(r, trace_id, "CLIENT"), "the CLIENT span")
    (get,) = kinds(connection.receiver, trace_id, "CLIENT")
    point = await connection.point_of(server)
    log = await connection.receiver.arrival(lambda r: logs_of(r, server), "the record of the SERVER span's end")

    assert_under_the_caller(server, connection.caller, root)
    assert server.name == "tools/call get_package_info"
    assert get.name == "GET"
    assert get.parent_id == server.span_id
    assert server.start_ns <= get.start_ns <= get.end_ns <= server.end_ns
    everything = [span.name for span in connection.receiver.spans if span.trace_id == trace_id]
    assert sorted(everything) == [get.name, server.name]
    assert server.origin.service == get.origin.service == "libraries-io-mcp"
    assert server.origin.scope == "libraries_io_mcp"
    assert_server_attributes(server, connection)
    assert_http_attributes(get, sandbox_url)
    assert_point(point, connection)
    assert {record.event_name for record in log} >= {"libraries_io.operation.completed"}
    assert all(record.origin.service == "libraries-io-mcp" for record in log)


def assert_under_the_caller(server: Span, caller: Caller, root: str) -> None:
    """The parent is the caller's span itself, or FastMCP's CLIENT span under it."""
    spans = {format(span.context.span_id, "016x"): span for span in caller.exporter.get_finished_spans()}
    above = spans[server.parent_id]
    assert format(above.context.trace_id, "032x") == server.trace_id
    while above.parent is not None:
        assert above.kind is trace.SpanKind.CLIENT
        above = spans[format(above.parent.span_id, "016x")]
    assert above.name == root


def logs_of(receiver: OtlpReceiver, span: Span) -> list[LogRecord]:
    """All records of the span once its last one is there: records of one call may come in several requests."""
    found = [log for log in receiver.logs if (log.trace_id, log.span_id) == (span.trace_id, span.span_id)]
    return found if any(log.event_name == "libraries_io.operation.completed" for log in found) else []


def assert_server_attributes(server: Span, connection: Connection) -> None:
    assert server.status == "UNSET"
    assert server.events == ()
    expected = {
        "mcp.method.name": "tools/call",
        "gen_ai.tool.name": "get_package_info",
        "gen_ai.operation.name": "execute_tool",
        "mcp.protocol.version": connection.revision,
        "network.transport": "pipe" if connection.transport == "stdio" else "tcp",
    }
    if connection.transport == "http":
        expected |= {"network.protocol.name": "http", "network.protocol.version": "1.1", "client.address": "127.0.0.1"}
    expected |= {"libraries_io.cache.result": "miss", "libraries_io.platform": "Pypi"}
    expected |= {"libraries_io.package": "requests"}
    found = dict(server.attributes)
    assert found.pop("jsonrpc.request.id") not in (None, "")
    assert found.pop("libraries_io.request.id") not in (None, "")
    assert (found.pop("client.port", None) is not None) == (connection.transport == "http")
    # Revision 2026-07-28 has no sessions.
    assert ("mcp.session.id" in found) == (connection.transport == "http" and connection.revision < "2026")
    found.pop("mcp.session.id", None)
    assert found == expected


def assert_http_attributes(get: Span, sandbox_url: str) -> None:
    expected = {
        "http.request.method": "GET",
        "http.response.status_code": 200,
        "server.address": "127.0.0.1",
        "server.port": int(sandbox_url.split(":")[2].partition("/")[0]),
        "url.template": "/{platform}/{name}",
        "url.full": f"{sandbox_url}/Pypi/requests",
        "libraries_io.platform": "Pypi",
        "libraries_io.package": "requests",
    }
    assert expected.items() <= get.attributes.items()


def assert_point(point: MetricPoint, connection: Connection) -> None:
    assert (point.kind, point.unit) == ("histogram", "s")
    assert point.attributes["gen_ai.tool.name"] == "get_package_info"
    assert point.attributes["mcp.protocol.version"] == connection.revision
    assert not {"mcp.session.id", "jsonrpc.request.id"} & point.attributes.keys()
    assert point.bounds == (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0)


async def test_an_error_answer_is_a_tool_error(connection: Connection):
    root = f"agent errs {connection.transport} {connection.revision}"
    with connection.caller.provider.get_tracer("agent").start_as_current_span(root), pytest.raises(ToolError):
        await connection.client.call_tool("get_package_info", {"platform": "pypi", "name": "no-such-package"})
    server = await connection.server_span(root)
    assert server.status == "ERROR"
    assert server.attributes["error.type"] == "tool_error"
    assert server.attributes["libraries_io.error.type"] == "not_found"
    assert server.attributes["libraries_io.package"] == "no-such-package"
    assert "no-such-package" not in f"{server.name} {server.status_message} {server.events}"
    point = await connection.point_of(server)
    assert point.attributes["error.type"] == "tool_error"
    assert "no-such-package" not in str(point)


async def test_an_unknown_tool_is_other(connection: Connection):
    root = f"agent invents {connection.transport} {connection.revision}"
    with (
        connection.caller.provider.get_tracer("agent").start_as_current_span(root),
        pytest.raises((ToolError, MCPError)),
    ):
        await connection.client.call_tool("get_rich_quick", {})
    server = await connection.server_span(root)
    assert server.name == "tools/call _OTHER"
    point = await connection.point_of(server)
    assert point.attributes["gen_ai.tool.name"] == "_OTHER"
    assert "get_rich_quick" not in str(point)


async def test_the_callers_fault_leaves_the_status_unset(connection: Connection):
    root = f"agent reads {connection.transport} {connection.revision}"
    with connection.caller.provider.get_tracer("agent").start_as_current_span(root), pytest.raises(MCPError):
        await connection.client.read_resource("libraries-io://no/such/resource")
    server = await connection.server_span(root)
    assert server.name == "resources/read"
    assert server.status == "UNSET"
    assert "error.type" not in server.attributes
    assert server.attributes["rpc.response.status_code"] in {"-32002", "-32602"}
    point = await connection.point_of(server)
    assert "error.type" not in point.attributes


async def test_every_request_has_one_span(connection: Connection):
    """Over HTTP the library asks itself for `tools/list` while it serves a call; that is no request of the caller."""
    root = f"agent lists {connection.transport} {connection.revision}"
    with connection.caller.provider.get_tracer("agent").start_as_current_span(root):
        tools = await connection.client.list_tools()
    assert len(tools) > 3
    server = await connection.server_span(root)
    assert server.name == "tools/list"
    assert "gen_ai.operation.name" not in server.attributes
