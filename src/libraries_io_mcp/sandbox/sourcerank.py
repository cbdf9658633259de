"""SourceRank: the service's score of a package, with its real arithmetic over the catalogue's numbers."""

from math import ceil, log10

from libraries_io_mcp.sandbox.catalogue import Catalogue, Package
from libraries_io_mcp.sandbox.popularity import (
    RepositoryNumbers,
    dependent_repositories,
    dependents,
    repository_numbers,
)
from libraries_io_mcp.sandbox.version_order import follows_semver, is_stable, release_numbers

HALF_A_YEAR = 182 * 86_400
PENALTY = -5


def sourcerank(catalogue: Catalogue, package: Package, now: float) -> dict[str, int]:
    """The 19 parts of the score."""
    repository = repository_numbers(catalogue, package.repository) if package.repository else None
    return {
        **_presence(package),
        **_releases(package, now),
        **_popularity(package, repository),
        "all_prereleases": -2 if package.releases and package.latest_stable is None else 0,
        "any_outdated_dependencies": -1
        if (package.platform, package.name) in catalogue.with_outdated_dependencies
        else 0,
        "is_deprecated": PENALTY if package.status == "Deprecated" else 0,
        "is_unmaintained": PENALTY if package.status == "Unmaintained" else 0,
        "is_removed": PENALTY if package.status == "Removed" else 0,
    }


def rank(catalogue: Catalogue, package: Package, now: float) -> int:
    """The score: the sum of its parts, not below 0."""
    return max(0, sum(sourcerank(catalogue, package, now).values()))


def _presence(package: Package) -> dict[str, int]:
    basics = package.description and package.homepage and package.repository and package.keywords
    return {
        "basic_info_present": int(bool(basics)),
        "repository_present": int(package.repository is not None),
        "readme_present": int(package.repository is not None),
        "license_present": int(bool(package.spdx)),
        "versions_present": int(bool(package.releases)),
    }


def _releases(package: Package, now: float) -> dict[str, int]:
    dates = [release.published_at for release in package.releases]
    numbers = [release.number for release in package.releases]
    return {
        "follows_semver": int(bool(numbers) and all(follows_semver(number) for number in numbers)),
        "recent_release": int(bool(dates) and now - max(dates) < HALF_A_YEAR),
        "not_brand_new": int(bool(dates) and now - min(dates) > HALF_A_YEAR),
        "one_point_oh": int(any(is_stable(number) and release_numbers(number) >= (1,) for number in numbers)),
    }


def _popularity(package: Package, repository: RepositoryNumbers | None) -> dict[str, int]:
    return {
        "dependent_projects": 2 * _magnitude(dependents(package)),
        "dependent_repositories": _magnitude(dependent_repositories(package)),
        "stars": _magnitude(repository.stars if repository else 0),
        "contributors": ceil(_magnitude(repository.contributors if repository else 0) / 2),
        "subscribers": ceil(_magnitude(repository.subscribers if repository else 0) / 2),
    }


def _magnitude(count: int) -> int:
    return round(log10(count)) if count > 0 else 0
