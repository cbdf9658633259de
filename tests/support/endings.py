"""The ends of a server: how it is asked to, what it must leave behind, and what a client saw of its calls."""

import json
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx
from tests.support import wire
from tests.support.collectors import collector
from tests.support.command import Running, server_arguments
from tests.support.polling import HANG_SECONDS

from libraries_io_mcp.demo.otlp_receiver import OtlpReceiver

CODES: Final = {"EOF": 0, "SIGINT": 130, "SIGTERM": 143}
"""Exit code by the reason to end."""
ENDINGS: Final = {"stdio": ("EOF", "SIGINT", "SIGTERM"), "http": ("SIGINT", "SIGTERM")}
"""The reasons by transport."""


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


def assert_it_ends(state: str, transport: str, how: str, folder: Path) -> None:
    """With a Collector in that state, and over HTTP a client that still listens on an event stream."""
    with ExitStack() as stack:
        variables = stack.enter_context(collector(state))
        server = stack.enter_context(Running(*server_arguments(transport), folder=folder, **variables))
        use(server, transport, 1)
        if transport == "http":
            headers = wire.open_session(server.url)
            stack.enter_context(httpx.stream("GET", server.url, headers=headers, timeout=HANG_SECONDS))
        assert server.end(how) == CODES[how]
        assert_quiet(server)


@dataclass
class Outcome:
    """What a client saw of its calls."""

    answered: int = 0
    refused: int = 0
    other: list[Any] = field(default_factory=list)


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


def counts(receiver: OtlpReceiver, tool: str = "get_package_info") -> tuple[int, int, int]:
    """Spans, log records and histogram count of the calls of a tool at the receiver."""
    name = f"tools/call {tool}"
    spans = [span for span in receiver.spans if span.name == name]
    assert len({span.span_id for span in spans}) == len(spans)
    ended = {"libraries_io.operation.completed", "libraries_io.operation.failed"}
    logs = [log for log in receiver.logs if log.event_name in ended and log.body.startswith(name)]
    assert {log.span_id for log in logs} == {span.span_id for span in spans}
    latest: dict[tuple[Any, ...], int] = {}
    for point in receiver.points:
        if point.name == "mcp.server.operation.duration" and point.attributes.get("gen_ai.tool.name") == tool:
            latest[tuple(sorted(point.attributes.items()))] = point.count
    return len(spans), len(logs), sum(latest.values())
