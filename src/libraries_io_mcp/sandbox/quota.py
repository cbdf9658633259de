"""The rate limit: fixed windows aligned to the clock, counted per key or, without a key, per address.

A request is refused when the count passes the limit; refused requests keep counting. Unknown keys are turned away
before anything is counted.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import ceil
from typing import Final

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from libraries_io_mcp.sandbox.replies import forbidden, retry_later

STANDING: Final = "sandbox.standing"
"""Where in the ASGI scope the caller's standing is found."""

ANONYMOUS_LIMIT = 10
ANONYMOUS_WINDOW = 3600.0


@dataclass(frozen=True)
class Standing:
    """What is left of a caller's window after the request at hand. `reset` is whole seconds until the window ends."""

    limit: int
    count: int
    reset: int
    key: str | None

    @property
    def refused(self) -> bool:
        return self.count > self.limit

    def headers(self) -> dict[str, str]:
        return {
            "x-ratelimit-limit": str(self.limit),
            "x-ratelimit-remaining": str(max(0, self.limit - self.count)),
            "x-ratelimit-reset": str(self.reset),
        }


class Windows:
    """Counts of requests by caller, for the window at hand only."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._counts: dict[str, tuple[int, int]] = {}

    def count(self, caller: str, limit: int, seconds: float, key: str | None) -> Standing:
        """Counts one request of the caller."""
        now = self._now()
        window = int(now // seconds)
        known_window, count = self._counts.get(caller, (window, 0))
        count = count + 1 if known_window == window else 1
        self._counts[caller] = (window, count)
        return Standing(limit, count, max(1, ceil((window + 1) * seconds - now)), key)


class QuotaGate:
    """Lets through what the limits allow and leaves the caller's standing in the scope.

    Args:
        app: what stands behind the gate.
        keys: the known keys and the limit of each in one window.
        window_seconds: the length of a key's window.
        anonymous_limit: requests per hour and address without a key.
        now: seconds since the epoch.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        keys: Mapping[str, int],
        window_seconds: float,
        anonymous_limit: int,
        now: Callable[[], float],
    ) -> None:
        self._app = app
        self._keys = dict(keys)
        self._window_seconds = window_seconds
        self._anonymous_limit = anonymous_limit
        self._windows = Windows(now)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope)
        key = request.query_params.get("api_key")
        if key and key not in self._keys:
            await forbidden()(scope, receive, send)
        elif _is_counted(scope):
            standing = self._standing(request, key)
            refusal = retry_later({**standing.headers(), "retry-after": str(standing.reset)})
            await (refusal if standing.refused else self._app)({**scope, STANDING: standing}, receive, send)
        else:
            await self._app(scope, receive, send)

    def _standing(self, request: Request, key: str | None) -> Standing:
        if key:
            return self._windows.count(f"key {key}", self._keys[key], self._window_seconds, key)
        # An empty key puts all its callers into one bucket; no key at all counts by address.
        address = "" if key == "" else request.client.host if request.client else "unknown"
        return self._windows.count(f"address {address}", self._anonymous_limit, ANONYMOUS_WINDOW, None)


def _is_counted(scope: Scope) -> bool:
    path: bytes = scope["raw_path"]
    return path.startswith(b"/api/") and len(path) > len(b"/api/")
