"""A real MCP client with a tracer of its own: starts the installed server on stdio and asks."""

import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import fastmcp
import requests
from fastmcp import Client
from fastmcp.client.transports import StdioTransport
from fastmcp.exceptions import FastMCPError
from mcp import MCPError
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ALWAYS_ON

from libraries_io_mcp.demo.failure import DemoError, tail
from libraries_io_mcp.demo.questions import Asked, Question
from libraries_io_mcp.demo.story import CLIENT_NAME

COMMAND: Final = (sys.executable, "-m", "libraries_io_mcp")
CALL_SECONDS: Final = 30.0
EXPORT_SECONDS: Final = 2.0


class LastTrace(SpanProcessor):
    """Remembers the trace of the newest span, so that an answer can be found again among what is received."""

    trace_id = ""

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:  # noqa: ARG002 - the SDK's signature
        """Note the trace."""
        self.trace_id = format(span.get_span_context().trace_id, "032x")

    def on_end(self, span: ReadableSpan) -> None:
        """Nothing to do."""


class TracedClient:
    """Asks questions; each call is a span of `CLIENT_NAME` that is sent to the receiver by `close`."""

    def __init__(self, client: "Client[StdioTransport]", provider: TracerProvider, last: LastTrace) -> None:
        self._client = client
        self._provider = provider
        self._last = last

    async def ask(self, question: Question) -> Asked:
        """Call the tool. An error answer is an answer."""
        started = time.perf_counter()
        result = await self._client.call_tool_mcp(question.tool, dict(question.arguments), timeout=CALL_SECONDS)
        seconds = time.perf_counter() - started
        content: dict[str, Any] = result.structured_content or {}
        return Asked(question, content, bool(result.is_error), self._last.trace_id, seconds)


@asynccontextmanager
async def connected_client(
    directory: Path, environment: dict[str, str], *, endpoint: str, command: Sequence[str] = COMMAND
) -> AsyncIterator[TracedClient]:
    """Start the server in `directory`, connect to it, and end it after the block with all telemetry sent.

    Raises:
        DemoError: the server did not start, or ended in the middle.
    """
    # What FASTMCP_* variables say is meant for other clients.
    fastmcp.settings.telemetry_mode = "native"
    last = LastTrace()
    provider = _tracer_provider(endpoint, last)
    trace.set_tracer_provider(provider)
    log = directory / "server.log"
    transport = StdioTransport(
        command[0], list(command[1:]), env=environment, cwd=str(directory), keep_alive=False, log_file=log
    )
    try:
        async with Client(transport, timeout=CALL_SECONDS) as client:
            yield TracedClient(client, provider, last)
    except (MCPError, RuntimeError, OSError, FastMCPError) as error:
        raise DemoError(f"the server did not answer: {error}\nit wrote:\n{tail(log)}") from error
    finally:
        provider.shutdown()


def _tracer_provider(endpoint: str, last: LastTrace) -> TracerProvider:
    session = requests.Session()
    # The receiver is on this machine; a proxy of the environment would not find it.
    session.trust_env = False
    exporter = OTLPSpanExporter(f"{endpoint}/v1/traces", timeout=EXPORT_SECONDS, session=session)
    provider = TracerProvider(ALWAYS_ON, Resource({"service.name": CLIENT_NAME}), shutdown_on_exit=False)
    provider.add_span_processor(last)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    return provider
