"""What fires, whether it would arrive, and what to do: the runbooks are part of the dashboard."""

from pathlib import Path
from typing import Final

from grafana.boards.questions import rate
from grafana.panels import Dashboard, Panel, Query

_RUNBOOKS: Final = (Path(__file__).parents[2] / "docs" / "runbooks.md").read_text(encoding="utf-8")

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
                alerts=["Watchdog"],
            ),
            Panel(
                "Firing",
                "By alert; its runbook is below, under its name.",
                "short",
                [Query('sum by (alertname, severity, service_name) (ALERTS{alertstate="firing"})', instant=True)],
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
            ),
            Panel(
                "Notifications",
                "Sent by Prometheus to Alertmanager, and those that failed.",
                "cps",
                [
                    Query(rate("prometheus_notifications_sent_total"), "sent"),
                    Query(rate("prometheus_notifications_errors_total"), "failed"),
                ],
                alerts=["PrometheusNotNotifying", "AlertmanagerNotNotifying"],
            ),
            Panel(
                "Told by the server itself",
                "What became of its own messages: it tells when Alertmanager does not answer.",
                "cps",
                [
                    Query(
                        rate("alerting_deliveries_total", "alerting_channel, alerting_outcome"),
                        "{{alerting_channel}} {{alerting_outcome}}",
                    )
                ],
                alerts=["AlertDeliveryFailing", "PrometheusLost"],
            ),
        ],
        "What to do": [
            Panel(
                "Runbooks",
                "docs/runbooks.md, as it was when these dashboards were made.",
                "short",
                [],
                "text",
                24,
                24,
                options={"mode": "markdown", "content": _RUNBOOKS},
            ),
        ],
    },
)
