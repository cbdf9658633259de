"""A small real OTLP/HTTP receiver on a loopback port: keeps what arrives, and can be told to refuse or to hang.

It speaks protobuf, plain or gzip, and runs in threads, so no event loop is involved.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Self, TypeVar

import anyio.to_thread
from google.protobuf.message import DecodeError, Message
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest, ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from libraries_io_mcp.demo.otlp_http import LoopbackServer, Refusal
from libraries_io_mcp.demo.otlp_model import LogRecord, MetricPoint, Span, logs_of, points_of, spans_of
from libraries_io_mcp.errors import LibrariesIOMCPError

T = TypeVar("T")
MAX_BODY_BYTES: Final = 16 * 1024 * 1024


class NotReceivedError(LibrariesIOMCPError):
    """What was waited for did not arrive; the message says what it was and what had arrived."""


@dataclass(frozen=True, slots=True)
class ExportRequest:
    """One request that reached the receiver, and how it was answered (`None`: not at all)."""

    path: str
    status: int | None
    body_bytes: int
    """Decompressed."""


class OtlpReceiver:
    """Listens from `with` or `start` on until `close`; safe to ask from any thread."""

    def __init__(self, *, port: int = 0, max_body_bytes: int = MAX_BODY_BYTES) -> None:
        self._port = port
        self._max_body_bytes = max_body_bytes
        self._server: LoopbackServer | None = None
        self._changed = threading.Condition(threading.RLock())
        self._released = threading.Event()
        self._status: int | None = 200
        self._spans: list[Span] = []
        self._points: list[MetricPoint] = []
        self._logs: list[LogRecord] = []
        self._requests: list[ExportRequest] = []

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def start(self) -> None:
        """Listen."""
        server = self._server = LoopbackServer(self._port, self._take, max_body_bytes=self._max_body_bytes)
        threading.Thread(target=server.serve_forever, args=(0.05,), name="otlp-receiver", daemon=True).start()

    def close(self) -> None:
        """Stop listening and end every connection, answered or not. What arrived stays readable."""
        self._released.set()
        server, self._server = self._server, None
        if server is not None:
            server.shutdown()
            server.server_close()
            server.end_connections()

    @property
    def endpoint(self) -> str:
        """The address for `OTEL_EXPORTER_OTLP_ENDPOINT`."""
        if self._server is None:
            raise RuntimeError("the receiver does not listen")
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def spans(self) -> tuple[Span, ...]:
        """All spans so far, in the order they arrived."""
        with self._changed:
            return tuple(self._spans)

    @property
    def points(self) -> tuple[MetricPoint, ...]:
        """All metric points so far: one a series and export, the newest last."""
        with self._changed:
            return tuple(self._points)

    @property
    def logs(self) -> tuple[LogRecord, ...]:
        """All log records so far."""
        with self._changed:
            return tuple(self._logs)

    @property
    def requests(self) -> tuple[ExportRequest, ...]:
        """All well-formed export requests so far, also those that were refused or not answered on command."""
        with self._changed:
            return tuple(self._requests)

    def answer(self, status: int = 200) -> None:
        """From now on answer with this status; what comes with another one than 200 is not kept."""
        self._status = status
        self._released.set()

    def hang(self) -> None:
        """From now on be a black hole: accept connections and never answer, until `answer` or `close`."""
        self._released.clear()
        self._status = None

    def wait_for(self, wanted: Callable[[Self], T | None], description: str, seconds: float = 120.0) -> T:
        """What `wanted(receiver)` returns as soon as that is true.

        Raises:
            NotReceivedError: it stayed false for `seconds`.
        """
        end = time.monotonic() + seconds
        with self._changed:
            while not (found := wanted(self)):
                left = end - time.monotonic()
                if left <= 0:
                    raise NotReceivedError(f"waited {seconds:g} s for {description}; arrived: {self.summary()}")
                self._changed.wait(left)
            return found

    async def arrival(self, wanted: Callable[[Self], T | None], description: str, seconds: float = 120.0) -> T:
        """`wait_for` beside an event loop."""
        return await anyio.to_thread.run_sync(self.wait_for, wanted, description, seconds)

    def summary(self) -> str:
        """What has arrived, in one line."""
        names = ", ".join(sorted({span.name for span in self.spans})) or "none"
        metrics = len({point.name for point in self.points})
        return (
            f"{len(self.requests)} requests with {len(self.spans)} spans ({names}), {len(self.points)} points of "
            f"{metrics} metrics, {len(self.logs)} log records"
        )

    def _take(self, path: str, body: bytes) -> bytes | None:
        status = self._status
        if status == 200:
            reply = self._keep(path, body)
            self._note(ExportRequest(path, status, len(body)))
            return reply
        self._note(ExportRequest(path, status, len(body)))
        if status is not None:
            raise Refusal(status, f"told to answer {status}")
        self._released.wait()
        return None

    def _keep(self, path: str, body: bytes) -> bytes:
        try:
            match path:
                case "/v1/traces":
                    self._add(self._spans, spans_of(ExportTraceServiceRequest.FromString(body)))
                    reply: Message = ExportTraceServiceResponse()
                case "/v1/metrics":
                    self._add(self._points, points_of(ExportMetricsServiceRequest.FromString(body)))
                    reply = ExportMetricsServiceResponse()
                case "/v1/logs":
                    self._add(self._logs, logs_of(ExportLogsServiceRequest.FromString(body)))
                    reply = ExportLogsServiceResponse()
                case _:
                    raise Refusal(404, "there are /v1/traces, /v1/metrics and /v1/logs")
        except DecodeError:
            raise Refusal(400, "the body is not the protobuf message that this path takes") from None
        # A partial success would be named here; an empty message means that everything was kept.
        return bytes(reply.SerializeToString())

    def _add(self, kept: list[T], arrived: tuple[T, ...]) -> None:
        with self._changed:
            kept.extend(arrived)

    def _note(self, request: ExportRequest) -> None:
        with self._changed:
            self._requests.append(request)
            self._changed.notify_all()
