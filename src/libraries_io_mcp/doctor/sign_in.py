"""How callers log in: whether the keys that sign their JSON Web Tokens can be fetched, and are such as we take."""

from typing import Final

import httpx

from libraries_io_mcp.doctor.finding import Finding, State
from libraries_io_mcp.settings import ServerSettings, Settings
from libraries_io_mcp.telemetry.reasons import reason

SECONDS: Final = 6.0
KINDS: Final = {"RSA": "RS256", "EC": "ES256"}
"""Types of keys, and the algorithm that the server checks with each."""
ADVICE: Final = (
    "Correct MCP_AUTH_JWKS_URI, or open the way to the issuer: until its keys can be had every JSON Web Token is "
    "refused."
)


async def examine_sign_in(settings: Settings) -> tuple[Finding, ...]:
    """Finding `sign-in`."""
    server = settings.server
    if server.transport != "http":
        return (Finding("sign-in", "skipped", "MCP_TRANSPORT", "stdio: nobody logs in"),)
    if server.auth_jwks_uri is None:
        return (Finding("sign-in", "skipped", "MCP_AUTH_JWKS_URI", f"not set: {_who(server)}"),)
    tried = f"GET {server.auth_jwks_uri}"
    # Whoever has a named token gets in all the same.
    wrong: State = "broken" if server.auth_token is None else "warning"
    keys = await _keys(server.auth_jwks_uri)
    if isinstance(keys, str):
        return (Finding("sign-in", wrong, tried, keys, ADVICE),)
    if not keys:
        advice = "Have the issuer publish a key of type RSA (RS256) or EC (ES256), or correct MCP_AUTH_JWKS_URI."
        return (Finding("sign-in", wrong, tried, "no key among them that this server takes", advice),)
    return (Finding("sign-in", "ok", tried, f"{len(keys)} keys: {', '.join(keys)}"),)


def _who(server: ServerSettings) -> str:
    return "named tokens only (MCP_AUTH_TOKEN)" if server.logs_in else "nobody has to log in"


async def _keys(url: str) -> list[str] | str:
    """The algorithm of each key that the server takes; or as a text what was wrong."""
    try:
        # As the server fetches them: through the proxy and with the certificates of the environment.
        async with httpx.AsyncClient(timeout=SECONDS) as client:
            reply = await client.get(url)
        answer = reply.raise_for_status().json()
    except httpx.HTTPStatusError as error:
        return f"status {error.response.status_code}"
    except ValueError:
        return "an answer that is no JSON"
    except (httpx.HTTPError, OSError) as error:
        return "no answer in time" if isinstance(error, httpx.TimeoutException) else reason(error)
    keys = answer.get("keys") if isinstance(answer, dict) else None
    if not isinstance(keys, list):
        return "an answer that is no set of keys"
    return [KINDS[key["kty"]] for key in keys if isinstance(key, dict) and key.get("kty") in KINDS]
