"""PromQL that several dashboards ask, and the panels and choices that they share."""

from collections.abc import Sequence
from typing import Final

from grafana.panels import Link, Panel, Query, TextBox, Variable

HERE: Final = 'deployment_environment_name=~"$environment"'
CALLS: Final = f'mcp_server_operation_duration_seconds_count{{mcp_method_name="tools/call",{HERE}}}'
FAILED: Final = f'mcp_server_operation_duration_seconds_count{{mcp_method_name="tools/call",error_type!="",{HERE}}}'
OBJECTIVE: Final = 0.01
"""Share of the tool calls that may fail, as `otel/rules/slo.yml` has it."""
BUDGET_USED: Final = (
    "(sum(sum_over_time(service:mcp_tool_calls_failed:increase5m[30d])) "
    f"/ (sum(sum_over_time(service:mcp_tool_calls:increase5m[30d])) > 0)) / {OBJECTIVE} or vector(0)"
)
BUCKETS: Final = f'mcp_server_operation_duration_seconds_bucket{{mcp_method_name="tools/call",{HERE}}}'
ENVIRONMENT: Final = Variable(
    "environment",
    "Environment",
    "label_values(mcp_server_operation_duration_seconds_count, deployment_environment_name)",
)
TOOL: Final = Variable(
    "tool", "Tool", "label_values(mcp_server_operation_duration_seconds_count, gen_ai_tool_name)", everything=False
)
TRACE: Final = TextBox("trace", "Trace id")
TO_LOGS: Final = Link("Its log records", "/d/lio-influxdb?var-trace=${__value.raw}")
TO_TRACE: Final = Link(
    "The trace",
    '/explore?schemaVersion=1&panes={"trace":{"datasource":"jaeger","queries":[{"refId":"A",'
    '"query":"${__value.raw}"}],"range":{"from":"now-7d","to":"now"}}}',
)
NOTHING_YET: Final = (
    "Nothing was asked yet. For a gentle load: "
    "docker compose -f docker-compose.observability.yml --profile traffic up -d"
)
"""What a panel says that can only be drawn of calls."""
AMBER: Final = "orange"
RED: Final = "red"


def rate(series: str, by: str = "") -> str:
    """The rate of a counter, summed; 0 while there is none, since a counter begins with what it first counts."""
    return f"sum{f' by ({by})' if by else ''} (rate({series}[$__rate_interval])) or vector(0)"


def burnt(window: str) -> str:
    """The recorded share of tool calls that failed in a window, as the alerts read it."""
    return f"service:mcp_tool_calls:error_ratio_rate{window}"


def percentile(share: float, buckets: str, by: str = "") -> str:
    """A percentile of a histogram."""
    return f"histogram_quantile({share}, sum by (le{f', {by}' if by else ''}) (rate({buckets}[$__rate_interval])))"


def ratio(part: str, whole: str) -> str:
    """One rate in another; 0 when the other is."""
    return f"({rate(part)}) / (({rate(whole)}) > 0) or vector(0)"


def latency(title: str, buckets: str, about: str, alerts: Sequence[str] = ()) -> Panel:
    """Three percentiles with exemplars."""
    shares = ((0.5, "median"), (0.95, "95 %"), (0.99, "99 %"))
    queries = [Query(percentile(share, buckets), legend, exemplars=True) for share, legend in shares]
    return Panel(title, about, "s", queries, alerts=alerts, empty=NOTHING_YET)


def lost(series: str, by: str) -> Query:
    """How much of something was lost over the time shown."""
    return Query(f"sum by ({by}) (increase({series}[$__range])) or vector(0)", f"{{{{{by}}}}}")
