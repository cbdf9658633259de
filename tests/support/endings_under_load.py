"""A server that is asked to end with fifty calls in flight: each is answered or refused, and counted once."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import httpx
from tests.support import wire
from tests.support.command import Running, server_arguments
from tests.support.endings import CODES, counts, read_outcome
from tests.support.polling import HANG_SECONDS
from tests.support.upstream import Upstream

from libraries_io_mcp.demo.otlp_receiver import OtlpReceiver

CALLS: Final = 50


def start(transport: str, receiver: OtlpReceiver, upstream: Upstream, folder: Path) -> Running:
    """A server with a live receiver and an upstream of ours."""
    return Running(
        *server_arguments(transport),
        folder=folder,
        OTEL_EXPORTER_OTLP_ENDPOINT=receiver.endpoint,
        LIBRARIES_IO_BASE_URL=upstream.base_url,
        LIBRARIES_IO_API_KEY="0123456789abcdef0123456789abcdef",
        LIBRARIES_IO_RATE_LIMIT="100000",
    )


def assert_stdio_loses_nothing(how: str, package: str, folder: Path) -> None:
    """`package` is `good`: Libraries.io answers; or `hang`: it never does, so what is in flight is refused."""
    with OtlpReceiver() as live, Upstream() as upstream, start("stdio", live, upstream, folder) as server:
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


def assert_http_loses_nothing(how: str, package: str, folder: Path) -> None:
    """A call that is cut off is refused by the end of its connection."""

    def call(number: int) -> str:
        name = f"{package}-{number}" if package == "good" else package
        request = wire.tool_call(server.url, wire.MODERN, "get_package_info", platform="NPM", name=name)
        try:
            with httpx.Client(timeout=HANG_SECONDS) as client:
                return "answered" if '"result"' in client.send(request).text else "refused"
        except httpx.TransportError:
            return "refused"

    with OtlpReceiver() as live, Upstream() as upstream, start("http", live, upstream, folder) as server:
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
