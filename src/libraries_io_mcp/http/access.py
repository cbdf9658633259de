"""ASGI middleware: who may see the operator's routes (`/metrics`, `/status`, `/alerts`, the details of `/health`).

Clients of this machine and of the operator's networks, and whoever brings the token. What changes something must come
from the page itself, and needs the token where there is one. docs/decisions/access.md says why it is like this.
"""

from collections.abc import Iterable, Sequence
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from libraries_io_mcp.authentication.provider import Verify

GUARDED: Final = ("/metrics", "/status", "/alerts", "/health")
OPEN: Final = frozenset({"/health", "/health/ready"})
"""Asked by load balancers and by what keeps containers running; they tell no more than yes or no."""
OPERATIONS: Final = "operations"
"""The scope that a token needs here."""
READING: Final = frozenset({"GET", "HEAD"})
FORWARDED: Final = ("forwarded", "x-forwarded-for", "x-real-ip")
"""A request with one of these came through a proxy, so it is not from where the connection comes from."""
_PORTS: Final = {"http": 80, "https": 443}

Network = IPv4Network | IPv6Network


class GuardOperatorRoutes:
    """Lets a request to an operator's route pass, or answers it with 401 or 403; leaves all other routes alone."""

    def __init__(self, app: ASGIApp, *, verify: Verify | None, networks: Iterable[str] = ()) -> None:
        """`networks`, such as `10.0.0.0/8`, are those whose clients count as clients of this machine.

        `verify` says who brings a token; `None`: there are no tokens.
        """
        self._app = app
        self._verify = verify
        self._networks: tuple[Network, ...] = tuple(ip_network(each) for each in ("127.0.0.0/8", "::1/128", *networks))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection event of the ASGI protocol."""
        refusal = await self._refusal(scope) if scope["type"] == "http" and guarded(scope["path"]) else None
        await (refusal or self._app)(scope, receive, send)

    async def _refusal(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        scopes = await self._scopes(headers)
        if scopes is not None and OPERATIONS not in scopes:
            return _no(403, f"Your token has no scope {OPERATIONS!r}.")
        if scope["method"] not in READING:
            if not same_origin(headers):
                return _no(403, "This is taken from the server's own pages only.")
            if self._verify is not None and scopes is None:
                return _no(401, _BRING_TOKEN)
        if scopes is not None or (self._is_near(scope) and not any(name in headers for name in FORWARDED)):
            return None
        if self._verify is None:
            return _no(403, "This is shown on the server's own machine only; docs/operations.md says how to open it.")
        return _no(401, _BRING_TOKEN)

    async def _scopes(self, headers: Headers) -> Sequence[str] | None:
        """What the token that came along allows; `None` if none came, or none that is good."""
        scheme, _, given = headers.get("authorization", "").partition(" ")
        if self._verify is None or scheme.lower() != "bearer":
            return None
        found = await self._verify(given.strip())
        return found.scopes if found is not None else None

    def _is_near(self, scope: Scope) -> bool:
        client = scope.get("client")
        try:
            address = ip_address(client[0] if client else "")
        except ValueError:
            return False
        if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        return any(address in network for network in self._networks)


_BRING_TOKEN: Final = "Send a token with the scope 'operations' (MCP_AUTH_TOKEN) as `Authorization: Bearer ...`."  # noqa: S105 - no token


def guarded(path: str) -> bool:
    """Whether a path belongs to the operator."""
    return path not in OPEN and any(path == each or path.startswith(f"{each}/") for each in GUARDED)


def same_origin(headers: Headers) -> bool:
    """Whether a page of this very server sent it, or no browser at all, which is the only one to send these headers."""
    if headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
        return False
    origin = headers.get("origin")
    if origin is None:
        return True
    try:
        page = urlsplit(origin)
        # Behind a proxy that ends TLS the scheme that we see is not the page's; the page's decides on the port.
        asked = urlsplit(f"{page.scheme}://{headers.get('host', '')}")
        port = _PORTS.get(page.scheme)
        from_here = (page.hostname, page.port or port) == (asked.hostname, asked.port or port)
    except ValueError:
        return False
    return from_here and page.hostname is not None


def _no(status: int, what_to_do: str) -> Response:
    headers = {"Cache-Control": "no-store"}
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    error = "unauthorized" if status == 401 else "forbidden"
    return JSONResponse({"error": error, "what_to_do": what_to_do}, status, headers)
