"""What a tool call costs that is answered from the cache: its ratio to a bare FastMCP server's tool that does nothing.

    python -m benchmarks.cached_call [--rounds N] [--seconds S] [--json FILE]

Both are asked in turn over stdio, in one run; medians of each round's ratios. `cached` is this server with its
telemetry off, so that the tool and the cache are what is compared; `cached+telemetry` sends all three signals to a
live sink.
"""

import argparse
import json
import sys
from contextlib import ExitStack
from pathlib import Path

from benchmarks.overhead import PACKAGE, TOOL, compare
from benchmarks.peers import BARE, OURS, StdioPeer, clean, sandbox, sink


def cached_call(rounds: int, seconds: float) -> dict[str, dict[str, float]]:
    """Figures of each variant: milliseconds a call, wall and CPU, and the ratios to the others."""
    with ExitStack() as stack:
        service, endpoint = stack.enter_context(sandbox()), stack.enter_context(sink())
        bare = stack.enter_context(StdioPeer((sys.executable, "-c", BARE, "stdio"), clean()))
        off = stack.enter_context(StdioPeer(OURS, clean(OTEL_SDK_DISABLED="true", **service)))
        full = stack.enter_context(StdioPeer(OURS, clean(OTEL_EXPORTER_OTLP_ENDPOINT=endpoint, **service)))
        asks = {
            "bare": lambda: bare.call(TOOL),
            "cached": lambda: off.call("get_package_info", **PACKAGE),
            "cached+telemetry": lambda: full.call("get_package_info", **PACKAGE),
        }
        peers = {"bare": bare, "cached": off, "cached+telemetry": full}
        return compare(asks, {name: peer.cpu_seconds for name, peer in peers.items()}, rounds, seconds)


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=1.5, help="a variant and round")
    parser.add_argument("--json", type=Path, help="also write the figures here")
    options = parser.parse_args()
    figures = cached_call(options.rounds, options.seconds)
    for name, found in figures.items():
        print(
            f"{name:18} {found['wall_ms']:7.3f} ms, {found['cpu_ms']:7.3f} ms of CPU;"
            f" to bare {found['wall_to_bare']:5.2f}, CPU {found['cpu_to_bare']:5.2f}"
        )
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
