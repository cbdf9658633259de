"""Alertmanager by its API: alerts as Prometheus sends them. Nothing is ever silenced there."""

import json
import time
from collections.abc import Callable, Sequence
from typing import Any, Final
from urllib.parse import urlsplit

from libraries_io_mcp.alerting.alert import Alert
from libraries_io_mcp.alerting.channels.http_post import HttpPost
from libraries_io_mcp.alerting.channels.notification import Result
from libraries_io_mcp.alerting.channels.webhook import rfc3339

LIMIT_SECONDS: Final = 5.0
VALID_SECONDS: Final = 240.0
"""An alert that is not sent again within this time is over, as with Prometheus: four times the minute of a resend."""


class Alertmanager:
    """One Alertmanager. `url` is its address, with its path prefix if it has one."""

    def __init__(self, url: str, post: HttpPost, *, now: Callable[[], float] = time.time) -> None:
        self._api = f"{url.rstrip('/')}/api/v2"
        self._post = post
        self._now = now

    def __repr__(self) -> str:
        return f"Alertmanager({urlsplit(self._api).hostname})"

    async def push(self, alerts: Sequence[Alert]) -> Result:
        """Send firing and resolved alerts; to be repeated while they fire."""
        until = self._now() + VALID_SECONDS
        body = json.dumps([_posted(alert, until) for alert in alerts], ensure_ascii=False).encode()
        return await self._post.send("POST", f"{self._api}/alerts", body)

    async def ask(self) -> Result:
        """Whether it answers."""
        return await self._post.send("GET", f"{self._api}/status")

    async def aclose(self) -> None:
        """Close its connections."""
        await self._post.aclose()


def _posted(alert: Alert, until: float) -> dict[str, Any]:
    over = alert.state == "resolved" and alert.resolved_at is not None
    return {
        "labels": dict(alert.labels),
        "annotations": dict(alert.annotations),
        "startsAt": rfc3339(alert.since),
        "endsAt": rfc3339(max(alert.since, alert.resolved_at or 0.0) if over else until),
    }
