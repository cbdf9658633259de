"""What fires, and whether it would arrive."""

from typing import Final

from grafana.boards.questions import rate
from grafana.panels import Dashboard, Panel, Query

ALERTS: Final = Dashboard(
    "lio-alerts",
    "Alerts",
    "What fires, and whether the way to Alertmanager works.",
    {
        "Now": [
            Panel(
                "Watchdog",
                "1 while the alert that always fires does. 0 means that no alert would arrive.",
                "short",
                [Query('count(ALERTS{alertname="Watchdog",alertstate="firing"}) or vector(0)', "firing")],
                "stat",
                6,
                6,
            ),
            Panel(
                "Firing",
                "By alert; each alert's runbook_url says what to do.",
                "short",
                [Query('sum by (alertname, severity) (ALERTS{alertstate="firing"})', instant=True)],
                "table",
                18,
                6,
            ),
        ],
        "Over time": [
            Panel(
                "Alerts by state",
                "Pending and firing.",
                "short",
                [Query("sum by (alertname, alertstate) (ALERTS)", "{{alertname}} {{alertstate}}")],
                width=12,
            ),
            Panel(
                "Notifications",
                "Sent by Prometheus to Alertmanager, and those that failed.",
                "cps",
                [
                    Query(rate("prometheus_notifications_sent_total"), "sent"),
                    Query(rate("prometheus_notifications_errors_total"), "failed"),
                ],
                width=12,
            ),
        ],
    },
)
