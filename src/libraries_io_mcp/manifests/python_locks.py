"""The TOML lock files of Python: poetry.lock, uv.lock, pdm.lock and pylock.toml (PEP 751)."""

from collections.abc import Mapping
from typing import Any, Final

from libraries_io_mcp.manifests.collector import Collector
from libraries_io_mcp.manifests.manifest import Declared, DependencyKind
from libraries_io_mcp.manifests.tables import Table, rows, text_of
from libraries_io_mcp.manifests.toml_document import toml_table

_POETRY_ELSEWHERE: Final = frozenset({"git", "directory", "file", "url", "hg"})
_UV_OWN: Final = ("virtual", "editable", "directory")
_UV_ELSEWHERE: Final = ("git", "path", "url")
_PYLOCK_ELSEWHERE: Final = ("vcs", "directory", "archive", "git", "path", "url", "editable")


def read_poetry_lock(text: str, found: Collector) -> None:
    """Every locked package, with its groups where the lock names them."""
    for path, row in rows(toml_table(text), "package", found):
        source = row.get("source")
        where = text_of(source.get("type")) if isinstance(source, Mapping) else None
        problem = f"locked from {where}, no released version" if where in _POETRY_ELSEWHERE else None
        _read_row(row, found, path, problem, kind=_poetry_kind(row))


def read_uv_lock(text: str, found: Collector) -> None:
    """Every locked package; direct are the ones that a project or member of the lock names."""
    document = toml_table(text)
    listed = document.get("package")
    packages = [row for row in listed if isinstance(row, Mapping)] if isinstance(listed, list) else []
    direct = {name for row in packages if _uv_own(row) for name in _uv_named(row)}
    for path, row in rows(document, "package", found):
        name = text_of(row.get("name"))
        _read_row(row, found, path, _uv_problem(row), direct=name in direct if direct else None)


def read_pylock(text: str, found: Collector) -> None:
    """Every package of a pdm.lock or pylock.toml."""
    document = toml_table(text)
    for path, row in rows(document, "packages" if "packages" in document else "package", found):
        where = next((key for key in _PYLOCK_ELSEWHERE if row.get(key)), None)
        _read_row(row, found, path, f"locked from {where}, no released version" if where else None)


def _read_row(
    row: Table,
    found: Collector,
    path: str,
    problem: str | None,
    *,
    kind: DependencyKind = "locked",
    direct: bool | None = None,
) -> None:
    name, version = text_of(row.get("name")), text_of(row.get("version"))
    problem = problem or (None if name else "a package without a name")
    if problem or name is None:
        found.refuse(f"{name} {version}", problem or "", path=path)
        return
    marker = row.get("markers") or row.get("marker")
    found.add(
        Declared(
            platform="Pypi",
            name=name,
            requirement=f"=={version}" if version else None,
            version=version,
            kind=kind,
            optional=row.get("optional") is True,
            direct=direct,
            marker=text_of(marker),
            path=path,
        )
    )


def _poetry_kind(row: Table) -> DependencyKind:
    groups = row.get("groups")
    names = groups if isinstance(groups, list) else [row.get("category")]
    if "main" in names:
        return "runtime"
    return "dev" if any(isinstance(name, str) for name in names) else "locked"


def _uv_source(row: Table) -> Table:
    source = row.get("source")
    return source if isinstance(source, Mapping) else {}


def _uv_own(row: Table) -> bool:
    return any(key in _uv_source(row) for key in _UV_OWN)


def _uv_problem(row: Table) -> str | None:
    if _uv_own(row):
        return "the project itself, a workspace member or a local directory"
    where = next((key for key in _UV_ELSEWHERE if key in _uv_source(row)), None)
    return f"locked from {where}, no released version" if where else None


def _uv_named(row: Table) -> list[str]:
    lists: list[Any] = [row.get("dependencies")]
    for key in ("optional-dependencies", "dev-dependencies"):
        groups = row.get(key)
        lists += groups.values() if isinstance(groups, Mapping) else []
    return [
        entry["name"]
        for listed in lists
        if isinstance(listed, list)
        for entry in listed
        if isinstance(entry, Mapping) and isinstance(entry.get("name"), str)
    ]
