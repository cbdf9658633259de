"""What FastMCP asks about a bearer token, put together from the settings."""

import json
import time
from base64 import urlsafe_b64decode
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from fastmcp.server.auth import AccessToken, AuthProvider, RemoteAuthProvider, TokenVerifier
from pydantic import AnyHttpUrl

from libraries_io_mcp.authentication.tokens import BearerTokens, Tokens
from libraries_io_mcp.settings import ServerSettings

LONGEST_TOKEN: Final = 8_192
"""A token that is longer is wrong without a look at it."""
Verify = Callable[[str], Awaitable[AccessToken | None]]
"""Who brings a token, or `None`."""


class Callers(TokenVerifier):
    """Named tokens first, then JSON Web Tokens by the algorithm that they name."""

    def __init__(self, named: BearerTokens | None, web: Mapping[str, TokenVerifier]) -> None:
        super().__init__(required_scopes=["read"])
        self._named = named
        self._web = web

    async def verify_token(self, token: str) -> AccessToken | None:
        """Who brings it, or `None`."""
        if len(token) > LONGEST_TOKEN:
            return None
        found = await self._named.verify_token(token) if self._named is not None else None
        if found is not None or not self._web:
            return found
        # An algorithm that is not ours, `none` among them, has no verifier.
        verifier = self._web.get(_algorithm(token))
        return await verifier.verify_token(token) if verifier is not None else None


def callers(settings: ServerSettings, *, monotonic: Callable[[], float] = time.monotonic) -> Callers | None:
    """Who may call by these settings; `None` when nobody has to log in."""
    if not settings.logs_in:
        return None
    named = BearerTokens(Tokens(settings.tokens, settings.token_file, monotonic=monotonic)) if settings.tokens else None
    web: dict[str, TokenVerifier] = {}
    if settings.auth_jwks_uri and settings.auth_issuer and settings.auth_audience:
        # Imported here for start-up time: it brings cryptography.
        from libraries_io_mcp.authentication.web_tokens import web_tokens  # noqa: PLC0415

        web |= web_tokens(jwks_uri=settings.auth_jwks_uri, issuer=settings.auth_issuer, audience=settings.auth_audience)
    return Callers(named, web)


def provider(settings: ServerSettings, found: Callers | None) -> AuthProvider | None:
    """What the MCP route is guarded with. Tells clients where to log in if that is known (RFC 9728)."""
    if found is None or settings.public_url is None or not (settings.auth_issuer or "").startswith(("https:", "http:")):
        return found
    return RemoteAuthProvider(
        found,
        authorization_servers=[AnyHttpUrl(str(settings.auth_issuer))],
        base_url=settings.public_url,
        scopes_supported=["read", "subscriptions", "operations"],
    )


def _algorithm(token: str) -> str:
    """What a token says of itself; empty if it is no JSON Web Token."""
    head = token.partition(".")[0]
    try:
        said = json.loads(urlsafe_b64decode(head + "=" * (-len(head) % 4))) if token.count(".") == 2 else None
    except (ValueError, RecursionError):
        return ""
    return str(said.get("alg", "")) if isinstance(said, dict) else ""
