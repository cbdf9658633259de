"""What a call costs with telemetry and without: servers side by side, asked in turn, medians and ratios of one run.

`bare`: FastMCP with one tool that does nothing, no telemetry. `off`: this server with OTEL_SDK_DISABLED=true, which
stops spans, metrics and OTLP log records; its lines on stderr stay. `full`: spans, metrics and log records sent to a
live sink, and the same lines. `cached`: `full`, asked for a package that it has in its cache. `off` and `full` are
asked for get_quota_status, which asks no upstream, so what is compared is the server alone.
"""

import statistics
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack

from benchmarks.http_load import HttpCaller
from benchmarks.peers import BARE, OURS, HttpPeer, StdioPeer, clean, sandbox, sink

TOOL = "get_quota_status"
PACKAGE = {"platform": "pypi", "name": "requests"}
Ask = Callable[[], None]


def stdio(rounds: int, seconds: float) -> dict[str, dict[str, float]]:
    """One client over stdio, one call after the other."""
    with ExitStack() as stack:
        service, endpoint = stack.enter_context(sandbox()), stack.enter_context(sink())
        full = clean(OTEL_EXPORTER_OTLP_ENDPOINT=endpoint, **service)
        environments = {
            "bare": ((sys.executable, "-c", BARE, "stdio"), clean()),
            "off": (OURS, clean(OTEL_SDK_DISABLED="true", **service)),
            "full": (OURS, full),
            "cached": (OURS, full),
        }
        peers = {name: stack.enter_context(StdioPeer(*each)) for name, each in environments.items()}
        asks: dict[str, Ask] = {name: lambda peer=peer: peer.call(TOOL) for name, peer in peers.items()}
        asks["cached"] = lambda: peers["cached"].call("get_package_info", **PACKAGE)
        return compare(asks, {name: peer.cpu_seconds for name, peer in peers.items()}, rounds, seconds)


def http(rounds: int, seconds: float) -> dict[str, dict[str, float]]:
    """One client over streamable HTTP with a session, one call after the other."""
    with ExitStack() as stack:
        service, endpoint = stack.enter_context(sandbox()), stack.enter_context(sink())
        ours = (*OURS, "serve", "--transport", "http", "--port", "0")
        full = clean(OTEL_EXPORTER_OTLP_ENDPOINT=endpoint, **service)
        environments = {
            "off": (ours, clean(OTEL_SDK_DISABLED="true", **service)),
            "full": (ours, full),
        }
        peers = {name: stack.enter_context(HttpPeer(*each)) for name, each in environments.items()}
        callers = {name: stack.enter_context(HttpCaller(peer.port)) for name, peer in peers.items()}
        asks: dict[str, Ask] = {name: lambda caller=caller: caller.call(TOOL) for name, caller in callers.items()}
        return compare(asks, {name: peer.cpu_seconds for name, peer in peers.items()}, rounds, seconds)


def compare(
    asks: Mapping[str, Ask], cpu: Mapping[str, Callable[[], float]], rounds: int, seconds: float
) -> dict[str, dict[str, float]]:
    """Milliseconds a call, wall and CPU, and the median of each round's ratios to the other variants.

    A turn must last longer than the exporters' pause of one second: in shorter ones the background work of a variant
    falls into the turns of the others.
    """
    for ask in asks.values():
        for _ in range(100):
            ask()
    # Exporters are imported at their first batch, which is no cost of a call.
    time.sleep(3)
    wall: dict[str, list[float]] = {name: [] for name in asks}
    used: dict[str, list[float]] = {name: [] for name in asks}
    for number in range(rounds):
        # In turns, and in the other direction every second time: the machine's drift meets all alike.
        for name in sorted(asks, reverse=bool(number % 2)):
            began, before, calls = time.perf_counter(), cpu[name](), 0
            while (took := time.perf_counter() - began) < seconds:
                asks[name]()
                calls += 1
            wall[name].append(took / calls * 1000)
            used[name].append((cpu[name]() - before) / calls * 1000)
    return {name: _figures(name, wall, used) for name in asks}


def _figures(name: str, wall: Mapping[str, list[float]], used: Mapping[str, list[float]]) -> dict[str, float]:
    figures = {"wall_ms": statistics.median(wall[name]), "cpu_ms": statistics.median(used[name])}
    for base in wall:
        for kind, values in (("wall", wall), ("cpu", used)):
            ratios = [mine / theirs for mine, theirs in zip(values[name], values[base], strict=True)]
            figures[f"{kind}_to_{base}"] = statistics.median(ratios)
    return figures
