"""JSON Web Tokens by FastMCP's verifier, and the set of keys that they are verified with.

FastMCP's verifier also takes tokens without an end and such that name nobody, and does not say whether a token is bad
or the keys could not be had.
"""

import json
import logging
import time
from collections.abc import Callable
from typing import Any, Final

import anyio
import httpx
from fastmcp.server.auth import AccessToken, TokenVerificationError
from fastmcp.server.auth.providers.jwt import JWTVerifier

from libraries_io_mcp.telemetry.reasons import reason

ALGORITHMS: Final = ("RS256", "ES256")
"""What the keys of a JWKS sign with; never `none`, never a shared secret. One verifier knows one algorithm."""
LEEWAY_SECONDS: Final = 30
"""How much the issuer's clock may be ahead."""
FETCH_SECONDS: Final = 5.0
"""How long a fetch of the keys may take, all of it."""
ASK_SECONDS: Final = 10.0
"""Names that are not known make it ask no more often."""
RENEW_SECONDS: Final = 1800.0
"""How often it asks in any case. FastMCP's verifier keeps what it was given for an hour on top."""
MOST_BYTES: Final = 1_000_000

logger: Final = logging.getLogger(__name__)


class KeySet:
    """The issuer's keys. The last good answer is kept for as long as no other can be had."""

    def __init__(
        self, uri: str, *, monotonic: Callable[[], float], network: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self.uri = uri
        self.error: str | None = None
        """Why the keys could not be had when they were asked for the last time."""
        self.is_there = False
        """Whether there are keys, however old."""
        self._network = network
        self._monotonic = monotonic
        self._kept = b""
        self._names: frozenset[object] = frozenset()
        self._asked = -RENEW_SECONDS
        self._asking = anyio.Lock()

    async def knows(self, name: object) -> bool:
        """Whether there is a key of that name. A name that is not known makes it ask, but not again and again.

        Raises:
            TokenVerificationError: the keys can't be had, and it may be one of them.
        """
        async with self._asking:
            known = name in self._names
            if self._monotonic() - self._asked >= (RENEW_SECONDS if known else ASK_SECONDS):
                await self.renew()
                known = name in self._names
        if not known and self.error is not None:
            raise TokenVerificationError("The keys that sign tokens can't be had: ask again in a moment.")
        return known

    async def get(self, uri: str) -> httpx.Response:
        """What FastMCP's verifier asks of an HTTP client."""
        return httpx.Response(200, content=self._kept, request=httpx.Request("GET", uri))

    async def renew(self) -> None:
        """Ask for the keys. A change between being had and not is said in the log."""
        before, self.error = self.error, None
        try:
            with anyio.fail_after(FETCH_SECONDS):
                content = await self._fetch()
            self._names, self._kept, self.is_there = _names(content), content, True
        except httpx.HTTPStatusError as error:
            self.error = f"status {error.response.status_code}"
        except (httpx.HTTPError, OSError, ValueError) as error:  # a TimeoutError is an OSError
            self.error = reason(error)
        self._asked = self._monotonic()
        if self.error is not None and before is None:
            logger.warning("the key set (JWKS) of MCP_AUTH_JWKS_URI can't be had: %s", self.error)
        elif self.error is None and before is not None:
            logger.info("the key set (JWKS) of MCP_AUTH_JWKS_URI can be had again")

    async def _fetch(self) -> bytes:
        content = bytearray()
        # Each time anew, through the proxy and with the certificates of the environment.
        async with (
            httpx.AsyncClient(timeout=FETCH_SECONDS, transport=self._network) as client,
            client.stream("GET", self.uri, headers={"Accept-Encoding": "identity"}) as response,
        ):
            response.raise_for_status()
            async for chunk in response.aiter_raw():
                content += chunk
                if len(content) > MOST_BYTES:
                    raise ValueError(f"more than {MOST_BYTES} bytes")
        return bytes(content)


def _names(content: bytes) -> frozenset[object]:
    """The names of the keys, and `None` for the token that names none: the verifier takes it if there is but one."""
    try:
        return frozenset([None, *(str(key.get("kid")) for key in json.loads(content)["keys"])])
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        raise ValueError("an answer that is no set of keys") from None


class WebTokens(JWTVerifier):
    """The verifier, held to tokens that end, have begun, and name somebody."""

    def __init__(self, *, now: Callable[[], float] = time.time, **options: Any) -> None:
        super().__init__(**options)
        self._now = now

    async def load_access_token(self, token: str) -> AccessToken | None:
        """Who brings it, or `None`."""
        found = await super().load_access_token(token)
        if found is None:
            return None
        claims, now = found.claims, self._now()
        end, start = claims.get("exp"), claims.get("nbf", 0)
        # Callers share quotas fairly, so each must be told from the others.
        name = claims.get("sub") or claims.get("client_id") or claims.get("azp")
        if not isinstance(end, int | float) or not isinstance(start, int | float) or not isinstance(name, str):
            return None
        return found if start <= now + LEEWAY_SECONDS and now < end else None


def verifiers(keys: KeySet, *, issuer: str, audience: str) -> dict[str, WebTokens]:
    """A verifier for each algorithm."""
    options: dict[str, Any] = {"issuer": issuer, "audience": audience, "http_client": keys, "jwks_refresh_interval": 0}
    return {name: WebTokens(jwks_uri=keys.uri, algorithm=name, **options) for name in ALGORITHMS}
