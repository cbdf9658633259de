"""Whether spans are lost: so many a second for some seconds, to a sink that takes its time to answer."""

import sys
import time
from urllib.request import urlopen

from benchmarks.peers import Process, clean, sink

SPANS_A_SECOND = 3_000
SOURCE = """
import sys, time
from libraries_io_mcp.settings import load_settings
from libraries_io_mcp.telemetry.providers import build_telemetry
telemetry = build_telemetry(load_settings(), serves_http=False)
tracer = telemetry.tracer_provider.get_tracer("bench")
attributes = {"mcp.method.name": "tools/call", "gen_ai.tool.name": "get_quota_status", "network.transport": "pipe"}
rate, seconds = float(sys.argv[1]), float(sys.argv[2])
began, made = time.perf_counter(), 0
while (passed := time.perf_counter() - began) < seconds:
    while made < passed * rate:
        tracer.start_span("tools/call get_quota_status", attributes=attributes).end()
        made += 1
    time.sleep(0.002)
telemetry.shutdown(30)
print(made, flush=True)
"""


def drops(seconds: float, latency: float = 0.2) -> dict[str, float]:
    """How many spans were made and how many arrived."""
    with sink(latency, count=True) as endpoint:
        command = (sys.executable, "-c", SOURCE, str(SPANS_A_SECOND), str(seconds))
        with Process(command, clean(OTEL_EXPORTER_OTLP_ENDPOINT=endpoint)) as process:
            made = int(process.line() or -1)
            if made < 0:
                raise SystemExit(process.log.read_text(encoding="utf-8"))
        time.sleep(latency)
        with urlopen(f"{endpoint}/spans") as answer:  # noqa: S310 - our own sink
            arrived = int(answer.read())
    return {"made": made, "arrived": arrived, "lost": made - arrived, "made_a_second": made / seconds}
