"""One trace as a tree: each span with its duration and its place in time; waits between attempts are shown too."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from libraries_io_mcp.demo.bar import Bar
from libraries_io_mcp.demo.otlp_model import Span
from libraries_io_mcp.demo.story import CLIENT_NAME, Trace

SHORTEST_WAIT: Final = 0.05
"""Seconds between two attempts from which on the wait gets a line."""
WHO: Final = {True: ("demo", "cyan"), False: ("server", "green")}


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the tree. `start_ns` and `end_ns` are epoch nanoseconds."""

    label: Text
    who: str
    start_ns: int
    end_ns: int
    style: str
    dotted: bool = False


def trace_tree(trace: Trace) -> RenderableType:
    """The tree with its waterfall."""
    begin, whole = trace.client.start_ns, max(trace.client.end_ns - trace.client.start_ns, 1)
    table = Table(box=None, expand=True, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("span", no_wrap=True)
    table.add_column("of", no_wrap=True)
    table.add_column("took", justify="right", no_wrap=True)
    table.add_column(Text(f"0 to {duration(whole / 1e9)}", justify="right"), ratio=1)
    for row in _rows(trace.client, trace, prefix="", joint=""):
        bar = Bar((row.start_ns - begin) / whole, min((row.end_ns - begin) / whole, 1.0), row.style, row.dotted)
        table.add_row(row.label, Text(row.who, "dim"), duration((row.end_ns - row.start_ns) / 1e9), bar)
    return table


def duration(seconds: float) -> str:
    """`3.2 ms` or `3.20 s`."""
    return f"{seconds:.2f} s" if seconds >= 1 else f"{seconds * 1000:.1f} ms"


def _rows(span: Span, trace: Trace, *, prefix: str, joint: str) -> Iterator[Row]:
    who, style = WHO[span.origin.service == CLIENT_NAME]
    attempt = span in trace.attempts
    label = _attempt(span) if attempt else Text.assemble(span.name, (f" {span.kind.lower()}", "dim"))
    style = _status_style(span) if attempt else style
    yield Row(Text.assemble((prefix + joint, "dim"), label), who, span.start_ns, span.end_ns, style)
    inner = prefix + {"": "", "├─ ": "│  ", "└─ ": "   "}[joint]
    children = [child for child in trace.spans if child.parent_id == span.span_id]
    for number, child in enumerate(children):
        last = number == len(children) - 1
        yield from _rows(child, trace, prefix=inner, joint="└─ " if last else "├─ ")
        yield from _wait(child, trace, inner)


def _wait(attempt: Span, trace: Trace, prefix: str) -> Iterator[Row]:
    for earlier, later in pairwise(trace.attempts):
        if earlier is attempt and (later.start_ns - earlier.end_ns) / 1e9 >= SHORTEST_WAIT:
            label = Text.assemble((f"{prefix}│  ", "dim"), ("waits for the next quota window", "yellow"))
            yield Row(label, "server", earlier.end_ns, later.start_ns, "yellow", dotted=True)


def _attempt(span: Span) -> Text:
    status = span.attributes.get("http.response.status_code", "no answer")
    resends = span.attributes.get("http.request.resend_count", 0)
    again = f", attempt {resends + 1}" if resends else " refused" if status == 429 else ""
    return Text.assemble(
        f"{span.name} {span.attributes.get('url.template', '')} ", (f"{status}{again}", f"bold {_status_style(span)}")
    )


def _status_style(span: Span) -> str:
    return "blue" if span.attributes.get("http.response.status_code") == 200 else "red"
