"""The HTTP half of the OTLP receiver: a thread a connection, bounded bodies, and an end that leaves none behind."""

import socket
import threading
import zlib
from collections.abc import Callable
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

from google.rpc.status_pb2 import Status  # type: ignore[import-untyped]

Take = Callable[[str, bytes], bytes | None]
"""Gets the path and the body; returns the body of the answer, or `None` for no answer. May raise `Refusal`."""

IDLE_SECONDS: Final = 60.0
CLOSE_SECONDS: Final = 2.0
PROTOBUF: Final = "application/x-protobuf"
_GZIP: Final = 31
"""zlib's number for a gzip header and the largest window."""


class Refusal(Exception):  # noqa: N818 - an outcome, not a defect
    """The request is answered with `status` and a `google.rpc.Status` message."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class LoopbackServer(ThreadingHTTPServer):
    """Hands POST bodies to `take`. Knows its open connections, so that closing leaves none behind."""

    daemon_threads = True

    def __init__(self, port: int, take: Take, *, max_body_bytes: int) -> None:
        super().__init__(("127.0.0.1", port), partial(_Handler, take, max_body_bytes))
        self._open: set[socket.socket] = set()
        self._ended = threading.Condition()

    def process_request(self, request: Any, client_address: Any) -> None:
        """Note the connection, then serve it in a thread."""
        with self._ended:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Forget the connection."""
        super().shutdown_request(request)
        with self._ended:
            self._open.discard(request)
            self._ended.notify_all()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A connection that breaks is the sender's business."""

    def end_connections(self) -> None:
        """Wake every thread that reads or writes, and wait until all have ended."""
        with self._ended:
            for connection in self._open:
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    continue
            self._ended.wait_for(lambda: not self._open, CLOSE_SECONDS)


class _Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = IDLE_SECONDS

    def __init__(self, take: Take, max_body_bytes: int, *args: Any) -> None:
        self._take = take
        self._max_body_bytes = max_body_bytes
        super().__init__(*args)

    def do_POST(self) -> None:
        """Take one export request."""
        try:
            reply = self._take(self.path, self._body())
        except Refusal as refusal:
            # Perhaps the body was not read, so nothing else can follow on this connection.
            self.close_connection = True
            self._reply(refusal.status, Status(message=str(refusal)).SerializeToString())
        else:
            if reply is None:
                self.close_connection = True
            else:
                self._reply(200, reply)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: stderr belongs to the program."""

    def _body(self) -> bytes:
        length = self.headers.get("content-length", "")
        if not (length.isascii() and length.isdigit()):
            raise Refusal(411, "Content-Length is needed")
        if len(length) > 12 or int(length) > self._max_body_bytes:
            raise Refusal(413, f"at most {self._max_body_bytes} bytes")
        if self.headers.get_content_type() != PROTOBUF:
            raise Refusal(415, f"only {PROTOBUF} is understood")
        body = self.rfile.read(int(length))
        return _decompressed(self.headers.get("content-encoding", "identity"), body, self._max_body_bytes)

    def _reply(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", PROTOBUF)
        self.send_header("Content-Length", str(len(body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)


def _decompressed(encoding: str, body: bytes, limit: int) -> bytes:
    if encoding == "identity":
        return body
    if encoding != "gzip":
        raise Refusal(415, "only gzip and identity are understood")
    try:
        inflater = zlib.decompressobj(_GZIP)
        content = inflater.decompress(body, limit + 1)
    except zlib.error:
        raise Refusal(400, "the body is not gzip") from None
    if len(content) > limit:
        raise Refusal(413, f"at most {limit} bytes")
    if not inflater.eof:
        raise Refusal(400, "the gzip body is cut off")
    return content
