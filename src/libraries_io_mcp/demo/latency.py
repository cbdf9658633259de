"""The latency of each tool, out of the histogram points that were received."""

from collections.abc import Sequence
from itertools import pairwise

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from libraries_io_mcp.demo.otlp_model import MetricPoint
from libraries_io_mcp.demo.trace_view import duration


def latency_table(points: Sequence[MetricPoint]) -> RenderableType:
    """One line a series: a tool, and how its calls ended."""
    table = Table(box=None, expand=True, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("tool", ratio=1)
    table.add_column("outcome")
    for title in ("calls", "mean", "p50 ~", "p95 ~", "slowest"):
        table.add_column(title, justify="right", no_wrap=True)
    table.add_column("exemplar", no_wrap=True)
    for point in sorted(points, key=lambda point: str(point.attributes)):
        error = point.attributes.get("error.type")
        exemplar = next((mark.trace_id for mark in reversed(point.exemplars) if mark.trace_id), None)
        table.add_row(
            str(point.attributes["gen_ai.tool.name"]),
            Text(str(error), "red") if error else Text("ok", "green"),
            str(point.count),
            duration(point.sum / point.count),
            duration(percentile(point, 0.50)),
            duration(percentile(point, 0.95)),
            duration(point.max) if point.max is not None else "-",
            Text(f"trace {exemplar[:8]}" if exemplar else "none", "cyan" if exemplar else "dim"),
        )
    return table


def percentile(point: MetricPoint, part: float) -> float:
    """The value below which `part` of the measurements lie, interpolated within its bucket; seconds.

    The first bucket begins at 0, the last ends at the greatest measurement; none leads beyond least or greatest.
    """
    greatest = point.max if point.max is not None else max(point.bounds, default=0.0)
    least = point.min or 0.0
    below = 0
    edges = pairwise([0.0, *point.bounds, max(greatest, *point.bounds)])
    for (low, high), count in zip(edges, point.buckets, strict=True):
        if count and below + count >= part * point.count:
            value = low + (high - low) * (part * point.count - below) / count
            return min(max(value, least), greatest)
        below += count
    return greatest
