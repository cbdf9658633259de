"""The socket that HTTP is served on."""

import socket

from libraries_io_mcp.errors import SettingsError


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
        listener.bind((host, port))
        listener.listen(2048)
    except OSError as error:
        listener.close()
        raise SettingsError(
            f"MCP_HOST={host} MCP_PORT={port}: can't listen there: {error.strerror}; allowed: an address of this "
            "machine and a port that no other program uses"
        ) from None
    return listener
