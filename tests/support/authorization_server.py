"""An OAuth authorization server on loopback: metadata, registration, a user who always agrees, and tokens.

It signs with the keys of an `Issuer`, is its own issuer, and checks what a client must prove (PKCE).
"""

import base64
import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from urllib.parse import parse_qs, urlencode, urlsplit

from tests.support.issuer import Issuer

METADATA: Final = "/.well-known/oauth-authorization-server"


class AuthorizationServer:
    """What it was asked, and how it answers."""

    def __init__(self, keys: Issuer, name: str) -> None:
        self.name = name
        self.asked: list[tuple[str, dict[str, str]]] = []
        """Path and parameters of each request for a code or a token."""
        self._keys = keys
        self._challenges: dict[str, dict[str, str]] = {}

    def metadata(self) -> dict[str, Any]:
        """RFC 8414."""
        return {
            "issuer": self.name,
            "authorization_endpoint": f"{self.name}/authorize",
            "token_endpoint": f"{self.name}/token",
            "registration_endpoint": f"{self.name}/register",
            "response_types_supported": ["code"],
            "grant_types_supported": ["authorization_code"],
            "code_challenge_methods_supported": ["S256"],
            "token_endpoint_auth_methods_supported": ["none"],
        }

    def authorize(self, parameters: dict[str, str]) -> str:
        """The user agrees; the address with the code."""
        self.asked.append(("/authorize", parameters))
        code = f"code-{len(self._challenges)}"
        self._challenges[code] = parameters
        return f"{parameters['redirect_uri']}?{urlencode({'code': code, 'state': parameters['state']})}"

    def token(self, parameters: dict[str, str]) -> dict[str, Any]:
        """A token for the code, if the client is the one that asked for it."""
        self.asked.append(("/token", parameters))
        asked = self._challenges.pop(parameters["code"])
        digest = hashlib.sha256(parameters["code_verifier"].encode()).digest()
        assert base64.urlsafe_b64encode(digest).decode().rstrip("=") == asked["code_challenge"]
        token = self._keys.token(iss=self.name, aud=parameters["resource"], scope=asked["scope"])
        return {"access_token": token, "token_type": "Bearer", "expires_in": 600, "scope": asked["scope"]}


@contextmanager
def authorization_server(keys: Issuer) -> Iterator[AuthorizationServer]:
    """Running until the end of `with`."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            if parts.path == METADATA:
                self._answer(200, oauth.metadata())
            elif parts.path == "/authorize":
                self._answer(302, {}, Location=oauth.authorize(_flat(parts.query)))
            else:
                self._answer(404, {})

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            if self.path == "/register":
                self._answer(201, {**json.loads(body), "client_id": "registered"})
            else:
                self._answer(200, oauth.token(_flat(body)))

        def _answer(self, status: int, body: dict[str, Any], **headers: str) -> None:
            content = json.dumps(body).encode()
            self.send_response(status)
            for name, value in {
                "Content-Type": "application/json",
                "Content-Length": str(len(content)),
                **headers,
            }.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_arguments: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    oauth = AuthorizationServer(keys, f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield oauth
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _flat(query: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(query).items()}
