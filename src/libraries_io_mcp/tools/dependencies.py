"""Tools about what a package depends on: declared by one version, and resolved as a tree."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import Annotated, Final

from pydantic import Field

from libraries_io_mcp.answer import ListAnswer, Part, Provenance, Tools
from libraries_io_mcp.answer.arguments import (
    Kind,
    PackageName,
    PlatformName,
    Trimmed,
    VersionNumber,
    find_platform,
    missing_data_note,
)
from libraries_io_mcp.answer.dependencies import PackageDependency
from libraries_io_mcp.answer.model import counted, lines
from libraries_io_mcp.answer.tool import PerAnswer
from libraries_io_mcp.answer.unknown_version import AskedVersion, unknown_version
from libraries_io_mcp.errors import NotFoundError
from libraries_io_mcp.librariesio.client import LibrariesIOClient
from libraries_io_mcp.librariesio.models import Project, TreeNode
from libraries_io_mcp.librariesio.reply import Reply

GUIDE = (
    "What it needs: get_package_dependencies for one version's own list, outdated and deprecated ones marked; "
    "get_dependency_tree for all of it, resolved."
)
MOST_LICENCES: Final = 30
EMPTY: Final = "None declared, or Libraries.io has not read them yet: it does not say which."


class DependenciesAnswer(ListAnswer):
    """The declared dependencies of one version."""

    listed = "dependencies"

    platform: str
    name: str
    version: str | None
    dependencies: tuple[PackageDependency, ...]
    note: str | None

    def text(self) -> str:
        """One line a dependency."""
        head = f"{self.platform}/{self.name} {self.version}: {counted(len(self.dependencies), 'dependency')}"
        return lines(head, self.note, then=(dependency.text() for dependency in self.dependencies))


class TreePackage(Part):
    """One place in a tree."""

    depth: Annotated[int, Field(description="0: root; children follow their parent.")]
    name: str
    version: str
    requirements: str | None
    licenses: tuple[str, ...]
    seen_before: Annotated[bool, Field(description="Children are at its first place.")]


class TreeAnswer(ListAnswer):
    """A resolved tree, depth first."""

    listed = "nodes"

    platform: str
    name: str
    version: str | None
    packages_count: int
    license_counts: dict[str, int]
    nodes: tuple[TreePackage, ...]
    note: str | None

    def text(self) -> str:
        """The tree by indentation."""
        licences = ", ".join(f"{name} {count}" for name, count in self.license_counts.items())
        packages = counted(self.packages_count, "package")
        head = f"{self.platform}/{self.name} {self.version}: {packages}. Licences: {licences}"
        return lines(
            head,
            self.note,
            then=(
                f"{'  ' * node.depth}{node.name} {node.version or '?'}{' (see above)' if node.seen_before else ''}"
                for node in self.nodes
            ),
        )


async def newest_version(client: LibrariesIOClient, platform: str, name: str) -> tuple[Reply[Project], str]:
    """A package and its newest stable version, else the newest one.

    Libraries.io's own `latest` goes by the order of the text, where 9.1 is above 10.0; so it is not used.

    Raises:
        NotFoundError: no such package, or one without any version.
    """
    reply = await client.project(platform, name)
    version = reply.data.latest_stable_release_number or reply.data.latest_release_number
    if version is None:
        raise NotFoundError(
            missing_data_note(platform) or f"Libraries.io knows no version of {platform}/{name}, so no dependencies.",
            next_step="get_package_info shows what is known of it.",
        )
    return reply, version


async def get_package_dependencies(
    client: LibrariesIOClient,
    platform: PlatformName,
    name: PackageName,
    version: VersionNumber | None = None,
    kind: Kind | None = None,
) -> DependenciesAnswer:
    """What one version of a package declares to depend on. Costs one request, two without a version."""
    stored = await find_platform(client, platform)
    asked: tuple[Reply[Project], ...] = ()
    if version is None or version.lower() == "latest":
        project, version = await newest_version(client, stored, name)
        name, asked = project.data.name, (project,)
    try:
        reply = await client.dependencies(stored, name, version)
    except NotFoundError as error:
        raise await unknown_version(client, error, AskedVersion(stored, name, version)) from error
    every = reply.data.dependencies
    chosen = [each for each in every if kind is None or (each.kind or "").lower() == kind.lower()]
    kinds = sorted({each.kind or "unknown" for each in every})
    return DependenciesAnswer(
        platform=reply.data.platform,
        name=reply.data.name,
        version=reply.data.dependencies_for_version,
        dependencies=tuple(PackageDependency.of(each) for each in chosen),
        note=(missing_data_note(stored) or EMPTY)
        if not every
        else (None if chosen else f"None of kind {kind}; its kinds are: {', '.join(kinds)}."),
        provenance=Provenance.of(client, reply, *asked),
    )


async def get_dependency_tree(
    client: LibrariesIOClient,
    platform: PlatformName,
    name: PackageName,
    version: VersionNumber | None = None,
    kind: Annotated[
        Trimmed | None,
        Field(max_length=50, description="Of the first level, runtime by default; deeper: runtime."),
    ] = None,
    date: Annotated[date | None, Field(description="Only versions published before this day.")] = None,
    max_depth: Annotated[int, Field(ge=1, le=16, description="Levels to show.")] = 16,
    max_nodes: Annotated[int, PerAnswer(), Field(ge=1, le=10_000, description="Most per answer.")] = 1_000,  # noqa: ARG001
) -> TreeAnswer:
    """All that a version pulls in, resolved to versions. Needs an API key; costs one request; can be slow."""
    stored = await find_platform(client, platform)
    wanted = None if version and version.lower() == "latest" else version
    try:
        reply = await client.tree(stored, name, wanted, kind=kind, published_before=date)
    except NotFoundError as error:
        raise await unknown_version(client, error, AskedVersion(stored, name, wanted, date)) from error
    every = list(walk(reply.data))
    first = [node for node in every if not node.seen_before]
    root = every[0]
    return TreeAnswer(
        platform=stored,
        name=root.name,
        version=root.version,
        packages_count=len(first),
        license_counts=_licence_counts(first),
        nodes=tuple(node for node in every if node.depth <= max_depth),
        note=_tree_note(every, stored, kind, max_depth),
        provenance=Provenance.of(client, reply),
    )


def _tree_note(every: Sequence[TreePackage], platform: str, kind: str | None, max_depth: int) -> str | None:
    if len(every) == 1:
        of_kind = f"None of kind {kind}, or there is no such kind: Libraries.io does not say which." if kind else EMPTY
        return missing_data_note(platform) or of_kind
    deeper = sum(node.depth > max_depth for node in every)
    return f"{deeper} of {len(every)} places are deeper than max_depth." if deeper else None


def walk(root: TreeNode) -> Iterator[TreePackage]:
    """The places of a tree, depth first."""
    seen: set[str] = set()
    waiting = [(root, 0)]
    while waiting:
        node, depth = waiting.pop()
        name = node.dependency.project_name
        yield TreePackage(
            depth=depth,
            name=name,
            version=node.version.number,
            requirements=node.requirements,
            licenses=tuple(node.normalized_licenses or ()),
            seen_before=name in seen,
        )
        seen.add(name)
        waiting += [(child, depth + 1) for child in reversed(node.dependencies or ())]


def _licence_counts(packages: Iterable[TreePackage]) -> dict[str, int]:
    """How many packages name each licence; the rarest of very many are counted together."""
    counts = Counter(word for package in packages for word in package.licenses or ("unknown",)).most_common()
    rest = counts[MOST_LICENCES:]
    return dict(counts[:MOST_LICENCES]) | ({f"{len(rest)} others": sum(count for _, count in rest)} if rest else {})


def register(tools: Tools) -> None:
    """Add the tools of this domain."""
    tools.add("Dependencies", get_package_dependencies)
    tools.add("Dependency tree", get_dependency_tree)
