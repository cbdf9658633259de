"""An issuer of JSON Web Tokens: its keys on a loopback server, and tokens good and bad."""

import base64
import hmac
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, RSAKey

NAME: Final = "https://issuer.example"
AUDIENCE: Final = "libraries-io-mcp"


@dataclass(frozen=True)
class Issuer:
    """Its address and what it signs with."""

    jwks_uri: str
    keys: dict[str, Any]
    shut: threading.Event = field(default_factory=threading.Event)
    """Whether its keys can't be had: status 500."""

    def token(self, *, algorithm: str = "RS256", key: Any = None, **claims: Any) -> str:
        """A token that is good but for these claims; `None` leaves one out."""
        now = int(time.time())
        said = {"sub": "alice", "iss": NAME, "aud": AUDIENCE, "exp": now + 600, "iat": now, "scope": "read", **claims}
        signer = key or self.keys[algorithm]
        given = {name: value for name, value in said.items() if value is not None}
        return jwt.encode({"alg": algorithm, "kid": signer.kid or "x"}, given, signer, algorithms=[algorithm])

    def unsigned(self) -> str:
        """One that says it needs no signature."""
        _head, body, _ = self.token().split(".")
        return f"{_encoded({'alg': 'none', 'typ': 'JWT'})}.{body}."

    def tampered(self) -> str:
        """A good one whose claims were changed afterwards."""
        head, body, signature = self.token().split(".")
        claims = json.loads(base64.urlsafe_b64decode(body + "=="))
        return f"{head}.{_encoded({**claims, 'sub': 'admin', 'scope': 'read operations'})}.{signature}"

    def signed_with_the_public_key(self) -> str:
        """The old trick: the public key as the secret of a shared-secret algorithm."""
        _head, body, _signature = self.token().split(".")
        signed = f"{_encoded({'alg': 'HS256', 'kid': self.keys['RS256'].kid})}.{body}"
        signature = hmac.digest(self.keys["RS256"].as_pem(private=False), signed.encode(), "sha256")
        return f"{signed}.{base64.urlsafe_b64encode(signature).decode().rstrip('=')}"


@contextmanager
def issuer() -> Iterator[Issuer]:
    """Running until the end of `with`."""
    keys = {
        "RS256": RSAKey.generate_key(2048, {"kid": "rsa", "use": "sig", "alg": "RS256"}),
        "ES256": ECKey.generate_key("P-256", {"kid": "ec", "use": "sig", "alg": "ES256"}),
    }
    shut = threading.Event()
    published = json.dumps(KeySet(list(keys.values())).as_dict(private=False)).encode()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(500 if shut.is_set() else 200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(published)))
            self.end_headers()
            self.wfile.write(published)

        def log_message(self, *_arguments: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield Issuer(f"http://127.0.0.1:{server.server_port}/jwks.json", keys, shut)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _encoded(said: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(said).encode()).decode().rstrip("=")
