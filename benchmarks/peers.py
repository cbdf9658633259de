"""The servers that are compared, each a process of its own, and the little that is needed to call them."""

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

HERE: Final = Path(__file__).parent
OURS: Final = (sys.executable, "-m", "libraries_io_mcp")
BARE: Final = """
import sys, fastmcp
server = fastmcp.FastMCP("bare")
@server.tool
async def get_quota_status() -> dict[str, int]:
    return {"limit": 60, "remaining": 60}
if sys.argv[1] == "stdio":
    fastmcp.settings.log_level = "CRITICAL"
    server.run(show_banner=False)
else:
    server.run(transport="http", port=int(sys.argv[2]), show_banner=False)
"""
BARE_SDK: Final = """
import anyio
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server
import mcp_types as types
async def listed(ctx, params):
    return types.ListToolsResult(tools=[types.Tool(name="get_quota_status", input_schema={"type": "object"})])
server = Server("bare", on_list_tools=listed)
async def main():
    async with stdio_server() as (read, write):
        await server.run(read, write, server.create_initialization_options())
anyio.run(main)
"""
OPENING: Final = {
    "protocolVersion": "2025-06-18",
    "capabilities": {},
    "clientInfo": {"name": "bench", "version": "1"},
}
INITIALIZED: Final = {"jsonrpc": "2.0", "method": "notifications/initialized"}


def clean(**variables: str) -> dict[str, str]:
    """The environment without settings of ours or of OpenTelemetry, and with these."""
    foreign = ("OTEL_", "LOG_", "MCP_", "LIBRARIES_IO_", "FASTMCP_", "CACHE_")
    return {name: value for name, value in os.environ.items() if not name.startswith(foreign)} | variables


def message(method: str, number: int, **params: Any) -> bytes:
    """A JSON-RPC request as it goes over the wire."""
    return json.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": params}).encode()


class Process:
    """A process with pipes; killed at the end of `with`."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], *, reads: bool = True) -> None:
        """`reads`: its standard output is read here. A pipe that nobody reads fills up and stops the process."""
        self._place = tempfile.TemporaryDirectory()
        self.log = Path(self._place.name) / "stderr"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                command,
                env=environment,
                cwd=self._place.name,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE if reads else log,
                stderr=log,
            )

    def __enter__(self) -> "Process":
        return self

    def __exit__(self, *_exception: object) -> None:
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                pipe.close()
        self._place.cleanup()

    def line(self) -> str:
        """The next line of its standard output."""
        return self.process.stdout.readline().decode().strip()  # type: ignore[union-attr]

    def cpu_seconds(self) -> float:
        """CPU time of its threads so far, to the nanosecond: the scheduler's account, not the clock tick's."""
        tasks = Path(f"/proc/{self.process.pid}/task").iterdir()
        return sum(int((task / "schedstat").read_text(encoding="utf-8").split()[0]) for task in tasks) / 1e9

    def resident_bytes(self) -> int:
        """Memory it holds now."""
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text(encoding="utf-8").split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")


class StdioPeer(Process):
    """A server on stdio."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        super().__init__(command, environment)
        self._number = 0
        self.request("initialize", **OPENING)
        self._send(json.dumps(INITIALIZED).encode())

    def request(self, method: str, **params: Any) -> dict[str, Any]:
        """One request and its reply."""
        self._number += 1
        self._send(message(method, self._number, **params))
        while True:
            reply: dict[str, Any] = json.loads(self.process.stdout.readline())  # type: ignore[union-attr]
            if reply.get("id") == self._number:
                return reply

    def call(self, tool: str, **arguments: Any) -> None:
        """Call a tool."""
        reply = self.request("tools/call", name=tool, arguments=arguments)
        if reply["result"].get("isError"):
            raise SystemExit(f"{tool}: {reply}")

    def _send(self, line: bytes) -> None:
        self.process.stdin.write(line + b"\n")  # type: ignore[union-attr]
        self.process.stdin.flush()  # type: ignore[union-attr]


class HttpPeer(Process):
    """A server on HTTP; `port` is where it listens."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        # uvicorn's line for each request goes to standard output.
        super().__init__(command, environment, reads=False)
        end = time.monotonic() + 60
        found = None
        while found is None:
            if time.monotonic() > end or self.process.poll() is not None:
                raise SystemExit(self.log.read_text(encoding="utf-8"))
            time.sleep(0.05)
            text = self.log.read_text(encoding="utf-8")
            found = re.search(r"(?:serving MCP at|running on) http://127\.0\.0\.1:(\d+)", text)
        self.port = int(found[1])


@contextmanager
def sink(latency: float = 0.0, *, count: bool = False) -> Iterator[str]:
    """A live OTLP sink; gives its address."""
    options = ["--latency", str(latency), *(["--count"] if count else [])]
    with Process((sys.executable, str(HERE / "sink.py"), *options), clean()) as process:
        yield process.line()


@contextmanager
def sandbox() -> Iterator[dict[str, str]]:
    """The stand-in for Libraries.io; gives the settings of a server that asks it."""
    sys.path.insert(0, str(HERE.parent))
    from tests.support.stand_in import CANARY  # noqa: PLC0415
    from tests.support.stand_in import sandbox as serving  # noqa: PLC0415

    with serving() as url:
        yield {"LIBRARIES_IO_BASE_URL": url, "LIBRARIES_IO_API_KEY": CANARY}
