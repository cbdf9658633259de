"""`GET /:platform/:name/tree` and `/:platform/:name/:number/tree`: the resolved tree of dependencies."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from starlette.responses import Response

from libraries_io_mcp.sandbox.call import Call
from libraries_io_mcp.sandbox.catalogue import Catalogue, Package, Release, Requirement
from libraries_io_mcp.sandbox.projects import Json
from libraries_io_mcp.sandbox.ranges import newest_inside
from libraries_io_mcp.sandbox.replies import NotFoundError, json_reply
from libraries_io_mcp.sandbox.version_order import is_stable, version_key

DEEPEST_LEVEL = 16
MOST_CHILDREN = 100
DEEPER_KIND = "runtime"


@dataclass
class Resolver:
    """One walk through the catalogue. `before` leaves out versions published at or after that time."""

    catalogue: Catalogue
    before: float
    seen: set[tuple[str, str]] = field(default_factory=set)

    def node(self, package: Package, release: Release, requirement: Requirement | None, kind: str, level: int) -> Json:
        """The package at that version, with what it needs of the given kind."""
        place = (package.platform, package.name)
        ends_here = place in self.seen or level >= DEEPEST_LEVEL
        self.seen.add(place)
        children = [] if ends_here else self._children(package, release, kind, level)
        return {
            "version": {"number": release.number},
            "requirements": requirement and requirement.range,
            "dependency": {
                "platform": package.platform,
                "project_name": package.name,
                "kind": requirement and requirement.kind,
            },
            "normalized_licenses": list(package.spdx),
            "dependencies": children,
        }

    def releases(self, package: Package) -> list[Release]:
        return [release for release in package.releases if release.published_at < self.before]

    def _children(self, package: Package, release: Release, kind: str, level: int) -> list[Json]:
        """Dependencies that are not indexed, or without a version inside the range, have no node."""
        of_kind = [requirement for requirement in release.requirements if requirement.kind == kind]
        found = (self._resolved(package.platform, requirement) for requirement in of_kind[:MOST_CHILDREN])
        return [self.node(*child, DEEPER_KIND, level + 1) for child in found if child is not None]

    def _resolved(self, platform: str, requirement: Requirement) -> tuple[Package, Release, Requirement] | None:
        package = self.catalogue.find(platform, requirement.name)
        if package is None:
            return None
        candidates = {release.number: release for release in self.releases(package)}
        number = newest_inside(list(candidates), requirement.range)
        return (package, candidates[number], requirement) if number else None


async def tree(call: Call) -> Response:
    """The tree of one version, or of the newest stable one. `kind` chooses the first level only.

    Raises:
        NotFoundError: no such package or version, or no stable one.
    """
    package = call.package()
    elsewhere = call.elsewhere(package)
    if elsewhere is not None:
        return elsewhere
    resolver = Resolver(call.catalogue, _before(call))
    release = _root(resolver.releases(package), call.parameters.get("number"))
    return json_reply(resolver.node(package, release, None, call.query("kind") or DEEPER_KIND, 1))


def _root(releases: Iterable[Release], number: str | None) -> Release:
    """The version asked for; `latest` is not understood here."""
    stable = [release for release in releases if number == release.number or (number is None and _is_stable(release))]
    if not stable:
        raise NotFoundError
    return max(stable, key=lambda release: version_key(release.number))


def _is_stable(release: Release) -> bool:
    return is_stable(release.number)


def _before(call: Call) -> float:
    """The call's `date`; the present when there is none that can be read."""
    try:
        return datetime.fromisoformat(call.query("date") or "").replace(tzinfo=UTC).timestamp()
    except ValueError:
        return call.now()
