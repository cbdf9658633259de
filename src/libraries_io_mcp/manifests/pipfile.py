"""Pipfile and Pipfile.lock."""

from collections.abc import Mapping
from typing import Any, Final

from libraries_io_mcp.manifests.collector import Collector
from libraries_io_mcp.manifests.json_document import json_table
from libraries_io_mcp.manifests.manifest import Declared, DependencyKind
from libraries_io_mcp.manifests.pep508 import pinned
from libraries_io_mcp.manifests.tables import Table, entries, text_of
from libraries_io_mcp.manifests.toml_document import toml_table

_NO_CATEGORY: Final = frozenset({"source", "requires", "scripts", "pipenv", "_meta"})
_KINDS: Final[dict[str, DependencyKind]] = {
    "packages": "runtime",
    "dev-packages": "dev",
    "default": "runtime",
    "develop": "dev",
}


def read_pipfile(text: str, found: Collector) -> None:
    """The packages of every category."""
    _read_categories(toml_table(text), found, direct=True)


def read_pipfile_lock(text: str, found: Collector) -> None:
    """Every locked package; the lock does not tell which ones the project names itself."""
    _read_categories(json_table(text), found, direct=None)


def _read_categories(document: Table, found: Collector, *, direct: bool | None) -> None:
    for category in document:
        if category in _NO_CATEGORY:
            continue
        kind = _KINDS.get(category, "dev")
        group = None if category in _KINDS else category
        for name, value, path in entries(document, category, found):
            _read_one(name, value, found, path, kind, group, direct)


def _read_one(
    name: str, value: Any, found: Collector, path: str, kind: DependencyKind, group: str | None, direct: bool | None
) -> None:
    details: Any = {"version": value} if isinstance(value, str) else value
    if not isinstance(details, Mapping):
        found.refuse(value, "a version or a table is expected here", path=path)
        return
    if any(details.get(source) for source in ("git", "hg", "svn", "bzr", "path", "file", "editable")):
        found.refuse(value, f"{name} is taken from a repository, path or URL, no released version", path=path)
        return
    requirement = text_of(details.get("version"))
    extras = details.get("extras")
    found.add(
        Declared(
            platform="Pypi",
            name=name,
            requirement=requirement,
            version=pinned(requirement),
            kind=kind,
            direct=direct,
            group=group,
            marker=text_of(details.get("markers")),
            extras=tuple(str(extra) for extra in extras) if isinstance(extras, list) else (),
            path=path,
        )
    )
