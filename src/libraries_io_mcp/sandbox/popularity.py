"""The illustrative numbers: stars, forks, contributors, dependents.

None of them is measured. Each follows from a package's `weight` in the catalogue and from its name, so that it is
plausible, ranks well-known packages first, and is the same on every run.
"""

from dataclasses import dataclass
from zlib import crc32

from libraries_io_mcp.sandbox.catalogue import Catalogue, Package

CONTRIBUTOR_POOL = 300
"""How many invented contributors there are."""


@dataclass(frozen=True)
class RepositoryNumbers:
    """Counts of a repository."""

    stars: int
    forks: int
    contributors: int
    subscribers: int
    open_issues: int
    size: int


def _spread(seed: str) -> float:
    """A factor from 0.7 to 1.3 that depends on the text alone."""
    return 0.7 + (crc32(seed.encode()) % 601) / 1000


def dependents(package: Package) -> int:
    """Packages that depend on it."""
    return int(10 ** (package.weight * 0.55) * _spread(f"dependents {package.name}")) if package.weight else 0


def dependent_repositories(package: Package) -> int:
    return int(10 ** (package.weight * 0.65) * _spread(f"repositories {package.name}")) if package.weight else 0


def repository_numbers(catalogue: Catalogue, full_name: str) -> RepositoryNumbers:
    """Counts of a repository of the catalogue, by its most used package."""
    weight = catalogue.repositories[full_name][0].weight
    stars = int(10 ** (weight * 0.5) * _spread(full_name))
    return RepositoryNumbers(
        stars=stars,
        forks=stars // 6,
        contributors=min(CONTRIBUTOR_POOL, 1 + stars // 120),
        subscribers=stars // 40,
        open_issues=stars // 90,
        size=1_000 + crc32(full_name.encode()) % 60_000,
    )
