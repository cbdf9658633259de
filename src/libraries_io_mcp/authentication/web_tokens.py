"""JSON Web Tokens by FastMCP's verifier, which also takes tokens without an end and those that are not valid yet."""

import time
from collections.abc import Callable
from typing import Any, Final

from fastmcp.server.auth import AccessToken
from fastmcp.server.auth.providers.jwt import JWTVerifier

ALGORITHMS: Final = ("RS256", "ES256")
"""What the keys of a JWKS sign with; never `none`, never a shared secret. One verifier knows one algorithm."""
LEEWAY_SECONDS: Final = 30
"""How much the issuer's clock may be ahead."""


class WebTokens(JWTVerifier):
    """The verifier, held to tokens that end and have begun."""

    def __init__(self, *, now: Callable[[], float] = time.time, **options: Any) -> None:
        super().__init__(**options)
        self._now = now

    async def load_access_token(self, token: str) -> AccessToken | None:
        """Who brings it, or `None`."""
        found = await super().load_access_token(token)
        return found if found is not None and self._in_force(found.claims) else None

    def _in_force(self, claims: dict[str, Any]) -> bool:
        end, start = claims.get("exp"), claims.get("nbf", 0)
        if not isinstance(end, int | float) or not isinstance(start, int | float):
            return False
        return start <= self._now() + LEEWAY_SECONDS and self._now() < end


def web_tokens(*, jwks_uri: str, issuer: str, audience: str) -> dict[str, WebTokens]:
    """A verifier for each algorithm."""
    return {
        algorithm: WebTokens(jwks_uri=jwks_uri, issuer=issuer, audience=audience, algorithm=algorithm)
        for algorithm in ALGORITHMS
    }
