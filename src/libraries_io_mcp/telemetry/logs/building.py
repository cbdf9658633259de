"""Log settings -> the logging of the process."""

from collections.abc import Callable
from functools import partial

from opentelemetry._logs import LoggerProvider

from libraries_io_mcp.settings import LogSettings
from libraries_io_mcp.telemetry.instruments import Instruments
from libraries_io_mcp.telemetry.logs.destinations import Destination, console, rotating_file, syslog
from libraries_io_mcp.telemetry.logs.facts import Facts, Reader
from libraries_io_mcp.telemetry.logs.lines import json_line, text_line
from libraries_io_mcp.telemetry.logs.process import Logging
from libraries_io_mcp.telemetry.logs.tail import LogTail
from libraries_io_mcp.telemetry.redaction import Redactor
from libraries_io_mcp.telemetry.semconv import SERVICE_NAME, Event

_HTTP = (Event.CALL_STARTED, Event.CALL_COMPLETED, Event.CALL_FAILED)
_MCP = (Event.OPERATION_STARTED, Event.OPERATION_COMPLETED, Event.OPERATION_FAILED)
# A failure of the server's own has no other record, so it stays.
_PERFORMANCE = (Event.OPERATION_SLOW, Event.WORK_STARTED, Event.WORK_COMPLETED)


def build_logging(
    settings: LogSettings,
    redactor: Redactor,
    *,
    provider: LoggerProvider | None,
    instruments: Instruments,
    tail: LogTail | None = None,
) -> Logging:
    """Take over logging. `provider` is `None` when log records leave by no exporter."""
    return Logging(
        tail=_reusing(tail, settings) if tail is not None else None,
        level=settings.level,
        line=json_line(redactor) if settings.format == "json" else text_line(redactor),
        reader=Reader(structured=settings.enable_structured, request_id=settings.include_request_id),
        destinations=_destinations(settings, instruments, others=provider is not None),
        provider=provider,
        hidden_events=_hidden(settings),
        on_drop=partial(instruments.log_dropped, "queue"),
    )


def _reusing(tail: LogTail, settings: LogSettings) -> Callable[[Facts, str | None], None]:
    """The tail wants JSON: a line that is JSON already is not made twice."""
    return tail.put if settings.format == "json" else lambda facts, _text: tail.put(facts)


def _destinations(settings: LogSettings, instruments: Instruments, *, others: bool) -> list[Destination]:
    made: list[Destination] = []
    alone = [settings.enable_console, settings.writes_file, settings.enable_syslog, others].count(True) == 1
    if settings.enable_console:
        made.append(Destination("console", console(None), on_drop=partial(instruments.log_dropped, "console")))
    if settings.file is not None and settings.writes_file:
        to_file = rotating_file(settings.file, max_bytes=settings.max_bytes, backup_count=settings.backup_count)
        made.append(
            Destination(
                "file",
                to_file,
                on_drop=partial(instruments.log_dropped, "file"),
                # Lines that are written together are rotated together.
                chunk=min(32_768, settings.max_bytes // 4),
                alone=alone,
                setting=f"LOG_FILE={settings.file}",
            )
        )
    if settings.enable_syslog:
        to_syslog = syslog(settings.syslog_target, SERVICE_NAME)
        made.append(
            Destination(
                "syslog",
                to_syslog,
                on_drop=partial(instruments.log_dropped, "syslog"),
                chunk=0,
                alone=alone,
                setting=f"LOG_SYSLOG_ADDRESS={settings.syslog_address}",
            )
        )
    return made


def _hidden(settings: LogSettings) -> set[str]:
    shown = (
        (settings.enable_http, _HTTP),
        (settings.enable_mcp, _MCP),
        (settings.enable_performance, _PERFORMANCE),
    )
    return {event for enabled, events in shown if not enabled for event in events}
