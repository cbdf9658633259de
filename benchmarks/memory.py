"""Whether memory grows: resident memory while one server with full telemetry answers many calls."""

from contextlib import ExitStack

from benchmarks.peers import OURS, StdioPeer, clean, sandbox, sink

STEPS = 8


def memory(calls: int) -> dict[str, float]:
    """MiB after the first eighth of the calls (caches full, exporters loaded) and after the last."""
    with ExitStack() as stack:
        service, endpoint = stack.enter_context(sandbox()), stack.enter_context(sink())
        environment = clean(OTEL_EXPORTER_OTLP_ENDPOINT=endpoint, **service)
        peer = stack.enter_context(StdioPeer(OURS, environment))
        seen = []
        for _ in range(STEPS):
            for _ in range(calls // STEPS):
                peer.call("get_quota_status")
            seen.append(peer.resident_bytes() / 2**20)
        return {"calls": calls, "first_mib": seen[0], "last_mib": seen[-1], "grown_mib": seen[-1] - seen[0]} | {
            f"mib_{number}": each for number, each in enumerate(seen, 1)
        }
