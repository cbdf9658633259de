"""Records as OpenTelemetry has them: handed to the LoggerProvider, which batches and exports in its own threads."""

import logging
from typing import Any, Final

from opentelemetry._logs import Logger, LoggerProvider, LogRecord
from opentelemetry.instrumentation.log_utils import std_to_otel

from libraries_io_mcp.telemetry.logs.facts import Facts
from libraries_io_mcp.telemetry.logs.throttle import OWN_PACKAGES

_SEVERITY_TEXT: Final = {"WARNING": "WARN", "CRITICAL": "FATAL"}
_CARRIED: Final = (str, bool, int, float, bytes, list, tuple, dict)
"""Types of values that OTLP carries; anything else goes as its text."""


class OtlpEmitter:
    """Emits facts under the span they were made in. Redaction is the exporters' business."""

    def __init__(self, provider: LoggerProvider) -> None:
        self._provider = provider
        self._loggers: dict[str, Logger] = {}

    def emit(self, facts: Facts) -> None:
        """Hand one record to the SDK, unless it comes from the exporters: a failing export would feed itself."""
        record = facts.entry.record
        if record.name.partition(".")[0] in OWN_PACKAGES:
            return
        self._logger(record.name).emit(
            LogRecord(
                timestamp=int(record.created * 1e9),
                observed_timestamp=int(record.created * 1e9),
                context=facts.entry.context,
                severity_text=_SEVERITY_TEXT.get(record.levelname, record.levelname),
                severity_number=std_to_otel(record.levelno),
                body=facts.message,
                attributes=_attributes(facts),
                event_name=facts.event_name,
            )
        )

    def _logger(self, name: str) -> Logger:
        logger = self._loggers.get(name)
        if logger is None:
            logger = self._loggers[name] = self._provider.get_logger(name)
        return logger


def _attributes(facts: Facts) -> dict[str, Any]:
    attributes: dict[str, Any] = {
        key: value if isinstance(value, _CARRIED) else str(value) for key, value in facts.extra.items()
    }
    attributes |= facts.who
    error = _error(facts.entry.record)
    if error is not None:
        attributes["exception.type"] = type(error).__qualname__
        attributes["exception.message"] = str(error)
    if facts.exception is not None:
        attributes["exception.stacktrace"] = facts.exception
    return attributes


def _error(record: logging.LogRecord) -> BaseException | None:
    return record.exc_info[1] if record.exc_info else None
