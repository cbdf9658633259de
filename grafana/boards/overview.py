"""Is it well? Where does it hurt?"""

from typing import Final

from grafana.boards.questions import (
    AMBER,
    BUCKETS,
    CALLS,
    ENVIRONMENT,
    FAILED,
    HERE,
    RED,
    latency,
    percentile,
    rate,
    ratio,
)
from grafana.panels import Dashboard, Panel, Query

OVERVIEW: Final = Dashboard(
    "lio-overview",
    "Overview",
    "Is it well? Read the first row; the panels below say where it hurts.",
    {
        "Now": [
            Panel(
                "Tool calls that fail",
                "Share that ended with an error. Above 1 % the error budget shrinks.",
                "percentunit",
                [Query(ratio(FAILED, CALLS), "failing")],
                "stat",
                6,
                5,
                {0.01: AMBER, 0.05: RED},
                alerts=["ErrorBudgetBurnFast", "ErrorBudgetBurnSlow", "LowSuccessRate"],
            ),
            Panel(
                "Slowest twentieth",
                "95 % of tool calls are faster than this.",
                "s",
                [Query(percentile(0.95, BUCKETS), "95 %")],
                "stat",
                6,
                5,
                {1: AMBER, 5: RED},
                alerts=["HighResponseTime"],
            ),
            Panel(
                "Quota left",
                "Requests to Libraries.io left in this minute; at 0 callers wait.",
                "short",
                [Query(f"min(libraries_io_quota_remaining{{{HERE}}})", "left")],
                "stat",
                6,
                5,
                alerts=["QuotaNearlyUsedUp", "QuotaExhausted"],
            ),
            Panel(
                "Alerts firing",
                "Without the Watchdog, which always fires.",
                "short",
                [Query('count(ALERTS{alertstate="firing",alertname!="Watchdog"}) or vector(0)', "alerts")],
                "stat",
                6,
                5,
                {1: RED},
            ),
        ],
        "Traffic and errors": [
            Panel("Tool calls", "By tool.", "reqps", [Query(rate(CALLS, "gen_ai_tool_name"), "{{gen_ai_tool_name}}")]),
            Panel(
                "Failing tool calls",
                "By kind of error; docs/telemetry.md lists them.",
                "reqps",
                [Query(rate(FAILED, "error_type"), "{{error_type}}")],
                alerts=["HighErrorRate"],
            ),
            latency("Duration of tool calls", BUCKETS, "The dots are exemplars: click one to see its trace in Jaeger."),
        ],
        "What it depends on": [
            Panel(
                "Answers by where they came from",
                "Hits cost no request; stale ones mean trouble upstream.",
                "reqps",
                [
                    Query(
                        rate(f"libraries_io_cache_lookups_total{{{HERE}}}", "libraries_io_cache_result"),
                        "{{libraries_io_cache_result}}",
                    )
                ],
            ),
            Panel(
                "Quota",
                "Left and allowed in the current minute.",
                "short",
                [
                    Query(f"min(libraries_io_quota_remaining{{{HERE}}})", "left"),
                    Query(f"max(libraries_io_quota_limit{{{HERE}}})", "allowed"),
                ],
            ),
            Panel(
                "Requests to Libraries.io",
                "By status.",
                "reqps",
                [
                    Query(
                        rate(f"http_client_request_duration_seconds_count{{{HERE}}}", "http_response_status_code"),
                        "{{http_response_status_code}}",
                    )
                ],
            ),
        ],
        "Recent traces": [
            Panel(
                "Traces",
                "The newest; Jaeger searches by the tags libraries_io.package and libraries_io.platform.",
                "short",
                [Query("libraries-io-mcp", source="jaeger")],
                "table",
                24,
                9,
            ),
        ],
    },
    [ENVIRONMENT],
)
