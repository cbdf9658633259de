"""pubspec.yaml and pubspec.lock of Dart and Flutter."""

import re
from collections.abc import Mapping
from typing import Any, Final

from libraries_io_mcp.manifests.collector import Collector
from libraries_io_mcp.manifests.manifest import Declared, DependencyKind
from libraries_io_mcp.manifests.tables import entries, text_of
from libraries_io_mcp.manifests.yaml_document import yaml_table

_SECTIONS: Final[dict[str, DependencyKind]] = {"dependencies": "runtime", "dev_dependencies": "dev"}
_EXACT: Final = re.compile(r"^(\d+\.\d+\.\d+[0-9A-Za-z.+-]*)$")
_LOCK_KINDS: Final[dict[str, DependencyKind]] = {"direct main": "runtime", "direct dev": "dev"}


def read_pubspec(text: str, found: Collector) -> None:
    """dependencies and dev_dependencies; packages of the SDK become unread pieces, overrides are noted."""
    document = yaml_table(text)
    for section, kind in _SECTIONS.items():
        for name, value, path in entries(document, section, found):
            _read_one(name, value, found, path, kind)
    for name, value, path in entries(document, "dependency_overrides", found):
        found.note({name: value}, "changes the version of another, declares nothing itself", path=path)


def read_pubspec_lock(text: str, found: Collector) -> None:
    """Every locked package of the package site."""
    for name, value, path in entries(yaml_table(text), "packages", found):
        details = value if isinstance(value, Mapping) else {}
        version, source = text_of(details.get("version")), text_of(details.get("source"))
        if source != "hosted" or not version:
            found.refuse(f"{name} {version}", f"locked from {source}, no released version", path=path)
            continue
        how = text_of(details.get("dependency")) or ""
        kind = _LOCK_KINDS.get(how, "locked")
        direct = how.startswith("direct")
        found.add(Declared("Pub", name, version, version, kind, direct=direct, path=path))


def _read_one(name: str, value: Any, found: Collector, path: str, kind: DependencyKind) -> None:
    details: Any = value if isinstance(value, Mapping) else {"version": value}
    outside = next((key for key in ("sdk", "git", "path") if details.get(key)), None)
    if outside:
        found.refuse({name: value}, f"taken from {outside}, no released version", path=path)
        return
    requirement = details.get("version")
    if requirement is not None and not isinstance(requirement, str):
        found.refuse(value, "a version text is expected here", path=path)
        return
    exact = _EXACT.match(requirement or "")
    found.add(Declared("Pub", name, text_of(requirement), exact.group(1) if exact else None, kind, path=path))
