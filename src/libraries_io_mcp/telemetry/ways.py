"""One way out for one signal: makes its exporter late, redacts what goes through, keeps count, and fails alone.

The exporter is made in the thread that exports, at the first batch, so that the start of the server never waits for
its imports; one that can't be made (a folder that can't be written) is tried again at the next batch. Each way has a
processor with a bounded queue of its own, so a slow or dead one never disturbs another.
"""

import logging
from collections.abc import Callable, Sequence
from typing import Any, Final

from opentelemetry.sdk._logs import ReadableLogRecord, ReadWriteLogRecord
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor, LogRecordExporter, LogRecordExportResult
from opentelemetry.sdk.metrics.export import MetricExporter, MetricExportResult, MetricsData
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

from libraries_io_mcp.telemetry.complaints import complaints
from libraries_io_mcp.telemetry.deliveries import Counts
from libraries_io_mcp.telemetry.redacting import clean_logs, clean_metrics, clean_spans, points_in
from libraries_io_mcp.telemetry.redaction import Redactor

LONGEST_REASON: Final = 300

logger: Final = logging.getLogger(__name__)


class _Late:
    """Makes an exporter when it is first needed, and again when that failed."""

    def __init__(self, make: Callable[[], Any], redactor: Redactor, counts: Counts) -> None:
        self._make = make
        self._redactor = redactor
        self._counts = counts
        self.made: Any = None
        self.preparing = False
        """Whether the exporter is just being made, for which its modules are imported."""

    def export(self, count: int, send: Callable[[Any], bool]) -> bool:
        """Have `count` things sent; whether they were. Never raises."""
        try:
            self.made = self.made or self._prepare()
            with complaints(lambda words: self._counts.troubled(self._told(words))) as heard:
                sent = send(self.made)
        except Exception as error:  # whatever an exporter raises concerns this way alone
            self._failed(count, _named(error))
            logger.warning("%s can't be written by %s: %s", self._counts.signal, self._counts.way, _reason(error))
            return False
        if sent:
            self._counts.delivered(count)
        else:
            self._failed(count, heard.first or "it was not taken")
        return sent

    def _failed(self, count: int, words: str) -> None:
        # What was counted and measured comes again with the next collection; spans and records do not.
        note = self._counts.put_off if self._counts.signal == "metrics" else self._counts.failed
        note(count, self._told(words))

    def _told(self, words: str) -> str:
        return self._redactor.text(words)[:LONGEST_REASON]

    def _prepare(self) -> Any:
        self.preparing = True
        try:
            return self._make()
        finally:
            self.preparing = False


class SpanWay(SpanExporter):
    """A way out for spans."""

    def __init__(self, make: Callable[[], SpanExporter], redactor: Redactor, counts: Counts) -> None:
        self._late = _Late(make, redactor, counts)
        self._redactor = redactor

    @property
    def preparing(self) -> bool:
        """Whether the exporter is just being made."""
        return self._late.preparing

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Export one batch."""
        sent = self._late.export(
            len(spans), lambda made: made.export(clean_spans(self._redactor, spans)) is SpanExportResult.SUCCESS
        )
        return SpanExportResult.SUCCESS if sent else SpanExportResult.FAILURE

    def shutdown(self) -> None:
        """End the exporter if there ever was one."""
        if self._late.made is not None:
            self._late.made.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Flush the exporter if there ever was one."""
        return self._late.made is None or bool(self._late.made.force_flush(timeout_millis))


class LogWay(LogRecordExporter):
    """A way out for log records."""

    def __init__(self, make: Callable[[], LogRecordExporter], redactor: Redactor, counts: Counts) -> None:
        self._late = _Late(make, redactor, counts)
        self._redactor = redactor

    @property
    def preparing(self) -> bool:
        """Whether the exporter is just being made."""
        return self._late.preparing

    def export(self, batch: Sequence[ReadableLogRecord]) -> LogRecordExportResult:
        """Export one batch."""
        sent = self._late.export(
            len(batch), lambda made: made.export(clean_logs(self._redactor, batch)) is LogRecordExportResult.SUCCESS
        )
        return LogRecordExportResult.SUCCESS if sent else LogRecordExportResult.FAILURE

    def shutdown(self) -> None:
        """End the exporter if there ever was one."""
        if self._late.made is not None:
            self._late.made.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Flush the exporter if there ever was one."""
        return self._late.made is None or bool(self._late.made.force_flush(timeout_millis))


class MetricWay(MetricExporter):
    """A way out for metrics. Cumulative always: the InfluxDB exporter of the Collector takes nothing else."""

    def __init__(self, make: Callable[[], MetricExporter], redactor: Redactor, counts: Counts) -> None:
        super().__init__()
        self._late = _Late(make, redactor, counts)
        self._redactor = redactor
        self._counts = counts

    @property
    def preparing(self) -> bool:
        """Whether the exporter is just being made."""
        return self._late.preparing

    def export(self, metrics_data: MetricsData, timeout_millis: float = 10_000, **kwargs: object) -> MetricExportResult:
        """Export one collection."""
        count = points_in(metrics_data)
        self._counts.offered(count)

        def send(made: MetricExporter) -> bool:
            clean = clean_metrics(self._redactor, metrics_data)
            return made.export(clean, timeout_millis, **kwargs) is MetricExportResult.SUCCESS

        return MetricExportResult.SUCCESS if self._late.export(count, send) else MetricExportResult.FAILURE

    def force_flush(self, timeout_millis: float = 10_000) -> bool:
        """Flush the exporter if there ever was one."""
        return self._late.made is None or bool(self._late.made.force_flush(timeout_millis))

    def shutdown(self, timeout_millis: float = 30_000, **kwargs: object) -> None:
        """End the exporter if there ever was one."""
        if self._late.made is not None:
            self._late.made.shutdown(timeout_millis, **kwargs)


class SpanQueue(BatchSpanProcessor):
    """The SDK's batch processor, which also says how many spans it was given and how many it had no room for."""

    def __init__(self, way: SpanWay, counts: Counts, room: int) -> None:
        """`room`: for so many, those that are just being sent among them. So the SDK's own queue is never full."""
        super().__init__(way, max_queue_size=room)
        self._counts = counts
        self._room = room

    def on_end(self, span: ReadableSpan) -> None:
        """Queue an ended span, if there is room."""
        if span.context is None or not span.context.trace_flags.sampled:
            return
        if self._counts.has_room(self._room):
            super().on_end(span)


class LogQueue(BatchLogRecordProcessor):
    """The same for log records."""

    def __init__(self, way: LogWay, counts: Counts, room: int, on_drop: Callable[[], None]) -> None:
        super().__init__(way, max_queue_size=room)
        self._counts = counts
        self._room = room
        self._on_drop = on_drop

    def on_emit(self, log_record: ReadWriteLogRecord) -> None:
        """Queue a record, if there is room."""
        if self._counts.has_room(self._room):
            super().on_emit(log_record)
        else:
            self._on_drop()


def _reason(error: Exception) -> str:
    return (error.strerror or str(error)) if isinstance(error, OSError) else _named(error)


def _named(error: Exception) -> str:
    return f"{type(error).__name__}: {(isinstance(error, OSError) and error.strerror) or error}"
