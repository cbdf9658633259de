"""Between the product and the Collector: hands every export on, and keeps what was sent and whether it was taken."""

import threading
from collections.abc import Iterator
from typing import Final, Self

import httpx
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from tests.support.polling import HANG_SECONDS

from libraries_io_mcp.demo.otlp_http import PROTOBUF, LoopbackServer, Refusal
from libraries_io_mcp.demo.otlp_model import LogRecord, MetricPoint, Span, logs_of, points_of, spans_of

LARGEST_BYTES: Final = 8_388_608
"""What the Collector takes, too."""


class Ledger:
    """An OTLP address that is the Collector's own to whoever sends: same answers, and none while it is away.

    A batch that is sent again is the same bytes, so it counts once.
    """

    def __init__(self, collector: str) -> None:
        self._collector = httpx.Client(base_url=collector, timeout=HANG_SECONDS)
        self._server = LoopbackServer(0, self._hand_on, max_body_bytes=LARGEST_BYTES)
        self._sent: dict[tuple[str, bytes], bool] = {}
        self.refused = 0

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._server.end_connections()
        self._collector.close()

    @property
    def endpoint(self) -> str:
        """The address for `OTEL_EXPORTER_OTLP_ENDPOINT`."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def spans(self) -> list[Span]:
        """Every span that was sent, taken or not: the server sends it again until it is."""
        return [
            span for body in self._bodies("traces") for span in spans_of(ExportTraceServiceRequest.FromString(body))
        ]

    @property
    def logs(self) -> list[LogRecord]:
        """Every log record that was sent."""
        return [log for body in self._bodies("logs") for log in logs_of(ExportLogsServiceRequest.FromString(body))]

    @property
    def points(self) -> list[MetricPoint]:
        """Every metric point that the Collector took: one that it did not take is said again by the next one."""
        bodies = self._bodies("metrics", taken=True)
        return [point for body in bodies for point in points_of(ExportMetricsServiceRequest.FromString(body))]

    def _bodies(self, signal: str, *, taken: bool = False) -> Iterator[bytes]:
        sent = dict(self._sent)
        return (
            body for (path, body), was_taken in sent.items() if path == f"/v1/{signal}" and (was_taken or not taken)
        )

    def _hand_on(self, path: str, body: bytes) -> bytes:
        self._sent.setdefault((path, body), False)
        try:
            answer = self._collector.post(path, content=body, headers={"Content-Type": PROTOBUF})
        except httpx.TransportError as error:
            self.refused += 1
            raise Refusal(503, repr(error)) from None
        if not answer.is_success:
            self.refused += 1
            raise Refusal(answer.status_code, answer.text)
        self._sent[path, body] = True
        return answer.content
