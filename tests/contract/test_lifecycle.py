"""How the server ends: by end of file, SIGINT or SIGTERM, with and without a Collector; what is sent until then."""

import re
import signal
import socket
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest
from tests.support import wire
from tests.support.command import Running, server_arguments
from tests.support.endings import CODES, ENDINGS, assert_it_ends, assert_quiet, use
from tests.support.polling import HANG_SECONDS, poll_until
from tests.support.upstream import Upstream

from libraries_io_mcp.demo.otlp_model import MetricPoint
from libraries_io_mcp.demo.otlp_receiver import OtlpReceiver

CALLS = 5
TRIES = 5


@pytest.mark.parametrize(
    ("state", "transport", "how"),
    [
        ("off", "stdio", "SIGINT"),
        ("dead", "stdio", "EOF"),
        ("black hole", "http", "SIGTERM"),
    ],
)
def test_it_ends(state: str, transport: str, how: str, tmp_path: Path):
    """Each state, transport and way to end once; tests/e2e/test_endings.py has all combinations."""
    assert_it_ends(state, transport, how, tmp_path)


@pytest.mark.parametrize("transport", ENDINGS)
def test_a_second_signal_ends_it_at_once(transport: str, tmp_path: Path):
    """While it still waits for a Libraries.io and a Collector that never answer.

    That wait is bounded, so on a busy machine the second signal may come too late; then there is another try.
    """
    codes = []
    with Upstream() as upstream, OtlpReceiver() as hole:
        hole.hang()
        variables = {"LIBRARIES_IO_BASE_URL": upstream.base_url, "OTEL_EXPORTER_OTLP_ENDPOINT": hole.endpoint}
        while codes.count(CODES["SIGTERM"]) == len(codes) < TRIES:
            folder = tmp_path / str(len(codes))
            with Running(*server_arguments(transport), folder=folder, **variables) as server, ExitStack() as stack:
                if transport == "stdio":
                    server.initialize()
                    server.request("tools/call", name="get_package_info", arguments={"platform": "NPM", "name": "hang"})
                else:
                    client = stack.enter_context(ThreadPoolExecutor(1))
                    stack.callback(client.submit(unanswered_call, server.url).exception)
                    stack.callback(server.process.kill)
                upstream.wait_for("/hang", len(codes) + 1)
                server.ask_to_end("SIGTERM")
                poll_until(lambda running=server: ending(running, transport), "the server to begin to end")
                server.ask_to_end("SIGINT")
                codes.append(server.process.wait(HANG_SECONDS))
    assert codes[-1] == -signal.SIGINT


def unanswered_call(url: str) -> None:
    """Ask what is never answered, until the connection ends."""
    request = wire.tool_call(url, wire.MODERN, "get_package_info", platform="NPM", name="hang")
    with httpx.Client(timeout=2 * HANG_SECONDS) as client:
        client.send(request)


def ending(server: Running, transport: str) -> bool:
    """Whether it has taken the first signal: it says so, or takes no connections any more. Or it has ended."""
    if server.process.poll() is not None:
        return True
    if transport == "stdio":
        return "ending on SIGTERM" in server.stderr
    with socket.socket() as knocking:
        return knocking.connect_ex(("127.0.0.1", int(server.url.split(":")[2].partition("/")[0]))) != 0


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
    # A busy machine may add that one of them was slow.
    logs = [log for log in receiver.logs if log.event_name == "libraries_io.operation.completed"]
    logs = [log for log in logs if log.attributes.get("gen_ai.tool.name") == "get_quota_status"]
    assert len(logs) == CALLS
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
