"""How long MCP sessions last, where the protocol revision has sessions: from `initialize` to the connection's end."""

import logging
import time
from collections.abc import Callable
from typing import Any, Final

from libraries_io_mcp.telemetry.instruments import Attributes, Instruments
from libraries_io_mcp.telemetry.semconv import Attribute

logger: Final = logging.getLogger(__name__)
_OF_A_SESSION: Final = (
    Attribute.MCP_PROTOCOL_VERSION,
    Attribute.NETWORK_TRANSPORT,
    Attribute.NETWORK_PROTOCOL_NAME,
    Attribute.NETWORK_PROTOCOL_VERSION,
)


class Sessions:
    """The sessions that are open."""

    def __init__(self, instruments: Instruments, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._instruments = instruments
        self._monotonic = monotonic
        self._open: dict[object, tuple[float, Attributes]] = {}

    def begin(self, session: Any, attributes: Attributes) -> None:
        """A session has been initialized; `attributes` are those of that request."""
        try:
            # There is no public way to learn of a session's end. Without this private one there is no such metric.
            on_end = session._connection.exit_stack.callback
        except AttributeError:
            logger.debug("this version of mcp does not tell when a session ends")
            return
        key = object()
        mine: Attributes = {attribute: attributes[attribute] for attribute in _OF_A_SESSION if attribute in attributes}
        self._open[key] = (self._monotonic(), mine)
        on_end(self._end, key)

    def end_all(self) -> None:
        """The process ends, and every session with it."""
        for key in list(self._open):
            self._end(key)

    def _end(self, key: object) -> None:
        started, attributes = self._open.pop(key, (None, {}))
        if started is not None:
            self._instruments.session(self._monotonic() - started, attributes)
