"""What an open status page costs the server: calls a second with a page open to those with none, interleaved."""

import asyncio
import socket
import statistics
import threading
from contextlib import ExitStack
from typing import Any, Final, Self

from benchmarks.http_load import hammer
from benchmarks.peers import OURS, HttpPeer, clean, sandbox

CLIENTS: Final = 20


class Viewer:
    """An open page, as far as the server can tell: it reads the events as they come."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._socket.sendall(f"GET /status/events HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\n\r\n".encode())
        self.bytes = len(self._socket.recv(65_536))
        self._thread = threading.Thread(target=self._read, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._socket.close()

    def _read(self) -> None:
        while received := self._socket.recv(65_536):
            self.bytes += len(received)


def status_page(rounds: int, seconds: float) -> dict[str, Any]:
    """Medians over `rounds` pairs of the ratios open to closed: of calls a second, and of CPU time a call."""
    with ExitStack() as stack:
        service = stack.enter_context(sandbox())
        server = stack.enter_context(HttpPeer((*OURS, "serve", "--transport", "http", "--port", "0"), clean(**service)))
        asyncio.run(hammer(server.port, CLIENTS, 2.0))
        pairs = []
        for number in range(rounds):
            # Which of the two comes first changes, so that a machine that warms up favours neither.
            order = (True, False) if number % 2 else (False, True)
            found = {opened: _measure(server, seconds, opened=opened) for opened in order}
            pairs.append((found[True], found[False]))
        return {
            "rate_open_to_closed": statistics.median(opened[0] / closed[0] for opened, closed in pairs),
            "cpu_open_to_closed": statistics.median(opened[1] / closed[1] for opened, closed in pairs),
            "calls_per_second": statistics.median(closed[0] for _, closed in pairs),
            "rounds": rounds,
        }


def _measure(server: HttpPeer, seconds: float, *, opened: bool) -> tuple[float, float]:
    """Calls a second, and CPU seconds of the server a call."""
    with ExitStack() as stack:
        if opened:
            stack.enter_context(Viewer(server.port))
        before = server.cpu_seconds()
        rate = asyncio.run(hammer(server.port, CLIENTS, seconds))
        return rate, (server.cpu_seconds() - before) / (rate * seconds)
