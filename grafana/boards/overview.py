"""Is it well? Where does it hurt?"""

from typing import Final

from grafana.boards.questions import (
    AMBER,
    BUCKETS,
    BUDGET_USED,
    CALLS,
    ENVIRONMENT,
    FAILED,
    HERE,
    NOTHING_YET,
    OBJECTIVE,
    RED,
    TO_LOGS,
    TO_TRACE,
    burnt,
    latency,
    percentile,
    rate,
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
                "Share of the last five minutes that failed through no fault of the caller; all environments.",
                "percentunit",
                [Query(f"max({burnt('5m')}) or vector(0)", "failing")],
                "stat",
                5,
                5,
                {OBJECTIVE: AMBER, 0.05: RED},
                alerts=["LowSuccessRate"],
            ),
            Panel(
                "Error budget used",
                "Of 30 days: 1 % of the tool calls may fail. At 100 % the objective is missed; all environments.",
                "percentunit",
                [Query(BUDGET_USED, "used")],
                "stat",
                5,
                5,
                {0.75: AMBER, 1: RED},
                alerts=["ErrorBudgetBurnFast", "ErrorBudgetBurnSlow"],
            ),
            Panel(
                "Slowest twentieth",
                "95 % of tool calls are faster than this.",
                "s",
                [Query(percentile(0.95, BUCKETS), "95 %")],
                "stat",
                5,
                5,
                {1: AMBER, 5: RED},
                alerts=["HighResponseTime"],
                empty="0",
            ),
            Panel(
                "Quota left",
                "Requests to Libraries.io left in this minute; at 0 callers wait.",
                "short",
                [Query(f"min(libraries_io_quota_remaining{{{HERE}}})", "left")],
                "stat",
                5,
                5,
                alerts=["QuotaNearlyUsedUp", "QuotaExhausted"],
            ),
            Panel(
                "Alerts firing",
                "Without the Watchdog, which always fires.",
                "short",
                [Query('count(ALERTS{alertstate="firing",alertname!="Watchdog"}) or vector(0)', "alerts")],
                "stat",
                4,
                5,
                {1: RED},
            ),
        ],
        "Traffic and errors": [
            Panel("Tool calls", "By tool.", "reqps", [Query(rate(CALLS, "gen_ai_tool_name"), "{{gen_ai_tool_name}}")]),
            Panel(
                "Failing tool calls",
                "By kind of error, the caller's own faults among them; docs/telemetry.md lists them.",
                "reqps",
                [Query(rate(FAILED, "libraries_io_error_type"), "{{libraries_io_error_type}}")],
                alerts=["HighErrorRate"],
            ),
            latency("Duration of tool calls", BUCKETS, "The dots are exemplars: click one to see its trace in Jaeger."),
        ],
        "What it promises, and what it depends on": [
            Panel(
                "How fast the error budget burns",
                "1 uses it up in 30 days, 6 in five, 14.4 in two: from there on somebody is told.",
                "short",
                [Query(f"max({burnt(window)}) / {OBJECTIVE} or vector(0)", window) for window in ("5m", "1h", "6h")],
                steps={6: AMBER, 14.4: RED},
                alerts=["ErrorBudgetBurnFast", "ErrorBudgetBurnSlow"],
            ),
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
                empty=NOTHING_YET,
                links={"traceID": [TO_TRACE, TO_LOGS]},
            ),
        ],
    },
    [ENVIRONMENT],
)
