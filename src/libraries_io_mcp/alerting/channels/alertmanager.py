"""Alertmanager by its API: alerts as Prometheus sends them, and silences for what was told past it."""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlsplit

import httpx

from libraries_io_mcp.alerting.alert import Alert
from libraries_io_mcp.alerting.channels.notification import Done, GiveUp, Result, Retry
from libraries_io_mcp.alerting.channels.reply import ReplyTooLongError, exchange, failure, outcome, post
from libraries_io_mcp.alerting.channels.webhook import rfc3339

LIMIT_SECONDS: Final = 5.0
VALID_INTERVALS: Final = 4
"""An alert that is not sent again within so many intervals is over, as with Prometheus."""
CREATED_BY: Final = "libraries-io-mcp"
_HEADERS: Final = {"Content-Type": "application/json", "User-Agent": CREATED_BY}
_TOO_LONG: Final = GiveUp("its reply was longer than 64 KiB")
_COMMENT: Final = (
    "libraries-io-mcp told people of this alert itself while Alertmanager was away, and tells them its end."
)


class Alertmanager:
    """One Alertmanager.

    Args:
        url: its address, with its path prefix if it has one.
        limit_seconds: for one question in all.
    """

    def __init__(
        self,
        url: str,
        *,
        limit_seconds: float = LIMIT_SECONDS,
        now: Callable[[], float] = time.time,
        network: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._api = f"{url.rstrip('/')}/api/v2"
        self._limit = limit_seconds
        self._now = now
        self._client = httpx.AsyncClient(transport=network, trust_env=False, timeout=limit_seconds)

    def __repr__(self) -> str:
        return f"Alertmanager({urlsplit(self._api).hostname})"

    async def push(self, alerts: Sequence[Alert], interval_seconds: float) -> Result:
        """Send firing and resolved alerts; to be repeated each interval while they fire."""
        if not alerts:
            return Done()
        until = self._now() + VALID_INTERVALS * interval_seconds
        body = json.dumps([_posted(alert, until) for alert in alerts], ensure_ascii=False).encode()
        return await post(self._client, f"{self._api}/alerts", body, _HEADERS, seconds=self._limit, now=self._now)

    async def started(self) -> str | Result:
        """When it was started, as it says so itself, empty if it does not say; or why it does not answer."""
        answer = await self._ask("GET", "/status")
        if answer == _TOO_LONG:
            return ""  # it answers, with a long configuration
        if isinstance(answer, Mapping) and isinstance(answer.get("uptime"), str):
            return str(answer["uptime"])
        return answer if isinstance(answer, Retry | GiveUp) else Retry("it answered something else")

    async def silence(self, labels: Mapping[str, str], until: float, known: str | None) -> str | Result:
        """Silence exactly the alert with these labels until a time; the silence's id, or why not.

        Args:
            known: the id of the silence to prolong. A new one is made when it is there no more.
        """
        matchers = [
            {"name": name, "value": value, "isRegex": False, "isEqual": True} for name, value in sorted(labels.items())
        ]
        wanted = {
            "matchers": matchers,
            "startsAt": rfc3339(self._now()),
            "endsAt": rfc3339(until),
            "createdBy": CREATED_BY,
            "comment": _COMMENT,
        }
        answer = await self._ask("POST", "/silences", {**wanted, "id": known} if known else wanted)
        if known and isinstance(answer, GiveUp):
            answer = await self._ask("POST", "/silences", wanted)
        if isinstance(answer, Mapping) and isinstance(answer.get("silenceID"), str):
            return str(answer["silenceID"])
        return answer if isinstance(answer, Retry | GiveUp) else Retry("it answered something else")

    async def aclose(self) -> None:
        """Close its connections."""
        await self._client.aclose()

    async def _ask(self, method: str, path: str, data: object = None) -> Any:
        """The decoded reply, or the `Retry` or `GiveUp` that it amounts to."""
        body = None if data is None else json.dumps(data, ensure_ascii=False).encode()
        try:
            status, headers, content = await exchange(
                self._client, method, f"{self._api}{path}", self._limit, body, _HEADERS
            )
            result = outcome(status, headers.get("Retry-After"), self._now())
            return json.loads(content) if isinstance(result, Done) else result
        except ReplyTooLongError:
            return _TOO_LONG
        except ValueError:
            return Retry("it answered something else")
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            return failure(error, self._limit)


def _posted(alert: Alert, until: float) -> dict[str, Any]:
    firing = alert.state == "firing"
    started = alert.active_at if alert.fired_at is None else alert.fired_at
    ended = until if firing or alert.resolved_at is None else max(started, alert.resolved_at)
    return {
        "labels": dict(alert.labels),
        "annotations": dict(alert.annotations),
        "startsAt": rfc3339(started),
        "endsAt": rfc3339(ended),
    }
