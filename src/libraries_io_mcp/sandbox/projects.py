"""Packages in the shapes of the API: Project, Version, Dependency, and the Project of `POST /check`."""

from collections.abc import Iterable

from libraries_io_mcp.sandbox.catalogue import PLATFORMS_WITHOUT_DEPENDENCIES, Catalogue, Package, Release, Requirement
from libraries_io_mcp.sandbox.clock import timestamp
from libraries_io_mcp.sandbox.popularity import dependent_repositories, dependents, repository_numbers
from libraries_io_mcp.sandbox.sourcerank import rank

Json = dict[str, object]

INVENTED_OWNER_PREFIX = "contributor-"


def project(catalogue: Catalogue, package: Package, now: float, *, versions: bool = True) -> Json:
    """All fields of a Project. Links into registries are null, or lead to the repository instead."""
    fields: Json = {
        **_community(package),
        **_counts(catalogue, package, now),
        **_texts(package),
        **_latest(package),
        "keywords": list(package.keywords),
        "latest_download_url": None,
        "package_manager_url": repository_url(package),
        "repository_license": package.spdx[0] if package.spdx and package.repository else None,
        "repository_status": package.status if package.status == "Unmaintained" and package.repository else None,
    }
    if versions:
        fields["versions"] = [version(package, release) for release in package.releases]
    return dict(sorted(fields.items(), key=lambda item: (item[0] == "versions", item[0])))


def version(package: Package, release: Release) -> Json:
    """All fields of a Version."""
    return {
        "number": release.number,
        "published_at": timestamp(release.published_at),
        "spdx_expression": _spdx_expression(package),
        "original_license": package.licences,
        "researched_at": None,
        "repository_sources": list(package.sources),
    }


def dependencies(catalogue: Catalogue, platform: str, requirements: Iterable[Requirement]) -> list[Json]:
    """An array of Dependency; empty on platforms whose dependencies the service does not read."""
    if platform in PLATFORMS_WITHOUT_DEPENDENCIES:
        return []
    return [_dependency(catalogue, platform, requirement) for requirement in requirements]


def checked_project(catalogue: Catalogue, package: Package, asked_name: str, now: float) -> Json:
    """The shape of `POST /check`: keywords as one text, the name as it was asked, fewer fields per version."""
    fields = project(catalogue, package, now, versions=False)
    return {
        **fields,
        "keywords": ",".join(package.keywords),
        "canonical_name": package.name,
        "name": asked_name,
        "last_synced_at": timestamp(synced_at(package)),
        "license_set_by_admin": False,
        "download_url": None,
        "versions": [_checked_version(package, release) for release in package.releases],
    }


def repository_url(package: Package) -> str | None:
    return f"https://github.com/{package.repository}" if package.repository else None


def synced_at(package: Package) -> float:
    """When the service last read the package: a day after its last release, by the catalogue's account."""
    return max((release.published_at for release in package.releases), default=1_735_689_600.0) + 86_400


def _community(package: Package) -> Json:
    """Files of the repository: made up, so that both present and missing ones occur."""
    url = repository_url(package)
    present = url if url and not str(package.repository).startswith(INVENTED_OWNER_PREFIX) else None
    return {
        "code_of_conduct_url": present and f"{present}/blob/HEAD/CODE_OF_CONDUCT.md",
        "contribution_guidelines_url": present and f"{present}/blob/HEAD/CONTRIBUTING.md",
        "security_policy_url": f"{present}/security/policy" if present and package.weight >= 7 else None,
        "funding_urls": _funding(package),
    }


def _funding(package: Package) -> list[str] | None:
    if package.repository is None:
        return None
    return [f"https://opencollective.com/{package.repository.split('/')[0]}"] if package.weight >= 9 else []


def _counts(catalogue: Catalogue, package: Package, now: float) -> Json:
    numbers = repository_numbers(catalogue, package.repository) if package.repository else None
    return {
        "contributions_count": numbers.contributors if numbers else 0,
        "dependent_repos_count": dependent_repositories(package),
        "dependents_count": dependents(package),
        "forks": numbers.forks if numbers else 0,
        "rank": rank(catalogue, package, now),
        "stars": numbers.stars if numbers else 0,
    }


def _texts(package: Package) -> Json:
    return {
        "deprecation_reason": package.deprecation_reason,
        "description": package.description,
        "homepage": package.homepage,
        "language": package.language,
        "license_normalized": package.licences not in (None, " OR ".join(package.spdx)),
        "licenses": package.licences,
        "name": package.name,
        "normalized_licenses": list(package.spdx),
        "platform": package.platform,
        "repository_url": repository_url(package),
        "status": package.status,
    }


def _latest(package: Package) -> Json:
    latest, stable = package.latest, package.latest_stable
    return {
        "latest_release_number": latest and latest.number,
        "latest_release_published_at": latest and timestamp(latest.published_at),
        "latest_stable_release_number": stable and stable.number,
        "latest_stable_release_published_at": stable and timestamp(stable.published_at),
    }


def _spdx_expression(package: Package) -> str | None:
    if package.licences is None:
        return None
    if not package.spdx:
        return "NONE"
    return "NOASSERTION" if "Other" in package.spdx else " OR ".join(package.spdx)


def _dependency(catalogue: Catalogue, platform: str, requirement: Requirement) -> Json:
    target = catalogue.find(platform, requirement.name)
    return {
        "project_name": requirement.name,
        "name": requirement.name,
        "platform": platform,
        "requirements": requirement.range,
        "latest_stable": target.latest_stable.number if target and target.latest_stable else None,
        "latest": target.latest.number if target and target.latest else None,
        "deprecated": target.status == "Deprecated" if target else None,
        "outdated": catalogue.is_outdated(platform, requirement),
        "filepath": None,
        "kind": requirement.kind,
        "optional": requirement.optional,
        "normalized_licenses": list(target.spdx) if target else None,
    }


def _checked_version(package: Package, release: Release) -> Json:
    return {
        "number": release.number,
        "published_at": timestamp(release.published_at),
        "original_license": package.licences,
        "status": None,
        "repository_sources": list(package.sources),
    }
