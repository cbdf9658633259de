"""What telemetry costs: stdio servers side by side, asked in turn, medians and ratios of one run.

    python benchmarks/overhead.py --rounds 40 --calls 100

Variants: `bare` (a FastMCP server with one tool that does nothing), `off` (this server, OTEL_SDK_DISABLED), `full`
(this server, spans, metrics and log records sent to a live sink). The tool asked is get_quota_status, which asks no
upstream, so what is compared is the server alone.
"""

import argparse
import json
import os
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

BARE = """
import fastmcp
fastmcp.settings.log_level = "CRITICAL"
server = fastmcp.FastMCP("bare")
@server.tool
async def get_quota_status() -> dict[str, int]:
    return {"limit": 60, "remaining": 60}
server.run(show_banner=False)
"""
OURS = (sys.executable, "-m", "libraries_io_mcp")


class Peer:
    """A server on stdio and the little that is needed to call it."""

    def __init__(self, command: tuple[str, ...], environment: dict[str, str]) -> None:
        self._process = subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        self._id = 0
        self.request(
            "initialize",
            {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "bench", "version": "1"}},
        )
        self._send({"jsonrpc": "2.0", "method": "notifications/initialized"})

    def request(self, method: str, parameters: dict[str, object]) -> dict[str, object]:
        """One request and its reply."""
        self._id += 1
        self._send({"jsonrpc": "2.0", "id": self._id, "method": method, "params": parameters})
        while True:
            reply: dict[str, object] = json.loads(self._process.stdout.readline())  # type: ignore[union-attr]
            if reply.get("id") == self._id:
                return reply

    def _send(self, message: dict[str, object]) -> None:
        self._process.stdin.write(json.dumps(message).encode() + b"\n")  # type: ignore[union-attr]
        self._process.stdin.flush()  # type: ignore[union-attr]

    def close(self) -> None:
        """End the server."""
        self._process.stdin.close()  # type: ignore[union-attr]
        self._process.wait(10)


@contextmanager
def sink() -> Iterator[str]:
    """A live OTLP sink that reads everything and answers 200: the cheapest Collector there can be."""
    listener = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=_accept, args=(listener,), daemon=True).start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    listener.close()


def _accept(listener: socket.socket) -> None:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        threading.Thread(target=_swallow, args=(connection,), daemon=True).start()


def _swallow(connection: socket.socket) -> None:
    stream = connection.makefile("rb")
    while line := stream.readline():
        length = 0
        while line not in (b"\r\n", b""):
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
            line = stream.readline()
        stream.read(length)
        connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--calls", type=int, default=100, help="calls a variant and round")
    parser.add_argument("--json", type=Path, help="also write the figures here")
    options = parser.parse_args()
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "LOG_", "MCP_"))}
    with ExitStack() as stack:
        endpoint = stack.enter_context(sink())
        variants = {
            "bare": ((sys.executable, "-c", BARE), clean),
            "off": (OURS, clean | {"OTEL_SDK_DISABLED": "true", "LOG_LEVEL": "ERROR"}),
            "off+lines": (OURS, clean | {"OTEL_SDK_DISABLED": "true"}),
            "full": (OURS, clean | {"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint}),
        }
        peers = {name: Peer(*variant) for name, variant in variants.items()}
        times: dict[str, list[float]] = {name: [] for name in peers}
        for peer in peers.values():
            stack.callback(peer.close)
            for _ in range(50):
                peer.request("tools/call", {"name": "get_quota_status", "arguments": {}})
        for _ in range(options.rounds):
            for name, peer in peers.items():
                start = time.perf_counter()
                for _ in range(options.calls):
                    peer.request("tools/call", {"name": "get_quota_status", "arguments": {}})
                times[name].append((time.perf_counter() - start) / options.calls)
    medians = {name: statistics.median(values) for name, values in times.items()}
    figures = {}
    for name, median in medians.items():
        ratios = {base: statistics.median(a / b for a, b in zip(times[name], times[base], strict=True)) for base in peers}
        figures[name] = {"median_ms": median * 1000, **{f"to_{base}": ratio for base, ratio in ratios.items()}}
        print(f"{name:10} {median * 1000:7.3f} ms   to bare {ratios['bare']:5.2f}   to off {ratios['off']:5.2f}")
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
