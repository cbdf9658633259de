"""Runs the sandbox on a socket: in the foreground for the command, or beside other code for tests."""

import asyncio
import errno
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import uvicorn
from starlette.types import ASGIApp

from libraries_io_mcp.sandbox.connections import Connections, protocol_class

LAST_PORT = 65_535
GRACE_SECONDS = 1
"""How long requests in flight are waited for at the end."""


def bind(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes a free one.

    Raises:
        OSError: the port is in use or not a port, or the address is not one of this machine.
    """
    if not 0 <= port <= LAST_PORT:
        raise OSError(errno.EINVAL, f"a port is a number from 0 to {LAST_PORT}")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.create_server((host, port), family=family)
    # asyncio does this itself only for sockets that it made; without it each kept-alive answer takes 40 ms more.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def base_url(listener: socket.socket) -> str:
    """`http://127.0.0.1:8081/api` for a listening socket."""
    host, port = listener.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}/api"


class SandboxServer(uvicorn.Server):
    """A uvicorn server that says when it accepts connections."""

    def __init__(self, app: ASGIApp, connections: Connections, on_ready: Callable[[], None]) -> None:
        config = uvicorn.Config(
            app,
            http=protocol_class(connections),
            ws="none",
            lifespan="off",
            loop="asyncio",
            access_log=False,
            log_config=None,
            log_level="warning",
            proxy_headers=False,
            server_header=False,
            timeout_graceful_shutdown=GRACE_SECONDS,
        )
        super().__init__(config)
        self._connections = connections
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._on_ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._connections.end_waits()
        await super().shutdown(sockets)


def serve(app: ASGIApp, connections: Connections, listener: socket.socket, on_ready: Callable[[], None]) -> None:
    """Serves until SIGINT or SIGTERM, then ends as the signal asks: by KeyboardInterrupt or by the signal itself."""
    with listener:
        SandboxServer(app, connections, on_ready).run(sockets=[listener])


@asynccontextmanager
async def serving(app: ASGIApp, connections: Connections) -> AsyncIterator[str]:
    """Serves on a free loopback port while the block runs. Gives the base URL, which ends with `/api`."""
    ready = asyncio.Event()
    with bind("127.0.0.1", 0) as listener:
        server = SandboxServer(app, connections, ready.set)
        task = asyncio.create_task(server.serve(sockets=[listener]))
        await ready.wait()
        try:
            yield base_url(listener)
        finally:
            server.should_exit = True
            await task
