"""The open connections of the server, so that a fault can break one as a network would."""

import asyncio
import socket
import struct

from starlette.types import Receive, Scope
from uvicorn.protocols.http.h11_impl import H11Protocol

Address = tuple[object, ...]


class Connections:
    """Transports by the address of the client, which is also in the scope of each request."""

    def __init__(self) -> None:
        self._transports: dict[Address, asyncio.Transport] = {}
        self._ending = asyncio.Event()

    def opened(self, transport: asyncio.Transport) -> None:
        self._transports[_address(transport)] = transport

    def closed(self, transport: asyncio.Transport) -> None:
        # By identity: the address may belong to a newer connection already.
        self._transports = {place: other for place, other in self._transports.items() if other is not transport}

    def end_waits(self) -> None:
        """Ends every `wait`, for the server's own end."""
        self._ending.set()

    async def wait(self, receive: Receive, seconds: float) -> bool:
        """Waits that long, or until the client has left or the server ends. Says whether the client has left."""
        gone, ending = asyncio.create_task(_gone(receive)), asyncio.create_task(self._ending.wait())
        await asyncio.wait({gone, ending}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        has_left = gone.done()
        gone.cancel()
        ending.cancel()
        return has_left

    async def close(self, scope: Scope, receive: Receive) -> None:
        """Sends what has been written, then ends the connection.

        Raises:
            ConnectionAbortedError: the request did not come over a socket of this server.
        """
        self._transport(scope).close()
        await _gone(receive)

    async def reset(self, scope: Scope, receive: Receive) -> None:
        """Ends the connection at once with a TCP reset.

        Raises:
            ConnectionAbortedError: the request did not come over a socket of this server.
        """
        transport = self._transport(scope)
        # Lingering for 0 seconds makes the system send RST instead of FIN.
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
        await _gone(receive)

    def _transport(self, scope: Scope) -> asyncio.Transport:
        transport = self._transports.get(tuple(scope.get("client") or ()))
        if transport is None:
            raise ConnectionAbortedError("there is no connection to break")
        return transport


async def _gone(receive: Receive) -> None:
    """Returns once the client has left."""
    while (await receive())["type"] != "http.disconnect":
        pass


def _address(transport: asyncio.Transport) -> Address:
    # IPv6 addresses have four parts; a scope keeps host and port.
    return tuple(transport.get_extra_info("peername") or ())[:2]


def protocol_class(connections: Connections) -> type[asyncio.Protocol]:
    """Uvicorn's HTTP/1.1 protocol, which in addition reports its connections."""

    class RegisteredProtocol(H11Protocol):
        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            connections.opened(transport)
            super().connection_made(transport)

        def connection_lost(self, exc: Exception | None) -> None:
            connections.closed(self.transport)
            super().connection_lost(exc)

    return RegisteredProtocol
