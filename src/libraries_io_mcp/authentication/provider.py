"""What FastMCP asks about a bearer token, put together from the settings."""

import json
import time
from base64 import urlsafe_b64decode
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from fastmcp.server.auth import AccessToken, TokenVerificationError, TokenVerifier
from mcp.server.auth.routes import create_protected_resource_routes
from pydantic import AnyHttpUrl, ConfigDict, TypeAdapter
from starlette.middleware import Middleware
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from libraries_io_mcp.authentication.tokens import BearerTokens
from libraries_io_mcp.settings import SCOPES, ServerSettings

if TYPE_CHECKING:
    from libraries_io_mcp.authentication.web_tokens import KeySet

LONGEST_TOKEN: Final = 8_192
"""A token that is longer is wrong without a look at it."""
Verify = Callable[[str], Awaitable[AccessToken | None]]
"""Who brings a token, or `None`."""
_AS_WRITTEN: Final = TypeAdapter(AnyHttpUrl, config=ConfigDict(url_preserve_empty_path=True))
"""Clients compare an issuer letter by letter; pydantic would add a slash."""


class Callers(TokenVerifier):
    """Named tokens first, then JSON Web Tokens by the algorithm that they name.

    Tells clients where to log in, if that is known (RFC 9728), and says 503 while the issuer's keys can't be had: a 401
    would send everybody to log in anew, for nothing.
    """

    def __init__(self, settings: ServerSettings, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        super().__init__(required_scopes=["read"], base_url=settings.public_url)
        named = settings.tokens
        self._named = BearerTokens(named, settings.token_file, monotonic=monotonic) if named else None
        self._issuer = settings.auth_issuer
        self._web: Mapping[str, TokenVerifier] = {}
        self.keys: KeySet | None = None
        if settings.auth_jwks_uri and settings.auth_issuer and settings.auth_audience:
            # Imported here for start-up time: it brings cryptography.
            from libraries_io_mcp.authentication import web_tokens  # noqa: PLC0415

            self.keys = web_tokens.KeySet(settings.auth_jwks_uri, monotonic=monotonic)
            self._web = web_tokens.verifiers(self.keys, issuer=settings.auth_issuer, audience=settings.auth_audience)

    async def verify_token(self, token: str) -> AccessToken | None:
        """Who brings it, or `None`.

        Raises:
            TokenVerificationError: the key that signs it can't be had.
        """
        if len(token) > LONGEST_TOKEN:
            return None
        if self._named is not None and (found := await self._named.verify_token(token)) is not None:
            return found
        header = _header(token)
        # An algorithm that is not ours, `none` among them, has no verifier.
        verifier = self._web.get(str(header.get("alg", "")))
        if verifier is None or self.keys is None or not await self.keys.knows(header.get("kid")):
            return None
        return await verifier.verify_token(token)

    def get_middleware(self) -> list[Middleware]:
        """FastMCP's, inside of the answer for tokens that can't be judged."""
        return [Middleware(KeySetMiddleware), *super().get_middleware()]

    def get_routes(self, mcp_path: str | None = None) -> list[Route]:
        """Where to log in."""
        if self.base_url is None or not (self._issuer or "").startswith(("https:", "http:")):
            return []
        return create_protected_resource_routes(
            AnyHttpUrl(f"{str(self.base_url).rstrip('/')}{mcp_path or ''}"),
            [_AS_WRITTEN.validate_python(self._issuer)],
            scopes_supported=list(SCOPES),
        )


class KeySetMiddleware:
    """Answers 503 where a token can't be judged."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection event of the ASGI protocol."""
        try:
            await self._app(scope, receive, send)
        except TokenVerificationError as error:
            body = {"error": "temporarily_unavailable", "error_description": str(error)}
            await JSONResponse(body, 503, {"Retry-After": "10"})(scope, receive, send)


def _header(token: str) -> dict[str, Any]:
    """What a token says of itself; empty if it is no JSON Web Token."""
    head = token.partition(".")[0]
    try:
        header = json.loads(urlsafe_b64decode(head + "=" * (-len(head) % 4))) if token.count(".") == 2 else None
    except (ValueError, RecursionError):
        header = None
    return header if isinstance(header, dict) else {}
