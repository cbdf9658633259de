"""A Libraries.io that has a bad day, on a real socket: the package's name says what goes wrong.

Where a reply has room for it, it repeats the address it was asked for, key and all, as error pages do.
"""

import json
import socket
import socketserver
import struct
import threading
from collections.abc import Callable
from typing import Any, Final

from tests.support.polling import HANG_SECONDS

JSON: Final = "application/json; charset=utf-8"
LIMITS: Final = {"X-RateLimit-Limit": "100000", "X-RateLimit-Remaining": "99999", "X-RateLimit-Reset": "30"}

Reply = bytes | None
"""What to write before the connection ends; `None` ends it with a TCP reset."""


class Upstream(socketserver.ThreadingTCPServer):
    """Answers `GET /api/NPM/<fault>` with that fault, and any other package with a good answer."""

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 128  # with the library's 5, a connection of fifty at once may have to knock twice

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.targets: list[str] = []
        self.arrived = threading.Condition()
        self.released = threading.Event()

    def __enter__(self) -> "Upstream":
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self.released.set()
        self.shutdown()
        self.server_close()

    @property
    def base_url(self) -> str:
        """The address for `LIBRARIES_IO_BASE_URL`."""
        return f"http://127.0.0.1:{self.server_address[1]}/api"

    def asked_for(self, text: str) -> int:
        """How many requests had `text` in their target."""
        with self.arrived:
            return sum(text in target for target in self.targets)

    def wait_for(self, text: str, count: int = 1, seconds: float = HANG_SECONDS) -> None:
        """Return when `count` requests with `text` in their target have arrived."""
        with self.arrived:
            came = self.arrived.wait_for(lambda: sum(text in target for target in self.targets) >= count, seconds)
        assert came, f"{text} was not asked for; asked: {self.targets}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A connection that breaks is the other side's business."""

    def reply(self, target: str) -> Reply:
        """What to answer to a request."""
        name = target.partition("?")[0].split("/")[3] if target.count("/") > 2 else ""
        # What follows two hyphens makes another package of the same fault.
        name = name.partition("--")[0]
        fault = FAULTS.get(name)
        if name == "hang":
            self.released.wait()
            return None
        return fault(f"{self.base_url.removesuffix('/api')}{target}") if fault else _json(_project(name or "good"))


class _Handler(socketserver.StreamRequestHandler):
    server: Upstream

    def handle(self) -> None:
        request_line = self.rfile.readline().decode()
        if not request_line:
            return
        while self.rfile.readline().strip():
            continue
        target = request_line.split()[1]
        with self.server.arrived:
            self.server.targets.append(target)
            self.server.arrived.notify_all()
        reply = self.server.reply(target)
        if reply is None:
            self.request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.request.close()
        else:
            self.wfile.write(reply)


def _http(status: str, body: bytes, content_type: str = JSON, length: int | None = None, **headers: str) -> bytes:
    lines = {"Content-Type": content_type, "Content-Length": str(length or len(body)), "Connection": "close"}
    fields = {**lines, **LIMITS, **{name.replace("_", "-"): value for name, value in headers.items()}}
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"HTTP/1.1 {status}\r\n{head}\r\n".encode() + body


def _json(data: Any, status: str = "200 OK", **headers: str) -> bytes:
    return _http(status, json.dumps(data).encode(), **headers)


def _project(name: str) -> dict[str, Any]:
    return {"name": name, "platform": "NPM", "normalized_licenses": ["MIT"], "versions": [{"number": "1.0.0"}]}


def _page(url: str) -> bytes:
    return f"<html><body>Something went wrong at {url}</body></html>".encode()


def _elsewhere(url: str, name: str) -> str:
    path, _, query = url.partition("?")
    return f"{path.rpartition('/')[0]}/{name}?{query}"


FAULTS: Final[dict[str, Callable[[str], Reply]]] = {
    "forbidden-text": lambda _url: _http("403 Forbidden", b"Forbidden\n", "text/plain"),
    "forbidden-json": lambda url: _json({"error": f"no permission for {url}"}, "403 Forbidden"),
    "missing": lambda url: _json({"error": "not found", "url": url}, "404 Not Found"),
    "moved": lambda url: _http("302 Found", b"", Location=_elsewhere(url, "good"), Link=f'<{url}>; rel="next"'),
    "circle": lambda url: _http("302 Found", b"", Location=url),
    "kidnapped": lambda url: _http("302 Found", b"", Location=url.replace("127.0.0.1", "evil.example")),
    "error": lambda url: _json({"error": "internal", "url": url}, "500 Internal Server Error"),
    "gateway": lambda url: _http("502 Bad Gateway", _page(url), "text/html"),
    "page": lambda url: _http("200 OK", _page(url), "text/html"),
    "types": lambda url: _json({"name": {"url": url}, "platform": [url]}),
    "garbage": lambda url: b"\x00\x01 " + url.encode() + b"\r\n\r\n",
    "cut": lambda url: _http("200 OK", b'{"name": "' + url.encode(), length=4000),
    "reset": lambda _url: None,
    "hang": lambda _url: None,
    "quota": lambda url: _http("429 Too Many Requests", b"Retry later\n", "", Retry_After="1", X_Url=url),
}
EXPECTED: Final = {
    "good": None,
    "forbidden-text": "api_key_rejected",
    "forbidden-json": "forbidden",
    "missing": "not_found",
    "moved": None,
    "circle": "invalid_reply",
    "kidnapped": "invalid_reply",
    "error": "upstream_error",
    "gateway": "upstream_error",
    "page": "invalid_reply",
    "types": "invalid_reply",
    "garbage": "unreachable",
    "cut": "invalid_reply",
    "reset": "unreachable",
    "hang": "timeout",
    # Last: after a 429 the quota holds further questions back.
    "quota": "quota_exceeded",
}
"""The `error_type` that each name leads to; `None` is an answer."""
