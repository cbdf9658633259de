"""Makes the exporters of OpenTelemetry by signal and way: otlp over HTTP or gRPC, console, file.

Everything is imported when an exporter is made, for start-up time: that happens in the exporting thread.
"""
# ruff: noqa: PLC0415 - start-up time, see above

import os
import sys
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final, Literal

from opentelemetry.sdk._logs.export import LogRecordExporter
from opentelemetry.sdk.metrics.export import MetricExporter
from opentelemetry.sdk.trace.export import SpanExporter

from libraries_io_mcp.errors import SettingsError
from libraries_io_mcp.settings import ObservationSettings, TelemetrySettings
from libraries_io_mcp.telemetry.semconv import Signal

Way = Literal["otlp", "console", "file"]
GRPC_EXPORTER: Final = "opentelemetry.exporter.otlp.proto.grpc"


class Exporters:
    """What the settings ask for, by signal."""

    def __init__(self, telemetry: TelemetrySettings, observation: ObservationSettings) -> None:
        self._telemetry = telemetry
        self._observation = observation

    def ways(self, signal: Signal) -> tuple[Way, ...]:
        """The ways out of a signal: asked for, and for `otlp` an endpoint is known."""
        if self._telemetry.sdk_disabled:
            return ()
        wanted = self._telemetry.wanted(signal)
        ways: tuple[Way, ...] = ("otlp", "console", "file")
        return tuple(way for way in ways if way in wanted and (way != "otlp" or self._telemetry.otlp(signal)))

    def check(self) -> None:
        """Find out now what would fail later in a thread.

        Raises:
            SettingsError: gRPC is asked for and not installed, or `file` without a folder.
        """
        signals: tuple[Signal, ...] = ("traces", "metrics", "logs")
        for signal in signals:
            ways = self.ways(signal)
            if "otlp" in ways and self._telemetry.protocol(signal) == "grpc" and not _has_grpc():
                raise SettingsError(
                    f"{self._telemetry.protocol_variable(signal)}='grpc': needs the extra `grpc`; install "
                    "libraries-io-mcp[grpc], or use http/protobuf"
                )
            if "file" in ways and self._observation.telemetry_file_directory is None:
                raise SettingsError(
                    f"OTEL_{signal.upper()}_EXPORTER='file': needs TELEMETRY_FILE_DIRECTORY; allowed: a folder that "
                    "can be written"
                )

    def span_exporter(self, way: Way, seconds: float | None = None) -> Callable[[], SpanExporter]:
        """Makes the exporter of a way for spans. `seconds`: longest OTLP export; `None`: as the SDK is set."""
        makers: dict[Way, Callable[[], SpanExporter]] = {
            "otlp": partial(self._otlp_spans, seconds),
            "console": _console_spans,
            "file": self._file_spans,
        }
        return makers[way]

    def metric_exporter(self, way: Way, seconds: float | None = None) -> Callable[[], MetricExporter]:
        """Makes the exporter of a way for metrics."""
        makers: dict[Way, Callable[[], MetricExporter]] = {
            "otlp": partial(self._otlp_metrics, seconds),
            "console": _console_metrics,
            "file": self._file_metrics,
        }
        return makers[way]

    def log_exporter(self, way: Way, seconds: float | None = None) -> Callable[[], LogRecordExporter]:
        """Makes the exporter of a way for log records."""
        makers: dict[Way, Callable[[], LogRecordExporter]] = {
            "otlp": partial(self._otlp_logs, seconds),
            "console": _console_logs,
            "file": self._file_logs,
        }
        return makers[way]

    def _otlp_spans(self, seconds: float | None) -> SpanExporter:
        if self._telemetry.protocol("traces") == "grpc":
            from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as Grpc

            return Grpc(timeout=seconds)
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

        from libraries_io_mcp.telemetry.bounded_session import bounded_session

        return OTLPSpanExporter(timeout=seconds, session=bounded_session())

    def _otlp_metrics(self, seconds: float | None) -> MetricExporter:
        if self._telemetry.protocol("metrics") == "grpc":
            from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter as Grpc

            return Grpc(timeout=seconds)
        from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter

        from libraries_io_mcp.telemetry.bounded_session import bounded_session

        return OTLPMetricExporter(timeout=seconds, session=bounded_session())

    def _otlp_logs(self, seconds: float | None) -> LogRecordExporter:
        if self._telemetry.protocol("logs") == "grpc":
            from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter as Grpc

            return Grpc(timeout=seconds)
        from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter

        from libraries_io_mcp.telemetry.bounded_session import bounded_session

        return OTLPLogExporter(timeout=seconds, session=bounded_session())

    def _file_spans(self) -> SpanExporter:
        from libraries_io_mcp.telemetry.otlp_files import OtlpFile, SpanFile

        return SpanFile(self._file("traces", OtlpFile))

    def _file_metrics(self) -> MetricExporter:
        from libraries_io_mcp.telemetry.otlp_files import MetricFile, OtlpFile

        return MetricFile(self._file("metrics", OtlpFile))

    def _file_logs(self) -> LogRecordExporter:
        from libraries_io_mcp.telemetry.otlp_files import LogFile, OtlpFile

        return LogFile(self._file("logs", OtlpFile))

    def _file(self, signal: Signal, kind: Callable[..., Any]) -> Any:
        settings = self._observation
        folder = settings.telemetry_file_directory or Path()
        return kind(
            folder / f"{signal}.jsonl",
            max_bytes=settings.telemetry_file_max_bytes,
            backup_count=settings.telemetry_file_backup_count,
        )


def _has_grpc() -> bool:
    # A parent package may be missing as well; find_spec imports it and says so by an error.
    try:
        return find_spec(GRPC_EXPORTER) is not None and find_spec("grpc") is not None
    except ModuleNotFoundError:
        return False


def _console_spans() -> SpanExporter:
    from opentelemetry.sdk.trace.export import ConsoleSpanExporter

    # stdout belongs to the stdio transport; one line each, so that what reads stderr line by line keeps working.
    return ConsoleSpanExporter(out=sys.stderr, formatter=lambda span: span.to_json(indent=None) + os.linesep)


def _console_metrics() -> MetricExporter:
    from opentelemetry.sdk.metrics.export import ConsoleMetricExporter

    return ConsoleMetricExporter(out=sys.stderr, formatter=lambda data: data.to_json(indent=None) + os.linesep)


def _console_logs() -> LogRecordExporter:
    from opentelemetry.sdk._logs.export import ConsoleLogRecordExporter

    return ConsoleLogRecordExporter(out=sys.stderr, formatter=lambda record: record.to_json(indent=None) + os.linesep)
