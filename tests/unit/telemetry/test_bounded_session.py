"""Whatever a Collector answers, the exporter's session reads a bounded part of it and says what was wrong."""

import gzip
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from requests import Session
from requests.exceptions import ConnectionError as ReplyError

from libraries_io_mcp.telemetry.bounded_session import LONGEST_REPLY, BoundedAdapter, bounded_session

HEAD = b"HTTP/1.1 200 OK\r\nConnection: close\r\n"
PIECE = b"A" * 65_536
MOST_PIECES = 2_000


@contextmanager
def collector(*parts: bytes, endless: bool = False) -> Iterator[tuple[str, list[int]]]:
    """A server that answers with the parts; an endless one goes on for 128 MB. Also the sizes of what it sent."""
    sent: list[int] = []

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            while self.rfile.readline().strip():
                pass
            try:
                for part in (*parts, *([PIECE] * MOST_PIECES if endless else ())):
                    self.wfile.write(part)
                    sent.append(len(part))
            except ConnectionError:
                return

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/", sent
        finally:
            server.shutdown()


def test_a_reply_is_read_as_it_is():
    with collector(HEAD + b"Content-Length: 5\r\n\r\n", b"hello") as (url, _), bounded_session() as session:
        reply = session.get(url, timeout=30)
    assert (reply.status_code, reply.content) == (200, b"hello")


def test_a_compressed_reply_is_unpacked():
    with collector(HEAD + b"Content-Encoding: gzip\r\n\r\n", gzip.compress(b"hello")) as (url, _):
        assert bounded_session().get(url, timeout=30).text == "hello"


@pytest.mark.parametrize("status", [b"200 OK", b"400 Bad Request", b"503 Unavailable"])
def test_a_reply_without_end_is_given_up(status: bytes):
    head = b"HTTP/1.1 " + status + b"\r\nConnection: close\r\n\r\n"
    with collector(head, endless=True) as (url, sent):
        with pytest.raises(ReplyError, match="longer than 65536 bytes"):
            bounded_session().get(url, timeout=30)
        assert sum(sent) < len(PIECE) * MOST_PIECES


def test_a_small_reply_that_unpacks_to_a_large_one_is_given_up():
    bomb = gzip.compress(b" " * 50_000_000)
    with collector(HEAD + b"Content-Encoding: gzip\r\n\r\n", bomb) as (url, _), pytest.raises(ReplyError):
        bounded_session().get(url, timeout=30)


def test_a_reply_that_comes_for_too_long_is_given_up():
    moments = iter(range(0, 1_000, 6))
    session = Session()
    session.mount("http://", BoundedAdapter(monotonic=lambda: float(next(moments))))
    with collector(HEAD + b"\r\n", b"x" * LONGEST_REPLY) as (url, _), pytest.raises(ReplyError, match="took longer"):
        session.get(url, timeout=30)
