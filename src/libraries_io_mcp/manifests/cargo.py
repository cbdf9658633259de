"""Cargo.toml and Cargo.lock."""

import re
from collections.abc import Mapping
from typing import Any, Final

from libraries_io_mcp.manifests.collector import Collector
from libraries_io_mcp.manifests.manifest import Declared, DependencyKind
from libraries_io_mcp.manifests.tables import Table, entries, rows, sub_table, text_of
from libraries_io_mcp.manifests.toml_document import toml_table

_SECTIONS: Final[dict[str, DependencyKind]] = {
    "dependencies": "runtime",
    "dev-dependencies": "dev",
    "dev_dependencies": "dev",
    "build-dependencies": "build",
    "build_dependencies": "build",
}
_EXACT: Final = re.compile(r"^=\s*(\d+\.\d+\.\d+[0-9A-Za-z.+-]*)$")
_CRATES_IO: Final = ("registry+https://github.com/rust-lang/crates.io-index", "sparse+https://index.crates.io/")


def read_cargo_toml(text: str, found: Collector) -> None:
    """Dependencies of the crate, of each target and of the workspace; renamed ones under their real name."""
    document = toml_table(text)
    workspace = sub_table(document, "workspace", found)
    shared = sub_table(workspace, "dependencies", found, "workspace")
    _read_sections(document, shared, found, "", None)
    for target, table, path in entries(document, "target", found):
        if isinstance(table, Mapping):
            _read_sections(table, shared, found, path, target)
        else:
            found.refuse(table, "a table is expected here", path=path)
    for name, value, path in entries(workspace, "dependencies", found, "workspace"):
        _read_one(name, value, {}, found, path, "managed", None)
    for key in ("patch", "replace"):
        for name, value, path in entries(document, key, found):
            found.note({name: value}, "replaces packages with others, declares nothing itself", path=path)
    if workspace.get("members"):
        found.refuse(workspace["members"], "workspace members have manifests of their own", path="workspace.members")


def read_cargo_lock(text: str, found: Collector) -> None:
    """Every locked crate of crates.io; the lock does not tell which ones the project names itself."""
    for path, row in rows(toml_table(text), "package", found):
        name, version, source = (text_of(row.get(key)) for key in ("name", "version", "source"))
        if not name or not version:
            found.refuse(row, "a package without name or version", path=path)
        elif source is None:
            found.refuse(f"{name} {version}", "the project itself, a workspace member or a local path", path=path)
        elif not source.startswith(_CRATES_IO):
            found.refuse(f"{name} {version} {source}", "locked from a repository or another registry", path=path)
        else:
            found.add(Declared("Cargo", name, f"={version}", version, "locked", direct=None, path=path))


def _read_sections(table: Table, shared: Table, found: Collector, path: str, target: str | None) -> None:
    for section, kind in _SECTIONS.items():
        for name, value, place in entries(table, section, found, path):
            _read_one(name, value, shared, found, place, kind, target)


def _read_one(
    name: str, value: Any, shared: Table, found: Collector, path: str, kind: DependencyKind, target: str | None
) -> None:
    details = _details(value)
    if details is not None and details.get("workspace") is True:
        inherited = _details(shared.get(name))
        if inherited is None:
            found.refuse(name, "inherited from the workspace; send the Cargo.toml of the workspace", path=path)
            return
        details = {**inherited, **details}
    if details is None:
        found.refuse(value, "a version or a table is expected here", path=path)
        return
    problem = _problem(details)
    if problem:
        found.refuse({name: value}, problem, path=path)
        return
    requirement = text_of(details.get("version"))
    match = _EXACT.match(requirement or "")
    features = details.get("features")
    found.add(
        Declared(
            platform="Cargo",
            name=text_of(details.get("package")) or name,
            requirement=requirement,
            version=match.group(1) if match else None,
            kind=kind,
            optional=details.get("optional") is True,
            marker=target,
            extras=tuple(str(feature) for feature in features) if isinstance(features, list) else (),
            path=path,
        )
    )


def _details(value: Any) -> Table | None:
    if isinstance(value, str):
        return {"version": value}
    return value if isinstance(value, Mapping) else None


def _problem(details: Table) -> str | None:
    if details.get("git"):
        return "taken from a repository, no released version"
    if details.get("path"):
        return "taken from a local path, no released version"
    other = details.get("registry") or details.get("registry-index")
    return "taken from another registry than crates.io" if other else None
