"""Writes the parts of the documentation that the code knows best: settings, signals, and what clients see.

    python scripts/write_docs.py            write them
    python scripts/write_docs.py --check    exit 1 if a file is not what this would write

Only the text between `<!-- generated: NAME -->` and `<!-- end -->` is replaced; `.env.example` is written whole.
"""

import re
import sys
from pathlib import Path
from typing import get_args

import surface
from pydantic import SecretStr
from pydantic.fields import FieldInfo

from libraries_io_mcp.alerting.inhibition import INHIBITIONS
from libraries_io_mcp.answer.schema import WRITTEN, all_written
from libraries_io_mcp.settings import GROUPS, OPENTELEMETRY_DEFAULTS, OPENTELEMETRY_NUMBERS, Allowed, variable
from libraries_io_mcp.telemetry import semconv
from libraries_io_mcp.telemetry.prometheus_names import metric_name

ROOT = Path(__file__).parent.parent


def settings_tables() -> str:
    """One table a group of settings."""
    parts = []
    for group in GROUPS:
        rows = ["| variable | what it does | allowed | default |", "|---|---|---|---|"]
        for name, field in group.model_fields.items():
            rows.append(
                f"| `{variable(group, name)}` | {field.description} | {_allowed(field)} | {_default_in_table(field)} |"
            )
        parts.append(f"### {(group.__doc__ or '').splitlines()[0]}\n\n" + "\n".join(rows))
    return "\n\n".join([*parts, opentelemetry_table()])


def opentelemetry_table() -> str:
    """One row a variable of OpenTelemetry's own that is checked or has a default here."""
    rows = ["| variable | allowed | default here |", "|---|---|---|"]
    for name in dict.fromkeys([*OPENTELEMETRY_DEFAULTS, *OPENTELEMETRY_NUMBERS]):
        allowed = OPENTELEMETRY_NUMBERS[name].allowed if name in OPENTELEMETRY_NUMBERS else "as OpenTelemetry says"
        default = f"`{OPENTELEMETRY_DEFAULTS[name]}`" if name in OPENTELEMETRY_DEFAULTS else "OpenTelemetry's"
        rows.append(f"| `{name}` | {allowed} | {default} |")
    return "### OpenTelemetry's own variables that are looked at, or have a default here\n\n" + "\n".join(rows)


def spans_table() -> str:
    """One row a kind of span."""
    rows = ["| span | kind | when | always | where it applies | events | links |", "|---|---|---|---|---|---|---|"]
    for span in semconv.SPANS:
        more = tuple(each for each in span.attributes if each not in span.required)
        events = ", ".join(f"`{event.name}` ({_codes(event.attributes)})" for event in span.events) or "-"
        name = span.name.replace("|", "or")
        rows.append(
            f"| `{name}` | {span.kind} | {span.when} | {_codes(span.required)} | {_codes(more)} | {events} "
            f"| {span.links or '-'} |"
        )
    return "\n".join(rows)


def metrics_table(metrics: tuple[semconv.Metric, ...]) -> str:
    """One row a metric."""
    head = ["| metric | kind | unit | what it measures | attributes | in Prometheus |", "|---|---|---|---|---|---|"]
    rows = (
        f"| `{metric.name}` | {metric.kind} | {f'`{metric.unit}`' if metric.unit else '-'} | {metric.description} "
        f"| {_codes(metric.attributes)} | `{metric_name(metric.name, metric.unit, metric.kind)}` |"
        for metric in metrics
    )
    return "\n".join([*head, *rows])


def events_table() -> str:
    """One row a kind of log record, and what every record may carry."""
    head = ["| event | level | when | attributes |", "|---|---|---|---|"]
    rows = (
        f"| `{event.name}` | {event.level} | {event.when} | {_codes(event.attributes)} |"
        for event in semconv.LOG_EVENTS
    )
    return "\n".join([*head, *rows, f"| any record | any | | {_codes(semconv.PLAIN_LOG_ATTRIBUTES)} |"])


def attributes_table() -> str:
    """One row an attribute."""
    rows = ["| attribute | type | what it says | permitted values |", "|---|---|---|---|"]
    for attribute, facts in semconv.FACTS.items():
        values = sorted(facts.values or (), key=str)
        permitted = ", ".join([*(f"`{value}`" for value in values), *([facts.words] if facts.words else [])])
        rows.append(f"| `{attribute}` | {facts.kind} | {facts.description} | {permitted or 'any'} |")
    return "\n".join(rows)


def errors_table() -> str:
    """One row a set of values of `error.type`, with the spans and metrics that have it."""
    places: dict[frozenset[str], list[str]] = {}
    for each in (*semconv.SPANS, *semconv.METRICS, *semconv.FOREIGN_METRICS):
        if each.errors:
            kind = f"{each.kind} span" if isinstance(each, semconv.Span) else "metric"
            places.setdefault(each.errors, []).append(f"{kind} `{each.name.replace('|', 'or')}`")
    rows = ["| where | values of `error.type` |", "|---|---|"]
    for values, names in places.items():
        statuses = sorted(value for value in values if value.isdecimal())
        words = [f"`{value}`" for value in sorted(values - set(statuses))]
        rows.append(
            f"| {', '.join(names)} | {', '.join(words)}{f', `{statuses[0]}` to `{statuses[-1]}`' if statuses else ''} |"
        )
    return "\n".join(rows)


def _codes(attributes: tuple[semconv.Attribute, ...]) -> str:
    return ", ".join(f"`{attribute}`" for attribute in attributes) or "-"


def env_example() -> str:
    """Every setting, commented out, with its default."""
    lines = ["# Copy to .env and uncomment what you need. docs/configuration.md explains each line."]
    for group in GROUPS:
        lines += ["", f"# {(group.__doc__ or '').splitlines()[0]}"]
        for name, field in group.model_fields.items():
            lines.append(f"# {field.description} Allowed: {_allowed(field)}.")
            lines.append(f"#{variable(group, name)}={_default(field)}")
    return "\n".join(lines) + "\n"


def _allowed(field: FieldInfo) -> str:
    return next(mark.text for mark in field.metadata if isinstance(mark, Allowed))


def _default(field: FieldInfo) -> str:
    value = field.default
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return ",".join(value) if isinstance(value, tuple) else str(value)


def _default_in_table(field: FieldInfo) -> str:
    text = f"`{_default(field)}`" if _default(field) else "unset"
    secret = SecretStr in (field.annotation, *get_args(field.annotation))
    return f"{text}; also as `NAME_FILE`" if secret else text


def written() -> dict[Path, str]:
    """Every file with what belongs into it."""
    files = {
        ROOT / ".env.example": env_example(),
        WRITTEN: all_written(surface.answers()),
        ROOT / "docs" / "tools.md": surface.page(),
        ROOT / "tests" / "contract" / "surface.json": surface.snapshot(),
    }
    for path, name, text in (
        (ROOT / "docs" / "configuration.md", "settings", settings_tables()),
        (ROOT / "docs" / "telemetry.md", "spans", spans_table()),
        (ROOT / "docs" / "telemetry.md", "metrics", metrics_table(semconv.METRICS)),
        (ROOT / "docs" / "telemetry.md", "foreign metrics", metrics_table(semconv.FOREIGN_METRICS)),
        (ROOT / "docs" / "telemetry.md", "log records", events_table()),
        (ROOT / "docs" / "telemetry.md", "attributes", attributes_table()),
        (ROOT / "docs" / "telemetry.md", "error types", errors_table()),
    ):
        old = files.get(path) or path.read_text(encoding="utf-8")
        block = re.compile(rf"(<!-- generated: {name} -->\n).*?(<!-- end -->)", re.DOTALL)
        if not block.search(old):
            raise SystemExit(f"{path}: no block for {name}")
        files[path] = block.sub(lambda match, text=text: match[1] + "\n" + text + "\n\n" + match[2], old)
    path = ROOT / "otel" / "alertmanager.yml"
    files[path] = inhibit_rules(path.read_text(encoding="utf-8"))
    return files


def inhibit_rules(text: str) -> str:
    """Alertmanager's configuration with the inhibitions as the server has them."""
    before, mark, rest = text.partition("inhibit_rules:\n")
    _, end, after = rest.partition("\nreceivers:\n")
    return before + mark + "".join(inhibition.to_yaml() for inhibition in INHIBITIONS) + end + after


def main() -> int:
    """Write or compare."""
    check = "--check" in sys.argv[1:]
    if not check:
        # First of all: the server, which is asked for all the rest, shows them.
        WRITTEN.write_text(all_written(surface.answers()), encoding="utf-8")
    stale = [path for path, text in written().items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    for path in stale:
        if check:
            print(f"{path.relative_to(ROOT)} is not true any more: run `make docs`")
        else:
            path.write_text(written()[path], encoding="utf-8")
            print(f"wrote {path.relative_to(ROOT)}")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
