"""The `[tool.poetry]` table of pyproject.toml."""

import re
from collections.abc import Mapping
from typing import Any, Final

from libraries_io_mcp.manifests.collector import Collector
from libraries_io_mcp.manifests.manifest import Declared, DependencyKind
from libraries_io_mcp.manifests.tables import Table, entries, sub_table, text_of

_EXACT: Final = re.compile(r"^={0,3}\s*(\d[0-9A-Za-z.+!_-]*)$")


def read_poetry(poetry: Table, found: Collector) -> None:
    """The main dependencies, the old dev-dependencies and every group."""
    _read_table(poetry, "dependencies", found, "tool.poetry", kind="runtime")
    _read_table(poetry, "dev-dependencies", found, "tool.poetry", kind="dev")
    groups = sub_table(poetry, "group", found, "tool.poetry")
    for name in groups:
        group = sub_table(groups, name, found, "tool.poetry.group")
        _read_table(group, "dependencies", found, f"tool.poetry.group.{name}", kind="dev", group=name)


def exact_version(constraint: str | None) -> str | None:
    """The version of a constraint that accepts just one: `1.2.3` and `==1.2.3`."""
    match = _EXACT.match(constraint or "")
    return match.group(1) if match else None


def _read_table(
    parent: Table, key: str, found: Collector, path: str, *, kind: DependencyKind, group: str | None = None
) -> None:
    for name, value, place in entries(parent, key, found, path):
        if name.lower() == "python":
            found.note({name: value}, "the Python interpreter, not a package", path=place)
            continue
        for one in value if isinstance(value, list) else [value]:
            _read_one(name, one, found, place, kind, group)


def _read_one(name: str, value: Any, found: Collector, path: str, kind: DependencyKind, group: str | None) -> None:
    if isinstance(value, str):
        details: Table = {"version": value}
    elif isinstance(value, Mapping):
        details = value
    else:
        found.refuse(value, "a version or a table is expected here", path=path)
        return
    if any(details.get(source) for source in ("git", "path", "file", "url")):
        found.refuse(value, "taken from a repository, path or URL, no released version", path=path)
        return
    constraint = text_of(details.get("version"))
    extras = details.get("extras")
    found.add(
        Declared(
            platform="Pypi",
            name=name,
            requirement=constraint,
            version=exact_version(constraint),
            kind=kind,
            optional=details.get("optional") is True,
            group=group,
            marker=_marker(details),
            extras=tuple(str(extra) for extra in extras) if isinstance(extras, list) else (),
            path=path,
        )
    )


def _marker(details: Table) -> str | None:
    python = text_of(details.get("python"))
    parts = [text_of(details.get("markers")), f"python {python}" if python else None]
    return " and ".join(part for part in parts if part) or None
