"""pnpm-lock.yaml, lockfile versions 5 to 9."""

import re
from collections.abc import Mapping
from typing import Any, Final

from libraries_io_mcp.manifests.collector import Collector
from libraries_io_mcp.manifests.manifest import Declared, DependencyKind
from libraries_io_mcp.manifests.tables import entries, text_of
from libraries_io_mcp.manifests.yaml_document import yaml_table

_KINDS: Final[dict[str, DependencyKind]] = {
    "dependencies": "runtime",
    "devDependencies": "dev",
    "optionalDependencies": "optional",
}
# /name/1.2.3_peers (version 5), /name@1.2.3(peers) (6), name@1.2.3 (9); a scope is one more step in front.
_KEY: Final = re.compile(r"^/?((?:@[^/@]+/)?[^/@]+)[/@](\d[^_()/]*)")

Named = dict[tuple[str, str], DependencyKind]


def read_pnpm_lock(text: str, found: Collector) -> None:
    """Every locked package; direct are the ones that the project or a workspace member names."""
    document = yaml_table(text)
    importers = document.get("importers")
    projects = importers.values() if isinstance(importers, Mapping) else [document]
    named: Named = {}
    for project in projects:
        _collect(project, named)
    for key, value, path in entries(document, "packages", found):
        match = _KEY.match(key)
        if match and not _is_elsewhere(value):
            _add(match.group(1), match.group(2), value, named, found, path)
        else:
            found.refuse(key, "a repository, URL or path, no released version", path=path)


def _add(name: str, version: str, value: Any, named: Named, found: Collector, path: str) -> None:
    kind = named.get((name, version))
    is_dev = isinstance(value, Mapping) and value.get("dev") == "true"
    optional = isinstance(value, Mapping) and value.get("optional") == "true"
    found.add(
        Declared(
            platform="NPM",
            name=name,
            requirement=None,
            version=version,
            kind=kind or ("dev" if is_dev else "locked"),
            optional=optional or kind == "optional",
            direct=kind is not None,
            path=path,
        )
    )


def _collect(project: Any, named: Named) -> None:
    for section, kind in _KINDS.items() if isinstance(project, Mapping) else ():
        listed = project.get(section)
        for name, value in listed.items() if isinstance(listed, Mapping) else ():
            locked = text_of(value.get("version") if isinstance(value, Mapping) else value) or ""
            match = None if locked[:1].isdigit() else _KEY.match(locked)
            if match:  # an alias is locked as the key of another package
                named.setdefault((match.group(1), match.group(2)), kind)
            else:
                named.setdefault((name, re.split(r"[_(]", locked, maxsplit=1)[0]), kind)


def _is_elsewhere(value: Any) -> bool:
    resolution = value.get("resolution") if isinstance(value, Mapping) else None
    return isinstance(resolution, Mapping) and resolution.get("type") in ("git", "directory")
