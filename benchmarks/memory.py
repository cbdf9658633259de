"""Whether memory grows: resident memory while one server with full telemetry answers many calls."""

import statistics
import time
from contextlib import ExitStack

from benchmarks.peers import OURS, StdioPeer, clean, sandbox, sink

STEPS = 8
REST_SECONDS = 3.0
"""Before each look: until then spans and log records of the last second wait for their export."""


def memory(calls: int) -> dict[str, float]:
    """MiB after each eighth of the calls. `grown_mib`: the median of the later four to that of the earlier four.

    What the interpreter holds ready for new objects goes up and down by some MiB, so one look says little.
    """
    with ExitStack() as stack:
        service, endpoint = stack.enter_context(sandbox()), stack.enter_context(sink())
        environment = clean(OTEL_EXPORTER_OTLP_ENDPOINT=endpoint, **service)
        peer = stack.enter_context(StdioPeer(OURS, environment))
        seen = []
        for _ in range(STEPS):
            for _ in range(calls // STEPS):
                peer.call("get_quota_status")
            time.sleep(REST_SECONDS)
            seen.append(peer.resident_bytes() / 2**20)
        half = STEPS // 2
        grown = statistics.median(seen[half:]) - statistics.median(seen[:half])
        return {"calls": calls, "first_mib": seen[0], "last_mib": seen[-1], "grown_mib": grown} | {
            f"mib_{number}": each for number, each in enumerate(seen, 1)
        }
