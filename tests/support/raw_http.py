"""HTTP as an attacker writes it: bytes on a socket, and what comes back until the server closes."""

import re
import socket
from typing import Final
from urllib.parse import urlsplit

import httpx
from tests.support.polling import HANG_SECONDS

HIDDEN: Final = b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"
"""A request inside of another one: answering it would be the success of the attack."""
ACCEPT: Final = {"Accept": "application/json, text/event-stream", "Content-Type": "application/json"}
STATUS: Final = re.compile(rb"HTTP/1\.1 (\d{3}) ")


def address(url: str) -> tuple[str, int]:
    """Where the server of an address listens."""
    parts = urlsplit(url)
    return parts.hostname, parts.port


def connect(url: str) -> socket.socket:
    """A connection to the server of an address."""
    return socket.create_connection(address(url), timeout=HANG_SECONDS)


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


def post(head: str, body: bytes = b"") -> bytes:
    """A request to the MCP route."""
    return f"POST /mcp HTTP/1.1\r\nHost: localhost\r\n{head}\r\n\r\n".encode() + body


def ask_package(url: str, client: str, package: str) -> httpx.Response:
    """What a tool call gets that a proxy on this machine passes on for a client."""
    message = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "tools/call",
        "params": {"name": "get_package_info", "arguments": {"platform": "npm", "name": package}},
    }
    # What a client claims to be stands further left.
    headers = {**ACCEPT, "X-Forwarded-For": f"198.51.100.1, {client}", "MCP-Protocol-Version": "2025-11-25"}
    return httpx.post(url, json=message, headers=headers, timeout=HANG_SECONDS)


def refusals(base: str, reason: str) -> float:
    """How many requests the server at `base` has refused for a reason, by its own count."""
    label = f'libraries_io_refusal_reason="{reason}"'
    for line in httpx.get(f"{base}/metrics", timeout=HANG_SECONDS).text.splitlines():
        if line.startswith("libraries_io_http_refusals") and label in line:
            return float(line.rpartition(" ")[2])
    return 0.0


SMUGGLED: Final = {
    "both lengths": post(f"Content-Length: {len(HIDDEN) + 5}\r\nTransfer-Encoding: chunked", b"0\r\n\r\n" + HIDDEN),
    "both lengths, other order": post("Transfer-Encoding: chunked\r\nContent-Length: 5", b"0\r\n\r\n" + HIDDEN),
    "two lengths": post(f"Content-Length: 0\r\nContent-Length: {len(HIDDEN)}", HIDDEN),
    "the same length twice": post("Content-Length: 0\r\nContent-Length: 0", HIDDEN),
    "lengths in a list": post("Content-Length: 0, 0", HIDDEN),
    "signed length": post("Content-Length: +0", HIDDEN),
    "negative length": post("Content-Length: -1", HIDDEN),
    "hexadecimal length": post("Content-Length: 0x0", HIDDEN),
    "folded header": post("Content-Length: 0\r\nX-Folded: a\r\n Transfer-Encoding: chunked", HIDDEN),
    "folded length": post("Content-Length:\r\n 0", HIDDEN),
    "bare line feed": b"GET /health HTTP/1.1\nHost: localhost\n\n" + HIDDEN,
    "one bare line feed": post("X-One: a\nContent-Length: 0", HIDDEN),
    "bare carriage return": post("X-One: a\rContent-Length: 0", HIDDEN),
    "space before the colon": post("Transfer-Encoding : chunked", b"0\r\n\r\n" + HIDDEN),
    "unknown coding": post("Transfer-Encoding: xchunked", b"0\r\n\r\n" + HIDDEN),
    "two codings": post("Transfer-Encoding: chunked, identity", b"0\r\n\r\n" + HIDDEN),
    "two coding headers": post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", b"0\r\n\r\n" + HIDDEN),
    "vertical tab in the coding": post("Transfer-Encoding: \x0bchunked", b"0\r\n\r\n" + HIDDEN),
    "chunks in HTTP/1.0": b"POST /mcp HTTP/1.0\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    + HIDDEN,
    "zero byte in a header": post("X-Zero: a\0b\r\nContent-Length: 0", HIDDEN),
    "zero byte in a name": post("X\0: a\r\nContent-Length: 0", HIDDEN),
    "no colon": post("Content-Length 0", HIDDEN),
    "two hosts": post("Host: evil.example\r\nContent-Length: 0", HIDDEN),
    "no host": b"GET /health HTTP/1.1\r\n\r\n" + HIDDEN,
    "space in the target": b"GET /health x HTTP/1.1\r\nHost: localhost\r\n\r\n" + HIDDEN,
    "signed chunk": post("Transfer-Encoding: chunked", b"+0\r\n\r\n" + HIDDEN),
    "hexadecimal chunk": post("Transfer-Encoding: chunked", b"0x0\r\n\r\n" + HIDDEN),
    "endless chunk size": post("Transfer-Encoding: chunked", b"f" * 40 + b"\r\n" + HIDDEN),
    "bare line feed after a chunk size": post("Transfer-Encoding: chunked", b"0\n\n" + HIDDEN),
    "chunk longer than said": post("Transfer-Encoding: chunked", b"1\r\nab\r\n0\r\n\r\n" + HIDDEN),
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 40 + b"\r\n\r\n",
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
}
"""Requests that one server could read otherwise than another."""
