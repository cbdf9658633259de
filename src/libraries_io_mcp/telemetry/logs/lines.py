"""A record as a line: JSON for machines, text for eyes. What must not be seen is masked here."""

import json
from collections.abc import Callable
from typing import Any, Final

from libraries_io_mcp.telemetry.logs.facts import Facts
from libraries_io_mcp.telemetry.redaction import Redactor
from libraries_io_mcp.telemetry.semconv import Attribute

Line = Callable[[Facts], str]
"""Makes the line of a record, without a line break at its end."""
_LINE_NAMES: Final = {str(Attribute.REQUEST_ID): "request_id"}
"""Shorter names that lines have beside `trace_id`."""


def json_line(redactor: Redactor) -> Line:
    """One JSON object a line: the record's facts, `extra` fields as they are, ids where there are any."""

    def line(facts: Facts) -> str:
        fields = _fields(facts)
        text = _dumped(fields)
        # Nearly always there is nothing to hide, and one look at the finished line shows it.
        return _dumped(_plain(redactor.attributes(_speaking(fields)))) if redactor.suspicious(text) else text

    return line


def text_line(redactor: Redactor) -> Line:
    """Time, level, logger, message, `key=value` fields; an exception on further lines."""

    def line(facts: Facts) -> str:
        fields = _fields(facts)
        shown = _plain(redactor.attributes(_speaking(fields))) if redactor.suspicious(str(fields)) else fields
        head = f"{shown['timestamp']} {shown['level']:<8} {shown['logger']}: {_one_line(shown['message'])}"
        rest = [f"{key}={_one_line(value)}" for key, value in shown.items() if key not in _HEAD]
        trace = "".join(f"\n{escaped(row)}" for row in str(shown.get("exception", "")).splitlines())
        return " ".join([head, *rest]) + trace

    return line


_HEAD: Final = frozenset({"timestamp", "level", "logger", "message", "module", "function", "line", "exception"})


def _fields(facts: Facts) -> dict[str, Any]:
    record = facts.entry.record
    fields: dict[str, Any] = {
        "timestamp": facts.timestamp,
        "level": record.levelname,
        "logger": record.name,
        "message": facts.message,
        "module": record.module,
        "function": record.funcName,
        "line": record.lineno,
    }
    if facts.event_name is not None:
        fields["event"] = facts.event_name
    # A field of a stranger never hides one of the record itself.
    fields |= {f"extra.{key}" if key in _RESERVED else key: value for key, value in facts.extra.items()}
    fields |= {_LINE_NAMES.get(key, key): value for key, value in facts.who.items()}
    fields |= facts.ids
    if facts.exception is not None:
        fields["exception"] = facts.exception
    return fields


_RESERVED: Final = _HEAD | {"event", "request_id", "trace_id", "span_id"}


def _dumped(fields: dict[str, Any]) -> str:
    try:
        line = json.dumps(fields, default=str, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError):
        # Keys that are no text, or a value that holds itself.
        line = json.dumps({str(key): str(value) for key, value in fields.items()}, ensure_ascii=False)
    # A terminal obeys some characters that JSON leaves as they are; as escapes they mean the same.
    return (
        line if line.isprintable() else "".join(each if each.isprintable() else json.dumps(each)[1:-1] for each in line)
    )


def _speaking(fields: dict[str, Any]) -> dict[str, Any]:
    """The fields with objects turned into the text that would be written of them, so that it can be looked at."""
    try:
        spoken: dict[str, Any] = json.loads(json.dumps(fields, default=str))
    except (TypeError, ValueError, RecursionError):
        return {str(key): str(value) for key, value in fields.items()}
    return spoken


def _plain(fields: Any) -> dict[str, Any]:
    return dict(fields)


def _one_line(value: object) -> str:
    text = str(value)
    return text if text.isprintable() else escaped(text.replace("\\", "\\\\"))


def escaped(text: str) -> str:
    """The text with all that a terminal could obey, or not show, as an escape: `\\x1b` instead of the character."""
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)
