"""Replies that are not as promised: counted by endpoint and field, and said once for each kind."""

import logging
from collections import Counter
from typing import Final

from libraries_io_mcp.librariesio.decoder import Deviations
from libraries_io_mcp.telemetry.instruments import Instruments
from libraries_io_mcp.telemetry.semconv import Attribute

logger: Final = logging.getLogger("libraries_io_mcp.librariesio")


class DeviationCounter:
    """What of the replies could not be read since the start. The kinds are few: fields of our models by endpoint."""

    def __init__(self, instruments: Instruments) -> None:
        self._instruments = instruments
        self._counts: Counter[tuple[str, str]] = Counter()

    def record(self, endpoint: str, deviations: Deviations) -> None:
        """Count what one reply had; a warning the first time that a field of an endpoint could not be read."""
        for field, count in deviations.items():
            self._instruments.reply_deviation(endpoint, field, count)
            if (endpoint, field) not in self._counts:
                logger.warning(
                    "a reply of Libraries.io has a field that can't be read: %s of %s; it is unknown in answers. The "
                    "service has changed, or this reply is damaged",
                    field,
                    endpoint,
                    extra={Attribute.ENDPOINT: endpoint, Attribute.REPLY_FIELD: field},
                )
            self._counts[endpoint, field] += count

    def counts(self) -> dict[str, int]:
        """The counts by `endpoint field`."""
        return {f"{endpoint} {field}": count for (endpoint, field), count in self._counts.items()}
