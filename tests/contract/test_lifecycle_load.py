"""The end under load: fifty calls in flight, and every one of them is answered or refused, and counted once."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.support import wire
from tests.support.command import Running, server_arguments
from tests.support.polling import HANG_SECONDS
from tests.support.upstream import Upstream

from libraries_io_mcp.demo.otlp_receiver import OtlpReceiver

CALLS = 50
CODES = {"EOF": 0, "SIGINT": 130, "SIGTERM": 143}


@dataclass
class Outcome:
    """What a client saw of its calls."""

    answered: int = 0
    refused: int = 0
    other: list[Any] = field(default_factory=list)


@pytest.fixture
def live() -> Iterator[OtlpReceiver]:
    with OtlpReceiver() as receiver:
        yield receiver


def start(transport: str, receiver: OtlpReceiver, upstream: Upstream, folder: Path) -> Running:
    return Running(
        *server_arguments(transport),
        folder=folder,
        OTEL_EXPORTER_OTLP_ENDPOINT=receiver.endpoint,
        LIBRARIES_IO_BASE_URL=upstream.base_url,
        LIBRARIES_IO_API_KEY="0123456789abcdef0123456789abcdef",
        LIBRARIES_IO_RATE_LIMIT="100000",
    )


def read_outcome(server: Running, numbers: range) -> Outcome:
    """Everything the server still writes to stdout, until it closes it."""
    outcome = Outcome()
    seen: set[int] = set()
    for line in server.process.stdout:
        message = json.loads(line)
        if message.get("id") not in numbers:
            continue
        assert message["id"] not in seen, "answered twice"
        seen.add(message["id"])
        if "result" in message:
            outcome.answered += 1
        elif message["error"]["message"] == "Connection closed":
            outcome.refused += 1
        else:
            outcome.other.append(message)
    return outcome


def counts(receiver: OtlpReceiver) -> tuple[int, int, int]:
    """Spans, log records and histogram count of the tool's calls at the receiver."""
    name = "tools/call get_package_info"
    spans = [span for span in receiver.spans if span.name == name]
    assert len({span.span_id for span in spans}) == len(spans)
    ended = {"libraries_io.operation.completed", "libraries_io.operation.failed"}
    logs = [log for log in receiver.logs if log.event_name in ended and log.body.startswith(name)]
    assert {log.span_id for log in logs} == {span.span_id for span in spans}
    latest: dict[tuple[Any, ...], int] = {}
    for point in receiver.points:
        if point.name == "mcp.server.operation.duration" and point.attributes.get("gen_ai.tool.name"):
            latest[tuple(sorted(point.attributes.items()))] = point.count
    return len(spans), len(logs), sum(latest.values())


@pytest.mark.parametrize("how", CODES)
@pytest.mark.parametrize("package", ["good", "hang"])
def test_stdio(how: str, package: str, live: OtlpReceiver, tmp_path: Path):
    """`good`: Libraries.io answers; `hang`: it never does, so what is in flight is refused."""
    with Upstream() as upstream, start("stdio", live, upstream, tmp_path) as server:
        server.initialize()
        first = server.request("tools/list") + 1
        for number in range(CALLS):
            name = f"{package}-{number}" if package == "good" else package
            server.request("tools/call", name="get_package_info", arguments={"platform": "NPM", "name": name})
        # A signal comes when all calls are read; a call that is still in the pipe is nobody's yet.
        if how != "EOF" and package == "good":
            upstream.wait_for("/good-", CALLS)
        elif how != "EOF":
            server.answer(server.request("ping"))
        server.ask_to_end(how)
        outcome = read_outcome(server, range(first, first + CALLS))
        assert server.process.wait(HANG_SECONDS) == CODES[how]
    assert outcome.other == []
    assert outcome.answered + outcome.refused == CALLS
    assert counts(live) == (CALLS, CALLS, CALLS)


@pytest.mark.parametrize("how", ["SIGINT", "SIGTERM"])
@pytest.mark.parametrize("package", ["good", "hang"])
def test_http(how: str, package: str, live: OtlpReceiver, tmp_path: Path):
    """A call that is cut off is refused by the end of its connection."""

    def call(number: int) -> str:
        name = f"{package}-{number}" if package == "good" else package
        request = wire.tool_call(server.url, wire.MODERN, "get_package_info", platform="NPM", name=name)
        try:
            with httpx.Client(timeout=HANG_SECONDS) as client:
                return "answered" if '"result"' in client.send(request).text else "refused"
        except httpx.TransportError:
            return "refused"

    with Upstream() as upstream, start("http", live, upstream, tmp_path) as server:
        assert server.url
        with ThreadPoolExecutor(CALLS) as threads:
            calls = [threads.submit(call, number) for number in range(CALLS)]
            upstream.wait_for(f"/{package}", 10 if package == "good" else 1)
            server.ask_to_end(how)
            seen = [each.result() for each in calls]
        assert server.process.wait(HANG_SECONDS) == CODES[how]
    spans, logs, points = counts(live)
    assert spans == logs == points
    # A refused call may have been refused at the door, before it became a request of the protocol.
    assert seen.count("answered") <= spans <= CALLS
