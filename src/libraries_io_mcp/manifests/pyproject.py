"""pyproject.toml: PEP 621 metadata, dependency groups, the build requirements, and the tables of uv, PDM and Hatch."""

from collections.abc import Mapping
from typing import Any, Final

from libraries_io_mcp.manifests.collector import Collector
from libraries_io_mcp.manifests.dependency_groups import read_dependency_groups
from libraries_io_mcp.manifests.manifest import DependencyKind
from libraries_io_mcp.manifests.pep508 import read_requirement
from libraries_io_mcp.manifests.poetry import read_poetry
from libraries_io_mcp.manifests.tables import Table, entries, sub_list, sub_table
from libraries_io_mcp.manifests.toml_document import toml_table

_ELSEWHERE: Final = ("git", "path", "url", "workspace")


def read_pyproject(text: str, found: Collector) -> None:
    """Every requirement of the project, of its extras and groups, and of its build."""
    document = toml_table(text)
    tool = sub_table(document, "tool", found)
    uv = sub_table(tool, "uv", found, "tool")
    _read_project(sub_table(document, "project", found), found, _redirected(uv))
    read_dependency_groups(sub_table(document, "dependency-groups", found), found)
    build = sub_table(document, "build-system", found)
    _read_list(sub_list(build, "requires", found, "build-system"), found, "build-system.requires", kind="build")
    read_poetry(sub_table(tool, "poetry", found, "tool"), found)
    _read_uv(uv, found)
    _read_others(tool, found)


def _read_project(project: Table, found: Collector, redirected: frozenset[str]) -> None:
    listed = sub_list(project, "dependencies", found, "project")
    _read_list(listed, found, "project.dependencies", redirected=redirected)
    for extra, listed_extra, path in entries(project, "optional-dependencies", found, "project"):
        _read_list(listed_extra, found, path, kind="optional", group=extra, redirected=redirected)
    for name in sub_list(project, "dynamic", found, "project"):
        if name in ("dependencies", "optional-dependencies"):
            found.refuse(name, "dynamic: the build back end finds them, they stand elsewhere", path="project.dynamic")


def _read_uv(uv: Table, found: Collector) -> None:
    _read_list(sub_list(uv, "dev-dependencies", found, "tool.uv"), found, "tool.uv.dev-dependencies", kind="dev")
    for key in ("override-dependencies", "constraint-dependencies"):
        for text in sub_list(uv, key, found, "tool.uv"):
            found.note(text, "changes the versions of others, declares nothing itself", path=f"tool.uv.{key}")
    for name, source, path in entries(uv, "sources", found, "tool.uv"):
        found.note(source, f"a source for {name}; only the public index is known here", path=path)
    if "workspace" in uv:
        found.refuse(uv["workspace"], "workspace members have manifests of their own", path="tool.uv.workspace")


def _read_others(tool: Table, found: Collector) -> None:
    for group, listed, path in entries(sub_table(tool, "pdm", found, "tool"), "dev-dependencies", found, "tool.pdm"):
        _read_list(listed, found, path, kind="dev", group=group)
    for name, environment, path in entries(sub_table(tool, "hatch", found, "tool"), "envs", found, "tool.hatch"):
        for key in ("dependencies", "extra-dependencies"):
            listed = environment.get(key, []) if isinstance(environment, Mapping) else []
            _read_list(listed, found, f"{path}.{key}", kind="dev", group=name)


def _read_list(
    listed: Any,
    found: Collector,
    path: str,
    *,
    kind: DependencyKind = "runtime",
    group: str | None = None,
    redirected: frozenset[str] = frozenset(),
) -> None:
    if not isinstance(listed, list):
        found.refuse(listed, "a list of requirements is expected here", path=path)
        return
    for index, text in enumerate(listed):
        if found.full:
            found.skip(len(listed) - index)
            return
        place = f"{path}[{index}]"
        if isinstance(text, str) and _plain_name(text) in redirected:
            found.refuse(text, "taken from a repository, path or workspace (tool.uv.sources)", path=place)
        else:
            read_requirement(text, found, kind=kind, group=group, optional=kind == "optional", path=place)


def _redirected(uv: Table) -> frozenset[str]:
    sources = uv.get("sources")
    if not isinstance(sources, Mapping):
        return frozenset()
    return frozenset(_plain_name(name) for name, source in sources.items() if _is_elsewhere(source))


def _is_elsewhere(source: Any) -> bool:
    return isinstance(source, Mapping) and any(source.get(key) for key in _ELSEWHERE)


def _plain_name(text: str) -> str:
    head = text[:300].strip()
    for position, character in enumerate(head):
        if not (character.isalnum() or character in "._-"):
            head = head[:position]
            break
    return head.lower().replace("_", "-").replace(".", "-")
