"""The socket that HTTP is served on."""

import socket
from typing import Final

from libraries_io_mcp.errors import SettingsError

UNSENT_BYTES: Final = 131_072
"""What the kernel takes of an answer whose reader is behind. By itself it takes up to 4 MB, of which nobody knows."""


def bound_socket(host: str, port: int) -> socket.socket:
    """Listens already. The caller closes it.

    Raises:
        SettingsError: the address can't be listened on.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # asyncio does this itself only for sockets that it made; without it each kept-alive answer takes 40 ms more.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # The connections inherit it. What is on its way to a far client is not counted, so nobody is slower for it.
        if hasattr(socket, "TCP_NOTSENT_LOWAT"):
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT_BYTES)
        listener.bind((host, port))
        listener.listen(2048)
    except OSError as error:
        listener.close()
        raise SettingsError(
            f"MCP_HOST={host} MCP_PORT={port}: can't listen there: {error.strerror}; allowed: an address of this "
            "machine and a port that no other program uses"
        ) from None
    return listener
