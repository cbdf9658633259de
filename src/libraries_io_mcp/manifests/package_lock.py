"""package-lock.json and npm-shrinkwrap.json, lockfile versions 1, 2 and 3."""

from collections.abc import Mapping
from typing import Any, Final

from libraries_io_mcp.manifests.collector import Collector
from libraries_io_mcp.manifests.json_document import json_table
from libraries_io_mcp.manifests.manifest import Declared, DependencyKind
from libraries_io_mcp.manifests.npm_spec import npm_spec
from libraries_io_mcp.manifests.tables import Table, entries, sub_table, text_of

_MODULES: Final = "node_modules/"
_ROOT_LISTS: Final = ("dependencies", "devDependencies", "optionalDependencies", "peerDependencies")


def read_package_lock(text: str, found: Collector) -> None:
    """Every installed package once for each version of it."""
    document = json_table(text)
    if "packages" in document:
        _read_packages(document, found)
    else:
        _read_tree(document, found)


def _read_packages(document: Table, found: Collector) -> None:
    """Versions 2 and 3: one flat table whose keys are the places on disk."""
    root = sub_table(document, "packages", found).get("")
    direct = _named_by(root if isinstance(root, Mapping) else {})
    for place, value, path in entries(document, "packages", found):
        if not place:
            continue
        if not isinstance(value, Mapping):
            found.refuse(value, "a table is expected here", path=path)
        elif value.get("link") or _MODULES not in place:
            found.refuse(place, "a workspace member or a local directory", path=path)
        else:
            installed = place.rpartition(_MODULES)[2]
            at_top = place == _MODULES + installed
            name = text_of(value.get("name")) or installed
            _add(name, value, found, path, direct=at_top and installed in direct)


def _read_tree(document: Table, found: Collector) -> None:
    """Version 1: a tree of `dependencies`. It does not tell which ones the project names itself."""
    levels: list[tuple[Table, str]] = [(document, "")]
    while levels:
        level, place = levels.pop()
        for name, value, path in entries(level, "dependencies", found, place):
            if isinstance(value, Mapping):
                _add(name, value, found, path, direct=None)
                levels += [(value, path)] if value.get("dependencies") else []
            else:
                found.refuse(value, "a table is expected here", path=path)


def _add(name: str, value: Mapping[str, Any], found: Collector, path: str, *, direct: bool | None) -> None:
    version, resolved = text_of(value.get("version")), text_of(value.get("resolved")) or ""
    spec = npm_spec(name, version or "")
    problem = spec.problem or (None if version else "no version is locked")
    if not problem and resolved.startswith(("git", "file:")):
        problem = "installed from a repository or file, no released version"
    if problem:
        found.refuse(f"{name} {resolved or version}", problem, path=path)
        return
    kind, optional = _kind(value)
    found.add(
        Declared(
            platform="NPM",
            name=spec.name,
            requirement=spec.requirement,
            version=spec.version,
            kind=kind,
            optional=optional,
            direct=direct,
            path=path,
        )
    )


def _kind(value: Table) -> tuple[DependencyKind, bool]:
    if value.get("dev") or value.get("devOptional"):
        return "dev", value.get("optional") is True
    if value.get("peer"):
        return "peer", value.get("optional") is True
    return ("optional", True) if value.get("optional") else ("runtime", False)


def _named_by(root: Table) -> set[str]:
    return {name for key in _ROOT_LISTS for name in (root[key] if isinstance(root.get(key), Mapping) else {})}
