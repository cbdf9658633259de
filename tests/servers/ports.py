"""Loopback ports that are free now."""

import socket
from contextlib import ExitStack


def free_ports(count: int) -> list[int]:
    """So many different ports. A server binds them in a moment; nothing else on a test machine picks them at random."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
