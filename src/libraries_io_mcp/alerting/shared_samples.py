"""The samples of all replicas: each tells the others what it measures, and evaluates the rules over what all measure.

So a threshold is one for all of them, as it is in Prometheus: who leads, and who leads next, see the same.
"""

import json
import logging
import struct
import zlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from itertools import islice
from operator import is_
from typing import Any, Final

from libraries_io_mcp.alerting.leader_election import PREFIX
from libraries_io_mcp.alerting.promql import Labels
from libraries_io_mcp.alerting.promql.model import NAME
from libraries_io_mcp.alerting.rounds import Samples
from libraries_io_mcp.redis_gateway import RedisGateway

TOPIC: Final = f"{PREFIX}samples"
SAID_SECONDS: Final = 60
"""What was said counts for so long, once: a replica that is gone gives no new samples."""
MOST_SAID: Final = 1_500
"""Series of one replica: three times what the rules look at of a busy one."""
LONGEST_BYTES: Final = 2_000_000
"""Of the labels of one replica, unpacked. What is longer was not written by us."""

logger: Final = logging.getLogger(__name__)


class SharedSamples:
    """Collects this replica's samples and those of the others: call `exchange`, then `collect` within the same round.

    Without Redis these are its own.

    Args:
        collect: this replica's own.
        names: the metrics that the rules look at; others are not shared. `None` shares all.
    """

    def __init__(self, gateway: RedisGateway, collect: Callable[[], Samples], names: Collection[str] | None) -> None:
        self._gateway = gateway
        self._collect = collect
        self._names = names
        self._round = 0
        self._said: list[Labels] = []
        self._head = b""
        self._heard: dict[bytes, _Replica] = {}
        self._gathered: list[tuple[Labels, float]] | None = None

    async def exchange(self) -> None:
        """Tell the others what this one measures, and hear what they have told since the last time."""
        own = list(self._collect())
        await self._tell(own)
        peers = await self._gateway.peers(TOPIC)
        self._gathered = [*own, *self._hear(peers)]

    def collect(self) -> list[tuple[Labels, float]]:
        """What `exchange` gathered, once: own samples first."""
        gathered, self._gathered = self._gathered, None
        return list(self._collect()) if gathered is None else gathered

    async def _tell(self, own: Iterable[tuple[Labels, float]]) -> None:
        wanted = [each for each in own if self._names is None or each[0].get(NAME) in self._names]
        said = list(islice(wanted, MOST_SAID))
        self._round += 1
        head = self._packed([labels for labels, _value in said])
        values = struct.pack(f"<{1 + len(said)}d", self._round, *(value for _labels, value in said))
        await self._gateway.publish(TOPIC, len(head).to_bytes(4, "big") + head + values, SAID_SECONDS)

    def _packed(self, labels: list[Labels]) -> bytes:
        # The same objects come each time, until there is a new series.
        if len(labels) != len(self._said) or not all(map(is_, labels, self._said)):
            self._said = labels
            self._head = zlib.compress(json.dumps(labels, separators=(",", ":")).encode())
        return self._head

    def _hear(self, texts: Mapping[bytes, bytes]) -> Iterator[tuple[Labels, float]]:
        self._heard = {name: self._heard.get(name) or _Replica() for name in texts}
        for name, text in texts.items():
            try:
                yield from self._heard[name].new(text)
            # Such as by another version of this program: that replica is not heard, and no harm is done.
            except (ValueError, TypeError, AttributeError, RecursionError, struct.error, zlib.error) as error:
                logger.debug("the samples of a replica can't be read: %s", type(error).__name__)


class _Replica:
    """One of the others, as it was heard last."""

    def __init__(self) -> None:
        self._head = b""
        self._labels: list[Labels] = []
        self._round = 0.0

    def new(self, text: bytes) -> list[tuple[Labels, float]]:
        """Its samples, if it has said them since the last time; the same object for the same labels each time.

        Raises:
            ValueError, AttributeError, struct.error, zlib.error: it said something else.
        """
        end = 4 + int.from_bytes(text[:4], "big")
        if text[4:end] != self._head:
            self._labels, self._head = _unpacked(text[4:end]), text[4:end]
        said, *values = struct.unpack(f"<{1 + len(self._labels)}d", text[end:])
        known, self._round = self._round, said
        return [] if known == said else list(zip(self._labels, values, strict=True))


def _unpacked(head: bytes) -> list[Labels]:
    found: Any = json.loads(zlib.decompressobj().decompress(head, LONGEST_BYTES))
    return [{str(name): str(value) for name, value in each.items()} for each in found]
