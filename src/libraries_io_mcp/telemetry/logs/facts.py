"""A caught record as plain facts: what every line and every OTLP record is made of."""

import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from traceback import format_exception
from typing import Any, Final

from opentelemetry import trace

from libraries_io_mcp.telemetry.logs.capture import EVENT_NAME, Entry, message_of
from libraries_io_mcp.telemetry.redaction import cut
from libraries_io_mcp.telemetry.semconv import Attribute

_STANDARD: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", EVENT_NAME}


@dataclass(frozen=True, slots=True)
class Facts:
    """One record. `extra` is empty when structured attributes are switched off."""

    entry: Entry
    message: str
    event_name: str | None
    extra: dict[str, Any]
    who: dict[str, str]
    """Request id and caller, under their attribute names, as far as they are to be logged."""
    ids: dict[str, str]
    """Trace and span id of the span the record was made in."""
    exception: str | None

    @property
    def timestamp(self) -> str:
        """When the record was made, in UTC to the millisecond."""
        moment = datetime.fromtimestamp(self.entry.record.created, UTC)
        return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass(frozen=True, slots=True)
class Reader:
    """Makes facts of entries, showing what the settings allow."""

    structured: bool = True
    request_id: bool = True

    def facts(self, entry: Entry) -> Facts:
        """The facts of one entry."""
        record = entry.record
        own = vars(record)
        event = own.get(EVENT_NAME)
        return Facts(
            entry,
            cut(message_of(record)),
            None if event is None else str(event),
            {key: _bounded(value) for key, value in own.items() if key not in _STANDARD} if self.structured else {},
            self._who(entry),
            _ids(entry),
            _exception(record),
        )

    def _who(self, entry: Entry) -> dict[str, str]:
        if entry.request is None:
            return {}
        who = {str(key): value for key, value in entry.request.attributes.items()}
        if not self.request_id:
            del who[Attribute.REQUEST_ID]
        return who


def _ids(entry: Entry) -> dict[str, str]:
    if not entry.context:
        return {}
    span = trace.get_current_span(entry.context).get_span_context()
    if not span.is_valid:
        return {}
    return {"trace_id": format(span.trace_id, "032x"), "span_id": format(span.span_id, "016x")}


def _exception(record: logging.LogRecord) -> str | None:
    parts = [record.stack_info] if record.stack_info else []
    if record.exc_info and record.exc_info[1] is not None:
        parts.insert(0, "".join(format_exception(record.exc_info[1])).rstrip("\n"))
    elif record.exc_text:
        parts.insert(0, record.exc_text)
    return cut("\n".join(parts)) or None


def _bounded(value: Any) -> Any:
    return cut(value) if isinstance(value, str) else value
