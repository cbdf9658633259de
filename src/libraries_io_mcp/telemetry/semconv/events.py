"""Names of span events and of log records that stand for an event, and what those records carry."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from libraries_io_mcp.telemetry.semconv.attributes import Attribute


class Event(StrEnum):
    """Event names."""

    EXCEPTION = "exception"
    OPERATION_STARTED = "libraries_io.operation.started"
    OPERATION_COMPLETED = "libraries_io.operation.completed"
    OPERATION_FAILED = "libraries_io.operation.failed"
    CALL_STARTED = "libraries_io.call.started"
    CALL_COMPLETED = "libraries_io.call.completed"
    CALL_FAILED = "libraries_io.call.failed"
    OPERATION_SLOW = "libraries_io.operation.slow"
    WORK_STARTED = "libraries_io.work.started"
    WORK_COMPLETED = "libraries_io.work.completed"
    WORK_FAILED = "libraries_io.work.failed"
    ALERT_CHANGED = "alerting.alert.changed"


@dataclass(frozen=True, slots=True)
class LogEvent:
    """A kind of log record: its event name, level, when it is made, and its attributes."""

    name: Event
    level: str
    when: str
    attributes: tuple[Attribute, ...]


_OPERATION: Final = (
    Attribute.MCP_METHOD,
    Attribute.TOOL_NAME,
    Attribute.PROMPT_NAME,
    Attribute.OPERATION_NAME,
    Attribute.MCP_PROTOCOL_VERSION,
    Attribute.NETWORK_TRANSPORT,
    Attribute.NETWORK_PROTOCOL_NAME,
    Attribute.NETWORK_PROTOCOL_VERSION,
)
_CALL: Final = (Attribute.ENDPOINT, Attribute.PLATFORM, Attribute.PACKAGE)
_END: Final = (Attribute.DURATION, Attribute.OUTCOME)

LOG_EVENTS: Final = (
    LogEvent(Event.OPERATION_STARTED, "DEBUG", "an MCP request begins", _OPERATION),
    LogEvent(Event.OPERATION_COMPLETED, "INFO", "it ends well", (*_OPERATION, *_END)),
    LogEvent(
        Event.OPERATION_FAILED,
        "WARNING",
        "it ends with an error",
        (*_OPERATION, *_END, Attribute.ERROR_TYPE, Attribute.CALL_ERROR_TYPE, Attribute.RPC_STATUS_CODE),
    ),
    LogEvent(Event.CALL_STARTED, "DEBUG", "a question to Libraries.io begins", _CALL),
    LogEvent(
        Event.CALL_COMPLETED,
        "INFO; DEBUG for a kept answer; WARNING for a stale one",
        "it is answered",
        (*_CALL, *_END, Attribute.CACHE_RESULT),
    ),
    LogEvent(
        Event.CALL_FAILED,
        "WARNING; DEBUG when the caller went away",
        "it is not answered",
        (*_CALL, *_END, Attribute.CACHE_RESULT, Attribute.ERROR_TYPE),
    ),
    LogEvent(
        Event.OPERATION_SLOW,
        "WARNING",
        "an MCP request, a question to Libraries.io or an operation of our own took longer than SLOW_OPERATION_SECONDS",
        (
            Attribute.MCP_METHOD,
            Attribute.TOOL_NAME,
            Attribute.PROMPT_NAME,
            Attribute.ENDPOINT,
            Attribute.CACHE_RESULT,
            Attribute.OPERATION,
            Attribute.ERROR_TYPE,
            Attribute.DURATION,
            Attribute.THRESHOLD,
        ),
    ),
    LogEvent(Event.WORK_STARTED, "DEBUG", "an operation of our own begins", (Attribute.OPERATION,)),
    LogEvent(Event.WORK_COMPLETED, "DEBUG", "an operation of our own ends well", (Attribute.OPERATION, *_END)),
    LogEvent(
        Event.WORK_FAILED,
        "WARNING",
        "an operation of our own ends with an error",
        (Attribute.OPERATION, *_END, Attribute.ERROR_TYPE),
    ),
    LogEvent(
        Event.ALERT_CHANGED,
        "WARNING when one of severity medium or worse fires; DEBUG for severity none; else INFO",
        "an alert is about to fire, fires, or is over",
        (Attribute.ALERT_SEVERITY,),
    ),
)
PLAIN_LOG_ATTRIBUTES: Final = (
    Attribute.SERVICE_VERSION,
    Attribute.CODE_FILE,
    Attribute.CODE_FUNCTION,
    Attribute.CODE_LINE,
    Attribute.EXCEPTION_TYPE,
    Attribute.EXCEPTION_MESSAGE,
    Attribute.EXCEPTION_STACKTRACE,
    Attribute.REQUEST_ID,
    Attribute.USER_HASH,
    Attribute.USER_ID,
    Attribute.ENDPOINT,
    Attribute.BREAKER_STATE,
    Attribute.ERROR_TYPE,
    Attribute.HTTP_RESEND_COUNT,
    Attribute.ALERT_CHANNEL,
    Attribute.ALERT_OUTCOME,
)
"""What any record may carry, with an event name or without."""
