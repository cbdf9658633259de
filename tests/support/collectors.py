"""What may be at the other end of OTLP: nobody, somebody who never answers, or a receiver that keeps all bytes."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from libraries_io_mcp.demo.otlp_http import LoopbackServer
from libraries_io_mcp.demo.otlp_receiver import OtlpReceiver

MESSAGES: Final = {
    "/v1/traces": ExportTraceServiceRequest,
    "/v1/metrics": ExportMetricsServiceRequest,
    "/v1/logs": ExportLogsServiceRequest,
}
STATES: Final = ("off", "dead", "black hole", "live")


@contextmanager
def unused_port() -> Iterator[int]:
    """A loopback port that refuses connections: bound, so that nobody else takes it, and not listening."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


@contextmanager
def collector(state: str) -> Iterator[dict[str, str]]:
    """The environment of a server whose Collector is in a state, one of `STATES`."""
    if state == "off":
        yield {"OTEL_SDK_DISABLED": "true"}
    elif state == "dead":
        with unused_port() as port:
            yield {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{port}"}
    elif state == "black hole":
        with OtlpReceiver() as receiver:
            receiver.hang()
            yield {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint}
    elif state == "live":
        with OtlpReceiver() as receiver:
            yield {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint}
    else:
        raise ValueError(state)


class ByteKeeper:
    """An OTLP receiver that keeps each request body as it came (decompressed), for searching."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._bodies: list[tuple[str, bytes]] = []
        self._server = LoopbackServer(0, self._take, max_body_bytes=16 * 1024 * 1024)

    def __enter__(self) -> "ByteKeeper":
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._server.end_connections()

    @property
    def endpoint(self) -> str:
        """The address for `OTEL_EXPORTER_OTLP_ENDPOINT`."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def bodies(self, path: str) -> bytes:
        """All bodies that came to a path, one after the other."""
        with self._lock:
            return b"\n".join(body for at, body in self._bodies if at == path)

    def decoded(self, path: str) -> str:
        """The same as the text form of their messages."""
        with self._lock:
            return "\n".join(str(MESSAGES[path].FromString(body)) for at, body in self._bodies if at == path)

    def _take(self, path: str, body: bytes) -> bytes:
        with self._lock:
            self._bodies.append((path, body))
        return b""
