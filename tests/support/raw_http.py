"""HTTP as an attacker writes it: bytes on a socket, and what comes back until the server closes."""

import re
import socket
from typing import Final
from urllib.parse import urlsplit

from tests.support.polling import HANG_SECONDS

STATUS: Final = re.compile(rb"HTTP/1\.1 (\d{3}) ")


def connect(url: str) -> socket.socket:
    """A connection to the server of an address."""
    parts = urlsplit(url)
    return socket.create_connection((parts.hostname, parts.port), timeout=HANG_SECONDS)


def rest(connection: socket.socket) -> bytes:
    """All that the server still sends; `b""` if it only closes."""
    received = b""
    try:
        while part := connection.recv(65_536):
            received += part
    except ConnectionError:
        # It was cut off: what had come is all there is.
        return received
    return received


def exchange(url: str, sent: bytes) -> tuple[list[int], bytes]:
    """The statuses of all answers to `sent`, and their bytes. The server must close by itself."""
    with connect(url) as connection:
        connection.sendall(sent)
        received = rest(connection)
    return [int(status) for status in STATUS.findall(received)], received
