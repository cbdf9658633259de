"""package.json."""

from collections.abc import Mapping
from typing import Any, Final

from libraries_io_mcp.manifests.collector import Collector
from libraries_io_mcp.manifests.json_document import json_table
from libraries_io_mcp.manifests.manifest import Declared, DependencyKind
from libraries_io_mcp.manifests.npm_spec import npm_spec
from libraries_io_mcp.manifests.tables import Table, entries, sub_table

_SECTIONS: Final[dict[str, DependencyKind]] = {
    "dependencies": "runtime",
    "devDependencies": "dev",
    "peerDependencies": "peer",
    "optionalDependencies": "optional",
}
_NOTED: Final = {
    "overrides": "changes versions of dependencies of dependencies, declares nothing itself",
    "resolutions": "changes versions of dependencies of dependencies, declares nothing itself",
    "pnpm": "settings of pnpm (overrides among them), declare nothing themselves",
}


def read_package_json(text: str, found: Collector) -> None:
    """The four lists of dependencies; npm's own aliases are resolved to the real package."""
    document = json_table(text)
    optional_peers = _optional_peers(document, found)
    for section, kind in _SECTIONS.items():
        for name, value, path in entries(document, section, found):
            _read_one(name, value, found, path, kind, kind == "optional" or (kind == "peer" and name in optional_peers))
    for key, reason in _NOTED.items():
        if document.get(key):
            found.note(document[key], reason, path=key)
    if document.get("workspaces"):
        reason = "workspace members have manifests of their own; send those as well"
        found.refuse(document["workspaces"], reason, path="workspaces")


def _read_one(name: str, value: Any, found: Collector, path: str, kind: DependencyKind, optional: bool) -> None:
    if not isinstance(value, str):
        found.refuse(value, "a version text is expected here", path=path)
        return
    spec = npm_spec(name, value)
    if spec.problem:
        found.refuse(f"{name}: {value[:1_000]}", spec.problem, path=path)
        return
    found.add(
        Declared("NPM", spec.name, spec.requirement, spec.version, kind, optional, path=path),
    )


def _optional_peers(document: Table, found: Collector) -> set[str]:
    details = sub_table(document, "peerDependenciesMeta", found)
    return {name for name, detail in details.items() if isinstance(detail, Mapping) and detail.get("optional") is True}
