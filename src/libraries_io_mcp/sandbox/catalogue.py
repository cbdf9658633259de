"""The catalogue: real packages, and how the service finds one by the name it is asked for."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from libraries_io_mcp.sandbox.ranges import satisfies
from libraries_io_mcp.sandbox.version_order import is_stable, version_key

PYPI = "Pypi"
PLATFORMS_WITHOUT_VERSIONS = frozenset({"Bower"})
PLATFORMS_WITHOUT_DEPENDENCIES = frozenset({"Bower", "CocoaPods"})
LISTED_STATUSES = frozenset({None, "Active", "Help Wanted"})
"""The statuses that a platform's package count includes."""


@dataclass(frozen=True)
class Requirement:
    """One declared dependency, on the same platform as the package that declares it."""

    name: str
    range: str
    kind: str
    optional: bool = False


@dataclass(frozen=True)
class Release:
    """One version. `published_at` is seconds since the epoch."""

    number: str
    published_at: float
    requirements: tuple[Requirement, ...]


@dataclass(frozen=True)
class Package:
    """One package as the catalogue's files state it."""

    platform: str
    name: str
    language: str | None
    description: str | None
    homepage: str | None
    licences: str | None
    spdx: tuple[str, ...]
    repository: str | None
    status: str | None
    deprecation_reason: str | None
    keywords: tuple[str, ...]
    weight: float
    releases: tuple[Release, ...]
    sources: tuple[str, ...]
    fetched: bool = True

    @cached_property
    def latest(self) -> Release | None:
        """The newest by version order, prereleases included."""
        return max(self.releases, key=lambda release: version_key(release.number), default=None)

    @cached_property
    def latest_stable(self) -> Release | None:
        stable = [release for release in self.releases if is_stable(release.number)]
        return max(stable, key=lambda release: version_key(release.number), default=None)

    @cached_property
    def searched_text(self) -> str:
        """What search looks at, lower case."""
        parts = (self.name, self.description, self.repository, self.homepage, self.language)
        return " ".join([*(part or "" for part in parts), *self.keywords, *self.spdx, self.platform]).lower()

    def release(self, number: str) -> Release | None:
        """The version with exactly this text; `latest` is the greatest text by string order, as the service has it."""
        if number == "latest":
            return max(self.releases, key=lambda release: release.number, default=None)
        return next((release for release in self.releases if release.number == number), None)


def newest_requirements(package: Package) -> tuple[Requirement, ...]:
    """What the newest version of a package needs, a stable one if there is any."""
    newest = package.latest_stable or package.latest
    return newest.requirements if newest else ()


def normalized(name: str) -> str:
    """The PEP 503 form of a name."""
    return re.sub(r"[-_.]+", "-", name).lower()


@dataclass(frozen=True)
class Catalogue:
    """All packages. Repositories and their owners are derived from the packages' repository names."""

    packages: tuple[Package, ...]
    _by_name: Mapping[tuple[str, str], Package] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_by_name", _index(self.packages))

    @cached_property
    def platforms(self) -> tuple[str, ...]:
        """Stored spellings, most packages first."""
        counts: dict[str, int] = defaultdict(int)
        for package in self.packages:
            counts[package.platform] += package.status in LISTED_STATUSES
        return tuple(sorted(counts, key=lambda name: (-counts[name], name)))

    @cached_property
    def repositories(self) -> Mapping[str, tuple[Package, ...]]:
        """`owner/name` -> the packages published from it, the most used first."""
        found: dict[str, list[Package]] = defaultdict(list)
        for package in sorted(self.packages, key=lambda package: -package.weight):
            if package.repository is not None:
                found[package.repository].append(package)
        return {name: tuple(packages) for name, packages in found.items()}

    def stored_platform(self, platform: str) -> str | None:
        """The platform's own spelling, or None for an unknown one."""
        return next((name for name in self.platforms if name.lower() == platform.lower()), None)

    def find(self, platform: str, name: str) -> Package | None:
        """The package by its exact name, else ignoring case, else (Pypi only) by its PEP 503 form."""
        stored = self.stored_platform(platform)
        if stored is None:
            return None
        forms = [f"={name}", f"~{name.lower()}"]
        if stored == PYPI:
            forms.append(f"%{normalized(name)}")
        return next((self._by_name[stored, form] for form in forms if (stored, form) in self._by_name), None)

    @cached_property
    def with_outdated_dependencies(self) -> frozenset[tuple[str, str]]:
        """Platform and name of the packages whose newest version needs something that has moved on."""
        return frozenset(
            (package.platform, package.name)
            for package in self.packages
            if any(self.is_outdated(package.platform, need) for need in newest_requirements(package))
        )

    def is_outdated(self, platform: str, requirement: Requirement) -> bool | None:
        """Whether the newest stable version is outside the range; None when that can't be known."""
        target = self.find(platform, requirement.name)
        if target is None or target.latest_stable is None:
            return None
        inside = satisfies(target.latest_stable.number, requirement.range)
        return None if inside is None else not inside

    def find_repository(self, full_name: str) -> str | None:
        """The stored spelling of `owner/name`, case ignored."""
        return next((name for name in self.repositories if name.lower() == full_name.lower()), None)


def _index(packages: Iterable[Package]) -> dict[tuple[str, str], Package]:
    """Every spelling that finds a package; a mark before it keeps the three kinds of spelling apart."""
    index: dict[tuple[str, str], Package] = {}
    for package in packages:
        index[package.platform, f"={package.name}"] = package
        index.setdefault((package.platform, f"~{package.name.lower()}"), package)
        if package.platform == PYPI:
            index.setdefault((package.platform, f"%{normalized(package.name)}"), package)
    return index
