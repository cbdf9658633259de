"""How the server ends: by end of file, SIGINT or SIGTERM, with and without a Collector; what is sent until then."""

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest
from tests.support import wire
from tests.support.collectors import collector
from tests.support.command import Running, server_arguments
from tests.support.polling import HANG_SECONDS

from libraries_io_mcp.demo.otlp_model import MetricPoint
from libraries_io_mcp.demo.otlp_receiver import OtlpReceiver

CODES = {"EOF": 0, "SIGINT": 130, "SIGTERM": 143}
ENDINGS = {"stdio": ("EOF", "SIGINT", "SIGTERM"), "http": ("SIGINT", "SIGTERM")}
CALLS = 5


@contextmanager
def started(transport: str, folder: Path, **variables: str) -> Iterator[dict[str, Running]]:
    """One server for each way to end it, all starting at the same time."""
    with ExitStack() as stack:
        yield {
            how: stack.enter_context(Running(*server_arguments(transport), folder=folder / how, **variables))
            for how in ENDINGS[transport]
        }


def use(server: Running, transport: str, calls: int) -> None:
    """Call a tool so often."""
    if transport == "stdio":
        server.initialize()
        for _ in range(calls):
            assert not server.call("get_quota_status")["isError"]
    else:
        with httpx.Client(timeout=HANG_SECONDS) as client:
            for _ in range(calls):
                assert "resets_in" in client.send(wire.tool_call(server.url, wire.MODERN, "get_quota_status")).text


def assert_quiet(server: Running) -> None:
    """Nothing on stderr but JSON lines, and no traceback in them."""
    lines = server.log_lines()
    assert lines[0]["message"].startswith("serving MCP")
    assert not [line for line in lines if "exception" in line]
    assert "Traceback" not in server.stderr


@pytest.mark.parametrize("transport", ENDINGS)
@pytest.mark.parametrize("state", ["off", "dead", "black hole"])
def test_it_ends(transport: str, state: str, tmp_path: Path):
    """With a client that still listens on an event stream, and signals that nobody takes."""
    with collector(state) as variables, started(transport, tmp_path, **variables) as servers, ExitStack() as streams:
        for server in servers.values():
            use(server, transport, 1)
            if transport == "http":
                headers = wire.open_session(server.url)
                streams.enter_context(httpx.stream("GET", server.url, headers=headers, timeout=HANG_SECONDS))
        for how, server in servers.items():
            server.ask_to_end(how)
        codes = {how: server.process.wait(HANG_SECONDS) for how, server in servers.items()}
        assert codes == {how: CODES[how] for how in servers}
        for server in servers.values():
            assert_quiet(server)


@pytest.mark.parametrize("transport", ENDINGS)
def test_all_signals_arrive_before_the_end(transport: str, tmp_path: Path):
    """The intervals of the exporters are longer than this test, so the end itself must send what is left."""
    with ExitStack() as stack:
        receivers = {how: stack.enter_context(OtlpReceiver()) for how in ENDINGS[transport]}
        servers = {
            how: stack.enter_context(
                Running(
                    *server_arguments(transport),
                    folder=tmp_path / how,
                    OTEL_EXPORTER_OTLP_ENDPOINT=receiver.endpoint,
                    OTEL_BSP_SCHEDULE_DELAY="600000",
                    OTEL_BLRP_SCHEDULE_DELAY="600000",
                    OTEL_METRIC_EXPORT_INTERVAL="600000",
                )
            )
            for how, receiver in receivers.items()
        }
        for server in servers.values():
            use(server, transport, CALLS)
        for how, server in servers.items():
            assert receivers[how].requests == ()
            server.ask_to_end(how)
        for how, server in servers.items():
            assert server.process.wait(HANG_SECONDS) == CODES[how]
            assert_quiet(server)
            assert_all_arrived(receivers[how])


def assert_all_arrived(receiver: OtlpReceiver) -> None:
    spans = [span for span in receiver.spans if span.name == "tools/call get_quota_status"]
    assert len({span.span_id for span in spans}) == len(spans) == CALLS
    logs = [log for log in receiver.logs if log.attributes.get("gen_ai.tool.name") == "get_quota_status"]
    assert [log.event_name for log in logs] == ["libraries_io.operation.completed"] * CALLS
    assert {log.span_id for log in logs} == {span.span_id for span in spans}
    (point,) = points_of(receiver, "get_quota_status")
    assert point.count == CALLS


def points_of(receiver: OtlpReceiver, tool: str) -> list[MetricPoint]:
    named = (point for point in receiver.points if point.name == "mcp.server.operation.duration")
    return [point for point in named if point.attributes.get("gen_ai.tool.name") == tool]


def test_a_refusing_collector_does_not_fill_the_log(tmp_path: Path):
    """One line for each kind of failed export, however often it fails."""
    with OtlpReceiver() as receiver:
        receiver.answer(400)
        variables = {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint, "OTEL_METRIC_EXPORT_INTERVAL": "50"}
        with Running(folder=tmp_path, **variables, OTEL_BSP_SCHEDULE_DELAY="50") as server:
            use(server, "stdio", 2)
            receiver.wait_for(lambda r: [x.path for x in r.requests].count("/v1/metrics") >= 10, "10 refused exports")
            assert server.end("EOF") == 0
            lines = [line for line in server.log_lines() if line["logger"].startswith("opentelemetry")]
    kinds = Counter((line["logger"], re.sub(r"\d+", "N", line["message"])) for line in lines)
    assert kinds
    assert set(kinds.values()) == {1}
