"""What the demo shows, as renderables: the headline, answers, log lines, totals, and what to try next."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from libraries_io_mcp.demo.otlp_model import LogRecord
from libraries_io_mcp.demo.questions import Asked, Content
from libraries_io_mcp.demo.story import Story
from libraries_io_mcp.demo.trace_view import duration

INDENT: Final = (0, 0, 0, 3)
KEY_PAGE: Final = "https://libraries.io/account"
LEVEL_STYLES: Final = {"WARN": "yellow", "WARNING": "yellow", "ERROR": "red", "CRITICAL": "red"}


def headline() -> RenderableType:
    """What this is."""
    return Group(
        Text("Libraries.io MCP server: the main job, end to end", "bold cyan"),
        Text(
            "A real MCP client asks the installed server on stdio; the server asks a sandbox of the Libraries.io API, "
            "whose packages are real; it lists a few versions of each, and its stars and dependents are made up. "
            "Client and server send OTLP to a receiver in this process. Nothing is canned: what is not received is "
            "not shown, and then this command fails.",
            "dim",
        ),
    )


def answer(asked: Asked) -> RenderableType:
    """A question and its answer, from the structured content."""
    question = Table.grid(expand=True, padding=(0, 1))
    question.add_column(ratio=1)
    question.add_column(justify="right", no_wrap=True)
    call = Text.assemble((asked.question.tool, "cyan"), (f"  {duration(asked.seconds)}", "dim"))
    question.add_row(Text.assemble(("? ", "bold cyan"), (asked.question.words, "bold")), call)
    return Group("", question, Padding(_facts(asked), INDENT))


def used_up(requests: int, seconds: int) -> RenderableType:
    """What the second program has done."""
    text = f"! another program with the same key has sent {requests} requests: 0 left for the next {seconds} s"
    return Group("", Text(text, "yellow"))


def _facts(asked: Asked) -> RenderableType:
    if asked.is_error:
        return _error(asked.content)
    match asked.question.tool:
        case "search_packages":
            return _search(asked.content)
        case "get_package_dependencies":
            return _dependencies(asked.content)
        case _:
            return _package(asked.content)


def _search(content: Content) -> RenderableType:
    table = _grid("bold", "", "dim", "yellow", "")
    for package in content["packages"]:
        table.add_row(
            package["name"],
            package["latest_stable"],
            ", ".join(package["licenses"]),
            f"★ {package['stars']:,}",
            Text(package["description"] or "", overflow="ellipsis", no_wrap=True),
        )
    return Group(table, _source(content, f"{len(content['packages'])} of {content['total']} packages"))


def _package(content: Content) -> RenderableType:
    published = str(content["latest_stable_published_at"])[:10]
    return Group(
        Text.assemble(
            (f"{content['platform']}/{content['name']} {content['latest_stable']}", "bold"),
            (f" of {published}", "dim"),
            f"  {' or '.join(content['licenses'])}",
            (f"  ★ {content['stars']:,}", "yellow"),
            f"  {content['dependents_count']:,} packages need it",
        ),
        Text(f"{content['description']}. {content['repository_url']}"),
        _source(content, f"{content['versions_count']} versions"),
    )


def _dependencies(content: Content) -> RenderableType:
    table = _grid("bold", "", "dim", "")
    for dependency in content["dependencies"]:
        table.add_row(
            dependency["name"],
            dependency["requirements"],
            f"newest {dependency['latest_stable']}",
            ", ".join(dependency["licenses"] or ()),
        )
    heading = Text(f"{content['name']} {content['version']} needs {len(content['dependencies'])} packages")
    return Group(heading, table, _source(content))


def _error(content: Content) -> RenderableType:
    meant = ", ".join(content.get("suggestions", ()))
    return Group(
        Text.assemble((f"{content['error_type']}: ", "bold yellow"), content["message"]),
        Text.assemble(("next step: ", "dim"), content["next_step"], ("  suggestions: ", "dim"), (meant, "bold")),
    )


def _source(content: Content, *facts: str) -> Text:
    source = content["provenance"]
    asked = f"from {source['endpoint']} by {source['source']}"
    return Text("; ".join([*facts, asked, f"{source['quota_remaining']} requests left"]), "dim")


def log_lines(records: Sequence[LogRecord]) -> RenderableType:
    """Log records of one trace, with what makes each findable."""
    table = _grid("dim", "", "", "cyan")
    for record in records:
        time = datetime.fromtimestamp(record.time_ns / 1e9, UTC)
        said = str(record.body)
        endpoint = record.attributes.get("libraries_io.endpoint")
        table.add_row(
            f"{time:%H:%M:%S}.{time.microsecond // 1000:03}",
            Text(record.severity, LEVEL_STYLES.get(record.severity, "green")),
            Text(f"{said} ({endpoint})" if endpoint and str(endpoint) not in said else said, overflow="fold"),
            f"trace {(record.trace_id or '')[:8]}",
        )
    return table


def totals(story: Story, *, requests: int) -> RenderableType:
    """How much was received. `requests` is the sandbox's own count of the server's requests."""
    received = story.received
    attempts = sum(len(trace.attempts) for trace in story.traces)
    metrics = len({point.name for point in received.points})
    return Group(
        Text.assemble(
            ("✓ ", "bold green"),
            f"{len(received.spans)} spans, {len(received.points)} points of {metrics} metrics and "
            f"{len(received.logs)} log records arrived; the API key is in none of them",
        ),
        Text.assemble(
            ("✓ ", "bold green"),
            f"{requests} requests of the server counted by the sandbox, {attempts} of them seen as spans",
        ),
    )


def next_steps(command: str) -> RenderableType:
    """What to try now. `command` is how an MCP client starts the server."""
    configuration = f"""{{"mcpServers": {{"libraries-io": {{
    "command": {json.dumps(command)},
    "env": {{"LIBRARIES_IO_API_KEY": "your key"}}}}}}}}"""
    steps = (
        ("Get a key, free of charge, and add the server to your MCP client's configuration:", KEY_PAGE, configuration),
        ("Serve it to many clients over HTTP:", f"{command} serve --transport http"),
        (
            "Send the three signals you saw to your own Collector:",
            f"OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318 {command} serve --transport http",
        ),
        ("Play with this sandbox:", f"{command} sandbox"),
    )
    return Group(
        *(line for why, *what in steps for line in (Text(why), Padding(Text("\n".join(what), "cyan"), INDENT)))
    )


def _grid(*styles: str) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    for style in styles:
        table.add_column(style=style)
    return table
