"""pom.xml: what one file says by itself, without its parent and its profiles' activation."""

import re
from typing import Final

from libraries_io_mcp.manifests.collector import Collector
from libraries_io_mcp.manifests.faults import ManifestError
from libraries_io_mcp.manifests.manifest import Declared, DependencyKind
from libraries_io_mcp.manifests.maven_properties import MavenProperties, is_open
from libraries_io_mcp.manifests.xml_document import Element, xml_root

_PLUGIN_GROUP: Final = "org.apache.maven.plugins"
_SCOPES: Final[dict[str, DependencyKind]] = {
    "compile": "runtime",
    "runtime": "runtime",
    "provided": "build",
    "test": "test",
    "import": "managed",
}
_FIXED: Final = re.compile(r"^\[\s*([^\[\](),\s]+)\s*\]$|^([^\[\](),\s]+)$")
_BLOCKS: Final[tuple[tuple[DependencyKind, tuple[str, ...]], ...]] = (
    ("runtime", ("dependencies", "dependency")),
    ("managed", ("dependencyManagement", "dependencies", "dependency")),
    ("build", ("build", "plugins", "plugin")),
    ("build", ("build", "plugins", "plugin", "dependencies", "dependency")),
    ("build", ("build", "extensions", "extension")),
    ("managed", ("build", "pluginManagement", "plugins", "plugin")),
)


def read_pom(text: str, found: Collector) -> None:
    """Parent, dependencies, managed versions, plugins and those of the profiles."""
    project = xml_root(text)
    if project.name != "project":
        raise ManifestError(f"The root of a pom.xml is <project>, not <{project.name[:60]}>.")
    pom = _Pom(project, found)
    for parent in project.all("parent"):
        pom.read(parent, "parent", None)
    pom.read_blocks(project, None)
    for profile in project.all("profiles", "profile"):
        pom.read_blocks(profile, f"profile {profile.value('id') or 'without a name'}")
    for module in project.all("modules", "module"):
        found.refuse(module.text, "a module has a manifest of its own; send it as well", line=module.line)


class _Pom:
    def __init__(self, project: Element, found: Collector) -> None:
        self._found = found
        self._properties = MavenProperties(project)
        managed = project.all("dependencyManagement", "dependencies", "dependency")
        self._managed = {self._name(element): element for element in managed}

    def read_blocks(self, around: Element, marker: str | None) -> None:
        """Every block of dependencies and plugins of the project or of one profile."""
        for kind, path in _BLOCKS:
            for element in around.all(*path):
                if self._found.full:
                    self._found.skip()
                else:
                    self.read(element, kind, marker)

    def read(self, element: Element, kind: DependencyKind, marker: str | None) -> None:
        """One package; a version that stays open is noted, and the package listed without it."""
        name = self._name(element)
        scope = self._inherited(element, name, "scope") or "compile"
        if scope == "system":
            self._found.refuse(name, "scope system: a file of the machine, no released version", line=element.line)
            return
        if is_open(name):
            self._found.refuse(name, "a property in the name is not defined in this file", line=element.line)
            return
        version = self._inherited(element, name, "version")
        if is_open(version):
            reason = "the version is a property that this file does not define; the package is listed without it"
            self._found.refuse(f"{name} {version}", reason, line=element.line)
        fixed = None if is_open(version) else _FIXED.match(version or "")
        self._found.add(
            Declared(
                platform="Maven",
                name=name,
                requirement=version,
                version=(fixed.group(1) or fixed.group(2)) if fixed else None,
                kind=_SCOPES.get(scope, "runtime") if kind == "runtime" else kind,
                optional=self._properties.resolve(element.value("optional")) == "true",
                marker=marker,
                line=element.line,
            )
        )

    def _name(self, element: Element) -> str:
        default = _PLUGIN_GROUP if element.name == "plugin" else ""
        group = self._properties.resolve(element.value("groupId")) or default
        return f"{group}:{self._properties.resolve(element.value('artifactId')) or ''}"

    def _inherited(self, element: Element, name: str, key: str) -> str | None:
        """A detail of the dependency itself, or of its entry under dependencyManagement."""
        own = element.value(key)
        if own is None and element.name == "dependency" and name in self._managed:
            own = self._managed[name].value(key)
        return self._properties.resolve(own)
