"""What is told of every question when it ends: its duration as a metric, and one log record."""

import logging
from typing import Any, Final

from libraries_io_mcp.librariesio.ask import Ask
from libraries_io_mcp.telemetry.asked import note_question
from libraries_io_mcp.telemetry.instruments import Instruments
from libraries_io_mcp.telemetry.semconv import Attribute, CacheResult, Event

logger = logging.getLogger("libraries_io_mcp.librariesio")
_HOW: Final[dict[CacheResult, str]] = {
    "hit": "answered from the cache",
    "miss": "answered",
    "coalesced": "answered together with the same question of another caller",
    "stale": "answered with an old answer from the cache",
    "negative": "answered from the cache",
}


class CallRecord:
    """The record of one question: made when it begins, `end`ed once."""

    __slots__ = ("_about", "_ask", "_instruments")

    def __init__(self, ask: Ask[Any], instruments: Instruments) -> None:
        self._ask = ask
        self._instruments = instruments
        self._about = _about(ask)
        logger.debug("%s asked", ask.words, extra={"otel.event.name": Event.CALL_STARTED, **self._about})

    def end(self, seconds: float, result: CacheResult, error_type: str | None = None) -> None:
        """It ended after `seconds`: `error_type` says with which error, `cancelled` that its caller went away."""
        self._instruments.call(self._ask.endpoint.template, seconds, cache=result, error_type=error_type)
        note_question(result, self._about)
        level = _level(result, error_type)
        if not logger.isEnabledFor(level):
            return
        extra = {
            "otel.event.name": Event.CALL_FAILED if error_type else Event.CALL_COMPLETED,
            Attribute.DURATION: round(seconds, 6),
            Attribute.OUTCOME: "failed" if error_type else "completed",
            Attribute.CACHE_RESULT: result,
            **self._about,
        }
        milliseconds = seconds * 1000
        if error_type:
            extra[Attribute.ERROR_TYPE] = error_type
            logger.log(level, "%s failed after %.1f ms: %s", self._ask.words, milliseconds, error_type, extra=extra)
        else:
            logger.log(level, "%s %s in %.1f ms", self._ask.words, _HOW[result], milliseconds, extra=extra)


def _level(result: CacheResult, error_type: str | None) -> int:
    if error_type == "cancelled" or (result == "hit" and not error_type):
        return logging.DEBUG
    return logging.WARNING if error_type or result == "stale" else logging.INFO


def _about(ask: Ask[Any]) -> dict[str, Any]:
    """Attributes of a question's log records: the endpoint, and of its arguments platform and name only."""
    about: dict[str, Any] = {Attribute.ENDPOINT: ask.endpoint.template}
    for name, attribute in (("platform", Attribute.PLATFORM), ("name", Attribute.PACKAGE)):
        if name in ask.names:
            about[attribute] = ask.names[name]
    return about
