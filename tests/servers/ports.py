"""Loopback ports for servers that have to be told theirs, and keep them over a restart."""

import random
import socket
from itertools import islice
from pathlib import Path
from typing import Final

_EPHEMERAL: Final = Path("/proc/sys/net/ipv4/ip_local_port_range")
_LOWEST: Final = 10_000
_given: Final[set[int]] = set()


def free_ports(count: int) -> list[int]:
    """So many different ports that are free now, none of them twice in a process.

    They are below those that the kernel hands out itself: no outgoing connection, and no server that asks for any
    port, takes one of them before its server binds it, or while its server is away.
    """
    lowest_ephemeral = int(_EPHEMERAL.read_text(encoding="ascii").split()[0]) if _EPHEMERAL.exists() else 32_768
    candidates = list(range(_LOWEST, max(lowest_ephemeral, _LOWEST + 5_000)))
    # Not the seed of any test: two processes that start alike must not choose alike.
    random.SystemRandom().shuffle(candidates)
    found = list(islice((port for port in candidates if port not in _given and _is_free(port)), count))
    assert len(found) == count, "no free ports"
    _given.update(found)
    return found


def _is_free(port: int) -> bool:
    with socket.socket() as tried:
        try:
            tried.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
