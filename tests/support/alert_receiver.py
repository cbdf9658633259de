"""An HTTP server on loopback that takes alerts: answers as it is told to, keeps what it was sent."""

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final, Self

from tests.support.polling import poll_until

LONG: Final = 10_000_000


@dataclass(frozen=True)
class Received:
    """One request."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def data(self) -> Any:
        """The decoded body."""
        return json.loads(self.body)


class AlertReceiver:
    """Says `status` to everything; `hang` makes it say nothing until the end of the block."""

    def __init__(self, port: int = 0) -> None:
        receiver = self
        self.status = 200
        self.reply_headers: dict[str, str] = {}
        self.reply = b"{}"
        self.replies: dict[str, Any] = {}
        """What is answered instead, as JSON, by path."""
        self.hang = False
        self.requests: list[Received] = []
        self._released = threading.Event()

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                receiver.take(self)

            do_GET = do_POST  # noqa: N815 - the library's name

            def log_message(self, *_arguments: object) -> None:
                """Nothing is written to stderr."""

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            block_on_close = False

            def handle_error(self, request: Any, client_address: Any) -> None:
                """A connection that breaks is the other side's business."""

        self._server = Server(("127.0.0.1", port), Handler)

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._released.set()
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def bodies(self) -> list[Any]:
        """What was posted, decoded."""
        return [request.data for request in self.requests if request.method == "POST"]

    def posted(self, path: str) -> list[Any]:
        """What was posted to a path, decoded."""
        return [request.data for request in self.requests if request.method == "POST" and request.path == path]

    def wait_for(self, count: int) -> list[Any]:
        """The bodies, once there are so many."""
        return poll_until(lambda: self.bodies if len(self.bodies) >= count else None, f"{count} messages")

    def take(self, handler: BaseHTTPRequestHandler) -> None:
        """Keep the request, answer it."""
        body = handler.rfile.read(int(handler.headers.get("Content-Length", "0")))
        self.requests.append(Received(handler.command, handler.path, dict(handler.headers), body))
        if self.hang:
            self._released.wait()
            handler.close_connection = True
            return
        own = self.replies.get(handler.path)
        content = self.reply if own is None else json.dumps(own).encode()
        handler.send_response(self.status)
        for name, value in {"Content-Length": str(len(content)), **self.reply_headers}.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(content)
