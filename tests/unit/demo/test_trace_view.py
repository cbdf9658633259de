"""The tree shows each span once, in its place, and the wait between two attempts."""

import io

import pytest
from rich.console import Console, RenderableType
from tests.unit.demo.recorded import ASKED, RECEIVED, SECRET

from libraries_io_mcp.demo.story import tell
from libraries_io_mcp.demo.trace_view import duration, trace_tree


def printed(renderable: RenderableType, width: int = 100) -> str:
    console = Console(file=io.StringIO(), width=width)
    console.print(renderable)
    return console.file.getvalue()


def tree(width: int) -> list[str]:
    story = tell([ASKED], RECEIVED, attempts=2, secret=SECRET)
    return printed(trace_tree(story.traces[0]), width).splitlines()


def test_the_tree_shows_spans_attempts_and_the_wait():
    title, client, send, server, refused, wait, answered = tree(100)
    assert title.split()[-4:] == ["0", "to", "3.10", "s"]
    assert client.startswith("tools/call get_package_info client")
    assert send.startswith("└─ MCP send tools/call get_package_info")
    assert server.startswith("   └─ tools/call get_package_info server")
    assert refused.startswith("      ├─ GET /{platform}/{name} 429 refused")
    assert wait.startswith("      │  waits for the next quota window")
    assert "3.04 s" in wait
    assert answered.startswith("      └─ GET /{platform}/{name} 200, attempt 2")
    assert client.count("━") > 20
    assert wait.count("╌") > 20
    assert refused.count("━") == answered.count("━") == 1
    assert refused.index("━") < wait.index("╌") + 1 < answered.index("━")


@pytest.mark.parametrize("width", [80, 100, 120])
def test_it_fits(width):
    lines = tree(width)
    assert len(lines) == 7
    assert all(len(line) <= width for line in lines)
    assert "…" not in "".join(lines)


@pytest.mark.parametrize(("seconds", "text"), [(0.0042, "4.2 ms"), (0.9999, "999.9 ms"), (3.1, "3.10 s")])
def test_durations_are_readable(seconds, text):
    assert duration(seconds) == text
