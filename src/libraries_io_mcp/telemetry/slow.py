"""A warning for each MCP request, question to Libraries.io and operation of our own that is longer than a threshold.

All are measured through the instruments, inside their spans, so that is where they are watched: a warning comes also
when the records of what ended well are switched off.
"""

import logging
from typing import Any, Final

from opentelemetry.metrics import Meter

from libraries_io_mcp.telemetry.instruments import Attributes, Instruments
from libraries_io_mcp.telemetry.logs.capture import EVENT_NAME
from libraries_io_mcp.telemetry.semconv import Attribute, CacheResult, Event, OperationName

logger: Final = logging.getLogger(__name__)
_SHOWN: Final = (Attribute.MCP_METHOD, Attribute.TOOL_NAME, Attribute.PROMPT_NAME, Attribute.ERROR_TYPE)


class WatchingInstruments(Instruments):
    """The instruments, with an eye on what takes long. `threshold` is in seconds."""

    def __init__(self, meter: Meter, *, threshold: float) -> None:
        super().__init__(meter)
        self._threshold = threshold

    def operation(self, duration: float, attributes: Attributes) -> None:
        """One MCP request has ended."""
        super().operation(duration, attributes)
        if duration > self._threshold:
            about: dict[str, Any] = {key: attributes[key] for key in _SHOWN if key in attributes}
            name = attributes.get(Attribute.TOOL_NAME) or attributes.get(Attribute.PROMPT_NAME)
            method = attributes.get(Attribute.MCP_METHOD, "request")
            self._warn(f"{method} {name}" if name else str(method), duration, about)

    def call(self, endpoint: str, duration: float, *, cache: CacheResult, error_type: str | None) -> None:
        """One question to Libraries.io has ended."""
        super().call(endpoint, duration, cache=cache, error_type=error_type)
        if duration > self._threshold:
            facts: dict[str, Any] = {Attribute.ENDPOINT: endpoint, Attribute.CACHE_RESULT: cache}
            if error_type is not None:
                facts[Attribute.ERROR_TYPE] = error_type
            self._warn(f"call of {endpoint}", duration, facts)

    def work(self, operation: OperationName, duration: float, error_type: str | None) -> None:
        """An operation of our own has ended."""
        super().work(operation, duration, error_type)
        if duration > self._threshold:
            facts: dict[str, Any] = {Attribute.OPERATION: operation}
            if error_type is not None:
                facts[Attribute.ERROR_TYPE] = error_type
            self._warn(operation, duration, facts)

    def _warn(self, what: str, duration: float, about: dict[str, Any]) -> None:
        extra = {
            **about,
            Attribute.DURATION: round(duration, 6),
            Attribute.THRESHOLD: self._threshold,
            EVENT_NAME: Event.OPERATION_SLOW,
        }
        logger.warning("%s was slow: %.3f s, threshold %g s", what, duration, self._threshold, extra=extra)
