"""Signals in rotated files, as OTLP/JSON lines that the Collector's `otlpjsonfile` receiver reads.

The messages are made by OpenTelemetry's own encoder and written by protobuf's JSON form. The one difference between
that form and OTLP/JSON is that ids are hex and not base64.
"""

import base64
import json
import logging
import logging.handlers
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NoReturn, TypeVar

from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from opentelemetry.exporter.otlp.proto.common._log_encoder import encode_logs
from opentelemetry.exporter.otlp.proto.common.metrics_encoder import encode_metrics
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk._logs import ReadableLogRecord
from opentelemetry.sdk._logs.export import LogRecordExporter, LogRecordExportResult
from opentelemetry.sdk.metrics.export import MetricExporter, MetricExportResult, MetricsData
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

T = TypeVar("T")
ITEMS_A_LINE: Final = 100
"""The receiver takes lines of up to 1 MiB; so many spans or records stay far below."""
_IDS: Final = frozenset({"traceId", "spanId", "parentSpanId"})


class OtlpFile:
    """A rotated file of OTLP/JSON lines."""

    def __init__(self, path: Path, *, max_bytes: int, backup_count: int) -> None:
        self._path = path
        with _naming(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            self._handler = _File(path, maxBytes=max_bytes, backupCount=backup_count, encoding="utf-8")

    def write(self, message: Message) -> None:
        """Add one export request as a line.

        Raises:
            OSError: it can't be written.
        """
        line = json.dumps(_with_hex_ids(MessageToDict(message, use_integers_for_enums=True)), ensure_ascii=False)
        with _naming(self._path):
            self._handler.emit(logging.LogRecord("", logging.INFO, "", 0, line, None, None))

    def close(self) -> None:
        """Close the file."""
        self._handler.close()


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Whoever is told what went wrong is told which file it is and where that comes from."""
    try:
        yield
    except OSError as error:
        where = f"TELEMETRY_FILE_DIRECTORY={path.parent}, {path.name}"
        raise OSError(error.errno, f"{where}: {error.strerror}") from error


class SpanFile(SpanExporter):
    """Spans as lines of a file."""

    def __init__(self, file: OtlpFile) -> None:
        self._file = file

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Write one batch."""
        for part in _parts(spans):
            self._file.write(encode_spans(part))
        return SpanExportResult.SUCCESS

    def shutdown(self) -> None:
        """Close the file."""
        self._file.close()


class LogFile(LogRecordExporter):
    """Log records as lines of a file."""

    def __init__(self, file: OtlpFile) -> None:
        self._file = file

    def export(self, batch: Sequence[ReadableLogRecord]) -> LogRecordExportResult:
        """Write one batch."""
        for part in _parts(batch):
            self._file.write(encode_logs(part))
        return LogRecordExportResult.SUCCESS

    def shutdown(self) -> None:
        """Close the file."""
        self._file.close()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:  # noqa: ARG002 - part of the library's signature
        """Every line is flushed when it is written."""
        return True


class MetricFile(MetricExporter):
    """Collections of metrics as lines of a file."""

    def __init__(self, file: OtlpFile) -> None:
        super().__init__()
        self._file = file

    def export(
        self,
        metrics_data: MetricsData,
        timeout_millis: float = 10_000,  # noqa: ARG002 - part of the library's signature
        **_kwargs: object,
    ) -> MetricExportResult:
        """Write one collection."""
        self._file.write(encode_metrics(metrics_data))
        return MetricExportResult.SUCCESS

    def force_flush(self, timeout_millis: float = 10_000) -> bool:  # noqa: ARG002 - part of the library's signature
        """Every line is flushed when it is written."""
        return True

    def shutdown(self, timeout_millis: float = 30_000, **_kwargs: object) -> None:  # noqa: ARG002 - the same
        """Close the file."""
        self._file.close()


class _File(logging.handlers.RotatingFileHandler):
    """Raises instead of printing a traceback."""

    def handleError(self, record: logging.LogRecord) -> NoReturn:  # noqa: N802, ARG002 - the library's signature
        raise sys.exc_info()[1] or RuntimeError("a handler failed without saying why")


def _parts(items: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), ITEMS_A_LINE):
        yield items[start : start + ITEMS_A_LINE]


def _with_hex_ids(value: Any) -> Any:
    """The same with ids as OTLP/JSON spells them. Attributes are lists of `key` and `value`, so no name clashes."""
    if isinstance(value, dict):
        return {
            key: base64.b64decode(item).hex() if key in _IDS else _with_hex_ids(item) for key, item in value.items()
        }
    if isinstance(value, list):
        return [_with_hex_ids(item) for item in value]
    return value
