"""NuGet: packages.config, packages.lock.json, project files (*.csproj and siblings), Directory.Packages.props."""

import re
from collections.abc import Mapping
from typing import Any, Final

from libraries_io_mcp.manifests.collector import Collector
from libraries_io_mcp.manifests.faults import ManifestError
from libraries_io_mcp.manifests.json_document import json_table
from libraries_io_mcp.manifests.manifest import Declared, DependencyKind
from libraries_io_mcp.manifests.tables import entries, sub_table, text_of
from libraries_io_mcp.manifests.xml_document import Element, xml_root

_PROPERTY: Final = re.compile(r"\$\(([A-Za-z0-9_.-]{1,200})\)")
# A plain version is a lower bound, but NuGet takes the lowest that fits: for a direct reference that very version.
_FIXED: Final = re.compile(r"^\[?\s*(\d[0-9A-Za-z.+-]*)\s*\]?$")
_REFERENCES: Final[dict[str, DependencyKind]] = {
    "PackageReference": "runtime",
    "GlobalPackageReference": "build",
    "DotNetCliToolReference": "build",
    "PackageVersion": "managed",
}
_UNREAD: Final = {
    "ProjectReference": "another project of the same solution",
    "Reference": "an assembly by name or path, not a package",
    "Import": "an include; only the text at hand is read",
}


def read_packages_config(text: str, found: Collector) -> None:
    """Every `<package>` with its line."""
    root = _root(text, "packages")
    for package in root.all("package"):
        if found.full:
            found.skip()
            continue
        version = package.attributes.get("version")
        development = package.attributes.get("developmentDependency", "").lower() == "true"
        found.add(
            Declared(
                platform="NuGet",
                name=package.attributes.get("id", "").strip(),
                requirement=package.attributes.get("allowedVersions") or version,
                version=version,
                kind="dev" if development else "runtime",
                group=package.attributes.get("targetFramework"),
                line=package.line,
            )
        )


def read_project_file(text: str, found: Collector) -> None:
    """Every package reference; `$(...)` is resolved from the properties of the same file."""
    root = _root(text, "Project")
    properties = {
        item.name.lower(): item.text.strip() for group in root.all("PropertyGroup") for item in group.children
    }
    for element in root.all("Import"):
        found.refuse(element.attributes.get("Project", ""), _UNREAD["Import"], line=element.line)
    groups = root.all("ItemGroup") + root.all("Choose", "When", "ItemGroup") + root.all("Target", "ItemGroup")
    for group in groups:
        for item in group.children:
            if found.full:
                found.skip()
            elif item.name in _REFERENCES:
                _read_reference(item, group, properties, found)
            elif item.name in _UNREAD:
                found.refuse(item.attributes.get("Include", ""), _UNREAD[item.name], line=item.line)


def read_packages_lock(text: str, found: Collector) -> None:
    """Every locked package of each target framework."""
    document = json_table(text)
    for framework in sub_table(document, "dependencies", found):
        for name, value, path in entries(sub_table(document, "dependencies", found), framework, found, "dependencies"):
            _read_locked(name, value, framework, found, path)


def _read_locked(name: str, value: Any, framework: str, found: Collector, path: str) -> None:
    details = value if isinstance(value, Mapping) else {}
    version, how = text_of(details.get("resolved")), text_of(details.get("type"))
    if not version or how == "Project":
        found.refuse({name: value}, "a project of the same solution, or no version is locked", path=path)
        return
    requested = text_of(details.get("requested"))
    direct = how == "Direct"
    found.add(Declared("NuGet", name, requested, version, "locked", direct=direct, group=framework, path=path))


def _root(text: str, name: str) -> Element:
    root = xml_root(text)
    if root.name != name:
        raise ManifestError(f"The root of this manifest is <{name}>, not <{root.name[:60]}>.")
    return root


def _read_reference(item: Element, group: Element, properties: dict[str, str], found: Collector) -> None:
    name = item.attributes.get("Include") or item.attributes.get("Update") or ""
    if not name:
        found.refuse(item.attributes, "a reference that names no package", line=item.line)
        return
    version = _resolved(_detail(item, "VersionOverride") or _detail(item, "Version"), properties)
    if version and "$(" in version:
        reason = "the version is a property that this file does not define; the package is listed without it"
        found.refuse(f"{name} {version}", reason, line=item.line)
    conditions = [condition for part in (group, item) if (condition := part.attributes.get("Condition"))]
    fixed = _FIXED.match(version or "")
    kind = _REFERENCES[item.name]
    private = (_detail(item, "PrivateAssets") or "").lower() == "all"
    found.add(
        Declared(
            platform="NuGet",
            name=name.strip(),
            requirement=version,
            version=fixed.group(1) if fixed else None,
            kind="dev" if private and kind == "runtime" else kind,
            marker=" and ".join(conditions) or None,
            line=item.line,
        )
    )


def _detail(item: Element, key: str) -> str | None:
    return item.attributes.get(key) or item.value(key)


def _resolved(version: str | None, properties: dict[str, str]) -> str | None:
    for _ in range(5):
        if not version or "$(" not in version or len(version) > 1_000:
            break
        version = _PROPERTY.sub(lambda match: properties.get(match.group(1).lower(), match.group())[:200], version)
    return version
