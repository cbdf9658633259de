"""An OTLP receiver that speaks gRPC: keeps the messages and the metadata that came with them."""

import threading
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2 as logs
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2 as metrics
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as traces

_PREFIX = "opentelemetry.proto.collector"
_SERVICES = {
    "traces": (f"{_PREFIX}.trace.v1.TraceService", traces.ExportTraceServiceRequest, traces.ExportTraceServiceResponse),
    "metrics": (
        f"{_PREFIX}.metrics.v1.MetricsService",
        metrics.ExportMetricsServiceRequest,
        metrics.ExportMetricsServiceResponse,
    ),
    "logs": (f"{_PREFIX}.logs.v1.LogsService", logs.ExportLogsServiceRequest, logs.ExportLogsServiceResponse),
}


class GrpcReceiver:
    """Listens on a loopback port while the block runs."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.messages: dict[str, list[Any]] = defaultdict(list)
        self.metadata: list[dict[str, Any]] = []
        self._server = grpc.server(ThreadPoolExecutor(4))
        for signal, (service, request, _) in _SERVICES.items():
            handler = grpc.unary_unary_rpc_method_handler(
                self._keeper(signal),
                request_deserializer=request.FromString,
                response_serializer=lambda reply: reply.SerializeToString(),
            )
            self._server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, {"Export": handler}),))
        self._port = self._server.add_insecure_port("127.0.0.1:0")

    def __enter__(self) -> "GrpcReceiver":
        self._server.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._server.stop(None).wait()

    @property
    def endpoint(self) -> str:
        """The address for `OTEL_EXPORTER_OTLP_ENDPOINT`."""
        return f"http://127.0.0.1:{self._port}"

    def _keeper(self, signal: str) -> Any:
        def keep(request: Any, context: grpc.ServicerContext) -> Any:
            with self._lock:
                self.messages[signal].append(request)
                self.metadata.append(dict(context.invocation_metadata()))
            return _SERVICES[signal][2]()

        return keep
