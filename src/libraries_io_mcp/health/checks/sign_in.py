"""Whether callers who bring a JSON Web Token can be told from others."""

from typing import Protocol

from libraries_io_mcp.health.check import Outcome, Ping


class Keys(Protocol):
    """The keys that sign the tokens.

    Attributes:
        error: why they could not be had when they were asked for the last time.
        is_there: whether there are keys, however old.
    """

    error: str | None
    is_there: bool

    async def renew(self) -> None:
        """Fetch them."""


def sign_in(keys: Keys) -> Ping:
    """Whether the issuer's keys are there. While they are not, each look asks for them."""

    async def ping() -> Outcome:
        if keys.error is not None or not keys.is_there:
            await keys.renew()
        if keys.error is None:
            return Outcome("healthy")
        error = f"The key set (JWKS) can't be had: {keys.error}."
        advice = "Correct MCP_AUTH_JWKS_URI, or open the way to the issuer."
        if keys.is_there:
            return Outcome("degraded", f"{error} The last one is used.", what_to_do=advice)
        return Outcome("unhealthy", f"{error} JSON Web Tokens are answered with 503.", what_to_do=advice)

    return ping
