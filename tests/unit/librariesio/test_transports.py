import asyncio
import itertools
import subprocess
import sys

import httpx
import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind
from tests.support.polling import HANG_SECONDS
from tests.unit.librariesio.service import PROJECT, answer, client

from libraries_io_mcp.librariesio.transports import Late


async def test_each_attempt_is_one_span_below_the_callers():
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    replies = [httpx.Response(503), answer(PROJECT)]
    api = client(lambda _: replies.pop(0), tracer_provider=provider)
    with provider.get_tracer("test").start_as_current_span("tool") as parent:
        await api.project("npm", "left-pad")
    first, second, _ = exporter.get_finished_spans()
    for span in (first, second):
        assert (span.name, span.kind, span.parent.span_id) == (
            "GET",
            SpanKind.CLIENT,
            parent.get_span_context().span_id,
        )
        assert span.attributes["url.template"] == "/{platform}/{name}"
        assert span.attributes["libraries_io.platform"] == "npm"
        assert span.attributes["libraries_io.package"] == "left-pad"
    assert "http.request.resend_count" not in first.attributes
    assert second.attributes["http.request.resend_count"] == 1


async def test_a_followed_redirect_counts_as_sending_again():
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    moved = httpx.Response(302, headers={"location": "/api/npm/Left-Pad"})
    replies = [moved, httpx.Response(503), answer(PROJECT)]
    await client(lambda _: replies.pop(0), tracer_provider=provider).project("npm", "left-pad")
    counts = [span.attributes.get("http.request.resend_count") for span in exporter.get_finished_spans()]
    assert counts == [None, 1, 2]


async def test_the_wait_for_the_quota_is_on_the_attempt():
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    replies = [httpx.Response(429, headers={"retry-after": "7"}), answer(PROJECT)]
    await client(lambda _: replies.pop(0), tracer_provider=provider).project("npm", "left-pad")
    first, wait, second = exporter.get_finished_spans()
    assert wait.name == "libraries_io.quota.wait"
    assert "libraries_io.quota.wait" not in first.attributes
    assert second.attributes["libraries_io.quota.wait"] == 7


async def test_a_busy_machine_is_no_wait_for_the_quota():
    """The clocks go on while the quota is asked, as they do when the process does not get a processor."""
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    ticks = itertools.count(1_800_000_010.0, 0.1)
    api = client(lambda _: answer(PROJECT), now=lambda: next(ticks), tracer_provider=provider)
    await api.project("npm", "left-pad")
    (get,) = exporter.get_finished_spans()
    assert get.name == "GET"
    assert "libraries_io.quota.wait" not in get.attributes


class Network(httpx.AsyncBaseTransport):
    """Counts what is asked of it."""

    def __init__(self) -> None:
        self.asked = 0
        self.closed = 0

    async def handle_async_request(self, _request: httpx.Request) -> httpx.Response:
        self.asked += 1
        return httpx.Response(200)

    async def aclose(self) -> None:
        self.closed += 1


async def test_the_network_is_made_once_at_the_first_request_and_closed():
    made: list[Network] = []

    def make() -> Network:
        made.append(Network())
        return made[-1]

    late = Late(make)
    assert made == []
    request = httpx.Request("GET", "https://libraries.example/")
    await asyncio.gather(*(late.handle_async_request(request) for _ in range(3)))
    (network,) = made
    assert network.asked == 3
    await late.aclose()
    assert network.closed == 1


async def test_a_network_that_was_never_needed_is_never_made():
    await Late(lambda: pytest.fail("made")).aclose()


def test_the_code_of_connections_and_tracing_is_loaded_by_the_first_call_alone():
    """In a process of its own: this one has loaded everything."""
    subprocess.run([sys.executable, "-c", LOADED], check=True, timeout=2 * HANG_SECONDS)


LOADED = """
import asyncio, socket, sys
from opentelemetry.metrics import NoOpMeter
from libraries_io_mcp.errors import UpstreamUnreachableError
from libraries_io_mcp.librariesio.client import LibrariesIOClient
from libraries_io_mcp.settings import LibrariesIOSettings
from libraries_io_mcp.telemetry.instruments import Instruments

LATE = {"httpcore", "opentelemetry.instrumentation.httpx"}


async def main():
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        settings = LibrariesIOSettings(base_url=f"http://127.0.0.1:{nobody.getsockname()[1]}/api")
        api = LibrariesIOClient(settings, instruments=Instruments(NoOpMeter("test")))
        assert not LATE & set(sys.modules), LATE & set(sys.modules)
        try:
            await api.project("npm", "left-pad")
        except UpstreamUnreachableError:
            pass
        assert set(sys.modules) >= LATE, LATE - set(sys.modules)
        await api.aclose()


asyncio.run(main())
"""
