"""Cold start over stdio: from starting the process to the answers of `initialize` and `tools/list`."""

import statistics
import sys
import time
from contextlib import ExitStack

from benchmarks.peers import BARE, BARE_SDK, OURS, StdioPeer, clean, sink


def cold_start(rounds: int) -> dict[str, dict[str, float]]:
    """Milliseconds, and ratios to bare FastMCP and to the bare SDK. `full`: everything on, a live sink."""
    with ExitStack() as stack:
        endpoint = stack.enter_context(sink())
        variants = {
            "sdk": ((sys.executable, "-c", BARE_SDK), clean()),
            "bare": ((sys.executable, "-c", BARE, "stdio"), clean()),
            "off": (OURS, clean(OTEL_SDK_DISABLED="true")),
            "full": (OURS, clean(OTEL_EXPORTER_OTLP_ENDPOINT=endpoint)),
        }
        taken: dict[str, list[float]] = {name: [] for name in variants}
        # The first start of each compiles byte code and warms the disk's cache.
        for number in range(rounds + 1):
            for name, (command, environment) in variants.items():
                began = time.perf_counter()
                with StdioPeer(command, environment) as peer:
                    peer.request("tools/list")
                    if number:
                        taken[name].append((time.perf_counter() - began) * 1000)
        return {
            name: {"wall_ms": statistics.median(mine)}
            | {
                f"wall_to_{base}": statistics.median(a / b for a, b in zip(mine, taken[base], strict=True))
                for base in variants
            }
            for name, mine in taken.items()
        }
