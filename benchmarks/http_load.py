"""Calls over streamable HTTP with as little of a client as possible, one after the other or 50 at a time."""

import asyncio
import itertools
import json
import socket
import statistics
import sys
import time
from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any, Final, Self

from benchmarks.peers import BARE, INITIALIZED, OPENING, OURS, HttpPeer, clean, message, sandbox, sink

TOOL: Final = "get_quota_status"
LONGEST_ANSWER_SECONDS: Final = 20.0
HEAD: Final = (
    "POST /mcp HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\naccept: application/json, text/event-stream\r\n"
    "content-type: application/json\r\nmcp-protocol-version: 2025-06-18\r\n{session}content-length: {length}\r\n\r\n"
)


def request_bytes(port: int, body: bytes, session: str | None) -> bytes:
    """An HTTP request with a JSON-RPC message."""
    line = f"mcp-session-id: {session}\r\n" if session else ""
    return HEAD.format(port=port, session=line, length=len(body)).encode() + body


class HttpCaller:
    """One session over one kept connection, blocking."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._session: str | None = None
        # Never the same number twice in a session: the SDK files what belongs to an answer under it, and takes the old
        # file away a moment after the answer has gone, which would be the new request's.
        self._numbers = itertools.count(2)
        self._connect()
        headers, _ = self._exchange(message("initialize", 1, **OPENING))
        # A server without sessions gives none.
        self._session = headers.get("mcp-session-id")
        self._exchange(json.dumps(INITIALIZED).encode())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self._stream.close()
        self._socket.close()

    def call(self, tool: str, **arguments: Any) -> None:
        """Call a tool."""
        _, body = self._exchange(message("tools/call", next(self._numbers), name=tool, arguments=arguments))
        if b'"isError":true' in body or b'"result"' not in body:
            raise SystemExit(f"{tool}: {body!r}")

    def request(self, tool: str, **arguments: Any) -> bytes:
        """The next call of a tool, as it goes over the wire."""
        body = message("tools/call", next(self._numbers), name=tool, arguments=arguments)
        return request_bytes(self._port, body, self._session)

    def _connect(self) -> None:
        self._socket = socket.create_connection(("127.0.0.1", self._port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._stream = self._socket.makefile("rb")

    def _exchange(self, body: bytes) -> tuple[Mapping[str, str], bytes]:
        request = request_bytes(self._port, body, self._session)
        self._socket.sendall(request)
        if not self._stream.readline():
            # uvicorn ends a connection that was idle for five seconds; the session goes on.
            self._connect()
            self._socket.sendall(request)
            self._stream.readline()
        headers = {}
        while (line := self._stream.readline().decode().strip()) != "":
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        if "content-length" in headers:
            return headers, self._stream.read(int(headers["content-length"]))
        parts = []
        while size := int(self._stream.readline(), 16):
            parts.append(self._stream.read(size + 2))
        self._stream.readline()
        return headers, b"".join(parts)


async def answer_from(reader: asyncio.StreamReader) -> None:
    """Read one whole answer, whichever way its end is told."""
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    if not head.startswith(b"http/1.1 200"):
        raise SystemExit(f"an answer begins {head!r}")
    if b"content-length: " in head:
        await reader.readexactly(int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0]))
        return
    while size := int(await reader.readline(), 16):
        await reader.readexactly(size + 2)
    await reader.readline()


async def hammer(port: int, clients: int, seconds: float) -> float:
    """Calls a second that `clients` sessions get done, each asking again as soon as it has its answer."""
    sessions = [await asyncio.to_thread(HttpCaller, port) for _ in range(clients)]
    done = 0
    end = time.perf_counter() + seconds

    async def work(caller: HttpCaller) -> None:
        nonlocal done
        # The session stays; the connection becomes an asynchronous one.
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while time.perf_counter() < end:
            writer.write(caller.request(TOOL))
            async with asyncio.timeout(LONGEST_ANSWER_SECONDS):
                await answer_from(reader)
            done += 1
        writer.close()

    began = time.perf_counter()
    await asyncio.gather(*(work(caller) for caller in sessions))
    took = time.perf_counter() - began
    for caller in sessions:
        caller.__exit__()
    return done / took


def fifty_clients(rounds: int, seconds: float) -> dict[str, dict[str, float]]:
    """Calls a second with 50 clients: bare FastMCP with its defaults against this server, with sessions and without."""
    with ExitStack() as stack:
        service, endpoint = stack.enter_context(sandbox()), stack.enter_context(sink())
        ours = (*OURS, "serve", "--transport", "http", "--port", "0")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        peers = {
            "bare": stack.enter_context(HttpPeer((sys.executable, "-c", BARE, "http", str(port)), clean())),
            "off": stack.enter_context(HttpPeer(ours, clean(OTEL_SDK_DISABLED="true", **service))),
            "full": stack.enter_context(HttpPeer(ours, clean(OTEL_EXPORTER_OTLP_ENDPOINT=endpoint, **service))),
            "stateless": stack.enter_context(
                HttpPeer(ours, clean(OTEL_EXPORTER_OTLP_ENDPOINT=endpoint, MCP_STATELESS="true", **service))
            ),
        }
        for peer in peers.values():
            asyncio.run(hammer(peer.port, 50, 1.0))
        rates: dict[str, list[float]] = {name: [] for name in peers}
        for _ in range(rounds):
            for name, peer in peers.items():
                rates[name].append(asyncio.run(hammer(peer.port, 50, seconds)))
        figures: dict[str, dict[str, float]] = {}
        for name, mine in rates.items():
            figures[name] = {"calls_per_second": statistics.median(mine)}
            for base in peers:
                figures[name][f"rate_to_{base}"] = statistics.median(
                    a / b for a, b in zip(mine, rates[base], strict=True)
                )
        return figures
