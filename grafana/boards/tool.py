"""One tool in depth."""

from typing import Final

from grafana.boards.questions import ENVIRONMENT, HERE, NOTHING_YET, TOOL, latency, percentile, rate
from grafana.panels import Dashboard, Panel, Query

_TOOL: Final = 'gen_ai_tool_name="$tool"'
_TOOL_CALLS: Final = f"mcp_server_operation_duration_seconds_count{{{_TOOL},{HERE}}}"
_TOOL_FAILED: Final = f'mcp_server_operation_duration_seconds_count{{{_TOOL},error_type!="",{HERE}}}'
_TOOL_BUCKETS: Final = f"mcp_server_operation_duration_seconds_bucket{{{_TOOL},{HERE}}}"
ONE_TOOL: Final = Dashboard(
    "lio-tool",
    "One tool",
    "Everything about the tool chosen above.",
    {
        "$tool": [
            Panel(
                "Calls",
                "By outcome.",
                "reqps",
                [
                    Query(rate(_TOOL_CALLS), "all"),
                    Query(rate(_TOOL_FAILED, "libraries_io_error_type"), "{{libraries_io_error_type}}"),
                ],
            ),
            latency("Duration", _TOOL_BUCKETS, "The dots are exemplars: click one to see its trace."),
            Panel(
                "Distribution",
                "Calls a second in each class of duration.",
                "reqps",
                [Query(f"sum by (le) (rate({_TOOL_BUCKETS}[$__rate_interval]))", "{{le}}")],
                "heatmap",
                empty=NOTHING_YET,
                options={"calculate": False, "yAxis": {"unit": "s"}, "cellGap": 1},
            ),
        ],
        "As its spans say": [
            Panel(
                "Calls by span",
                "Span metrics, made by the Collector from all spans before any sampling.",
                "reqps",
                [Query(rate(f"traces_span_metrics_calls_total{{{_TOOL}}}", "status_code"), "{{status_code}}")],
                width=12,
            ),
            Panel(
                "Duration by span",
                "95 % are faster.",
                "s",
                [
                    Query(
                        percentile(0.95, f"traces_span_metrics_duration_seconds_bucket{{{_TOOL}}}"),
                        "95 %",
                        exemplars=True,
                    )
                ],
                width=12,
                empty=NOTHING_YET,
            ),
        ],
    },
    [ENVIRONMENT, TOOL],
)
