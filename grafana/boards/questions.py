"""PromQL that several dashboards ask, and the panels and choices that they share."""

from collections.abc import Sequence
from typing import Final

from grafana.panels import Panel, Query, Variable

HERE: Final = 'deployment_environment_name=~"$environment"'
CALLS: Final = f'mcp_server_operation_duration_seconds_count{{mcp_method_name="tools/call",{HERE}}}'
FAILED: Final = f'mcp_server_operation_duration_seconds_count{{mcp_method_name="tools/call",error_type!="",{HERE}}}'
BUCKETS: Final = f'mcp_server_operation_duration_seconds_bucket{{mcp_method_name="tools/call",{HERE}}}'
ENVIRONMENT: Final = Variable(
    "environment",
    "Environment",
    "label_values(mcp_server_operation_duration_seconds_count, deployment_environment_name)",
)
TOOL: Final = Variable(
    "tool", "Tool", "label_values(mcp_server_operation_duration_seconds_count, gen_ai_tool_name)", everything=False
)
AMBER: Final = "orange"
RED: Final = "red"


def rate(series: str, by: str = "") -> str:
    """The rate of a counter, summed."""
    return f"sum{f' by ({by})' if by else ''} (rate({series}[$__rate_interval]))"


def percentile(share: float, buckets: str, by: str = "") -> str:
    """A percentile of a histogram."""
    return f"histogram_quantile({share}, sum by (le{f', {by}' if by else ''}) (rate({buckets}[$__rate_interval])))"


def ratio(part: str, whole: str) -> str:
    """One rate in another; nothing when the other is 0."""
    return f"({rate(part)} or vector(0)) / ({rate(whole)} > 0)"


def latency(title: str, buckets: str, about: str, alerts: Sequence[str] = ()) -> Panel:
    """Three percentiles with exemplars."""
    shares = ((0.5, "median"), (0.95, "95 %"), (0.99, "99 %"))
    queries = [Query(percentile(share, buckets), legend, exemplars=True) for share, legend in shares]
    return Panel(title, about, "s", queries, alerts=alerts)


def lost(series: str, by: str) -> Query:
    """How much of something was lost over the time shown."""
    return Query(f"sum by ({by}) (increase({series}[$__range])) or vector(0)", f"{{{{{by}}}}}")
