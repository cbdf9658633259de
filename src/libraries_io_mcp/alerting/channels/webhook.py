"""Alerts by HTTP: the version-4 body of Alertmanager's webhook receivers, so that whatever takes those takes these."""

import hashlib
import hmac
import json
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlsplit

from libraries_io_mcp.alerting.alert import Alert
from libraries_io_mcp.alerting.channels.http_post import HttpPost
from libraries_io_mcp.alerting.channels.notification import Notification, Result, common
from libraries_io_mcp.telemetry.semconv import AlertChannel

LIMIT_SECONDS: Final = 10.0
NO_TIME: Final = "0001-01-01T00:00:00Z"
"""How Alertmanager writes the end of what has not ended."""


class Webhook:
    """Posts notifications to one address.

    Args:
        hmac_secret: signs the body.
        external_url: where a person can look, in the body's `externalURL`.
    """

    name: AlertChannel = "webhook"
    id = "webhook"
    label = "webhook"

    def __init__(self, url: str, post: HttpPost, *, hmac_secret: str | None = None, external_url: str = "") -> None:
        self._url = url
        self._post = post
        self._secret = hmac_secret.encode() if hmac_secret else None
        self._external_url = external_url

    def __repr__(self) -> str:
        return f"Webhook({urlsplit(self._url).hostname})"

    async def deliver(self, notification: Notification) -> Result:
        """Post it once."""
        body = json.dumps(message(notification, self._external_url), ensure_ascii=False).encode()
        if self._secret is None:
            return await self._post.send("POST", self._url, body)
        signature = hmac.new(self._secret, body, hashlib.sha256).hexdigest()
        return await self._post.send("POST", self._url, body, {"X-Signature-256": f"sha256={signature}"})

    async def aclose(self) -> None:
        """Close its connections."""
        await self._post.aclose()


def message(notification: Notification, external_url: str) -> dict[str, Any]:
    """The body, version 4, as Alertmanager v0.34 writes it."""
    alerts = notification.alerts
    return {
        "receiver": "webhook",
        "status": notification.status,
        "alerts": [_alert(alert) for alert in alerts],
        "notification_reason": _reason(notification),
        "groupLabels": dict(notification.group),
        "commonLabels": common([alert.labels for alert in alerts]),
        "commonAnnotations": common([alert.annotations for alert in alerts]),
        "routeLabels": {},
        "externalURL": external_url,
        "version": "4",
        "groupKey": notification.group_key,
        "truncatedAlerts": 0,
    }


def rfc3339(seconds: float) -> str:
    """A time as Go and JSON Schema write it, in milliseconds."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _alert(alert: Alert) -> dict[str, Any]:
    firing = alert.state == "firing"
    return {
        "status": "firing" if firing else "resolved",
        "labels": dict(sorted(alert.labels.items())),
        "annotations": dict(sorted(alert.annotations.items())),
        "startsAt": rfc3339(alert.since),
        "endsAt": NO_TIME if firing or alert.resolved_at is None else rfc3339(alert.resolved_at),
        "generatorURL": "",
        "fingerprint": alert.fingerprint,
    }


def _reason(notification: Notification) -> str:
    if notification.status == "resolved":
        return "all alerts resolved"
    if notification.reminds:
        return "repeat interval elapsed"
    if notification.count == 0:
        return "first notification"
    resolved = any(alert.state == "resolved" for alert in notification.alerts)
    return "some alerts resolved" if resolved else "new alerts added"
