"""Alerts and notifications for tests about telling people of them."""

from libraries_io_mcp.alerting.alert import Alert
from libraries_io_mcp.alerting.channels.notification import Notification

NOON = 1_790_000_000.0


def an_alert(
    name: str = "HighErrorRate",
    *,
    at: float = NOON,
    resolved: float | None = None,
    severity: str = "high",
    annotations: dict[str, str] | None = None,
    **labels: str,
) -> Alert:
    """One that fires since `at`, or has resolved."""
    return Alert(
        labels={"alertname": name, "service_name": "libraries-io-mcp", "severity": severity, **labels},
        annotations={"summary": f"{name} is the case", **(annotations or {})},
        value=12.5,
        state="firing" if resolved is None else "resolved",
        active_at=at - 60,
        fired_at=at,
        resolved_at=resolved,
    )


def a_notification(*alerts: Alert, count: int = 0, reminds: bool = False) -> Notification:
    """One about these alerts."""
    given = alerts or (an_alert(),)
    group = {"alertname": given[0].name, "service_name": given[0].labels["service_name"]}
    return Notification(group, given, NOON + 1 + count, count, reminds)
