"""composer.json and composer.lock."""

import re
from collections.abc import Mapping
from typing import Any, Final

from libraries_io_mcp.manifests.collector import Collector
from libraries_io_mcp.manifests.json_document import json_table
from libraries_io_mcp.manifests.manifest import Declared, DependencyKind
from libraries_io_mcp.manifests.tables import Table, entries, rows, sub_table, text_of

_EXACT: Final = re.compile(r"^=?\s*(v?\d+(?:\.\d+){1,3}(?:-[0-9A-Za-z.]+)?)$")
_SECTIONS: Final[dict[str, DependencyKind]] = {"require": "runtime", "require-dev": "dev"}
_LOCK_SECTIONS: Final[dict[str, DependencyKind]] = {"packages": "runtime", "packages-dev": "dev"}


def read_composer_json(text: str, found: Collector) -> None:
    """The packages of require and require-dev; PHP and its extensions are noted as none."""
    document = json_table(text)
    for section, kind in _SECTIONS.items():
        for name, value, path in entries(document, section, found):
            _read_one(name, value, found, path, kind)
    if document.get("repositories"):
        reason = "other sources of packages; only Packagist is known here"
        found.note(document["repositories"], reason, path="repositories")


def read_composer_lock(text: str, found: Collector) -> None:
    """Every locked package; the lock does not tell which ones the project names itself."""
    document = json_table(text)
    for section, kind in _LOCK_SECTIONS.items():
        for path, row in rows(document, section, found):
            _read_locked(row, found, path, kind)
    for section in ("platform", "platform-dev"):
        if isinstance(document.get(section), Mapping):
            for name in sub_table(document, section, found):
                found.note(name, "PHP itself or an extension of it, not a package", path=section)


def _read_one(name: str, value: Any, found: Collector, path: str, kind: DependencyKind) -> None:
    if "/" not in name:
        found.note({name: value}, "PHP itself, an extension or a tool of it, not a package", path=path)
        return
    if not isinstance(value, str):
        found.refuse(value, "a version text is expected here", path=path)
        return
    requirement = value.strip()
    exact = _EXACT.match(requirement)
    found.add(
        Declared(
            platform="Packagist",
            name=name,
            requirement=requirement or None,
            version=exact.group(1) if exact else None,
            kind=kind,
            path=path,
        )
    )


def _read_locked(row: Table, found: Collector, path: str, kind: DependencyKind) -> None:
    name, version = text_of(row.get("name")), text_of(row.get("version"))
    dist = row.get("dist")
    if not name or not version:
        found.refuse(row, "a package without name or version", path=path)
    elif isinstance(dist, Mapping) and dist.get("type") == "path":
        found.refuse(f"{name} {version}", "a local path, no released version", path=path)
    else:
        # A branch ("dev-main", "2.x-dev") is locked to a commit, which is no version.
        is_branch = version.startswith("dev-") or version.endswith("-dev")
        found.add(Declared("Packagist", name, version, None if is_branch else version, kind, direct=None, path=path))
