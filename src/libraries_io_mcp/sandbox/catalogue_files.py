"""Reads the catalogue from `data/*.toml`: packages as they were about the middle of 2025.

Names, licences, versions and dependencies are meant to be those of the real packages, except for those whose name
starts with `sandbox-`, which are invented. They were written down from general knowledge and not compared with the
registries. A release date with a day is meant as the real one; one with only a month is approximate. Of each package
a few versions are listed. `needs` belongs to the newest of them and is repeated for the others unless `needs_at` gives
them a list of their own, so that dependencies of older versions are approximate. Repositories and dependencies that
carry a person's account in their name are left out.

Keys of a package: `name`; `about`, our own description; `licence`, as the registry has it, and `spdx` when it had to
be mapped; `repo`, `owner/name` on GitHub; `home`; `words`, the keywords; `weight`, how widely used it is on an
invented scale from 0 to 10; `versions`, number and date; `needs`, `dev` and `optional`, each `name range`; `status`
and `reason`; `fetched = false` when the service has not read its dependencies yet; `minor_versions = N` instead of
`versions` for versions 1.0.0 to 1.(N-1).0, one a day; `parts = N` for N invented packages more, which the package
needs all, each in a repository of its own and with the package's keywords; nine of ten need the part after them, and
all need the package of `parts_need`.
"""

import tomllib
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from functools import cache
from importlib import resources
from typing import NotRequired, TypedDict, cast
from zlib import crc32

from libraries_io_mcp.sandbox.catalogue import Catalogue, Package, Release, Requirement


class PackageEntry(TypedDict):
    """One `[[package]]` of a file."""

    name: str
    platform: NotRequired[str]
    language: NotRequired[str]
    about: NotRequired[str]
    licence: NotRequired[str]
    spdx: NotRequired[list[str]]
    repo: NotRequired[str]
    home: NotRequired[str]
    words: NotRequired[list[str]]
    weight: float
    versions: NotRequired[list[str]]
    minor_versions: NotRequired[int]
    parts: NotRequired[int]
    parts_need: NotRequired[str]
    needs: NotRequired[list[str]]
    needs_at: NotRequired[dict[str, list[str]]]
    dev: NotRequired[list[str]]
    optional: NotRequired[list[str]]
    status: NotRequired[str]
    reason: NotRequired[str]
    fetched: NotRequired[bool]


class PlatformFile(TypedDict):
    """One file: what its packages share, and the packages."""

    platform: str
    language: str
    kind: str
    dev_kind: NotRequired[str]
    sources: NotRequired[list[str]]
    package: list[PackageEntry]


@cache
def load_catalogue() -> Catalogue:
    """Reads every file of `data/`, once a process: what it gives can't be changed."""
    folder = resources.files("libraries_io_mcp.sandbox") / "data"
    files = sorted((entry for entry in folder.iterdir() if entry.name.endswith(".toml")), key=lambda entry: entry.name)
    return Catalogue(tuple(package for file in files for package in _packages(file.read_text(encoding="utf-8"))))


def _packages(text: str) -> Iterator[Package]:
    file = cast("PlatformFile", tomllib.loads(text))
    for entry in file["package"]:
        parts = list(_parts(entry))
        yield _package(file, {**entry, "needs": [f"{part['name']} ^1.0.0" for part in parts]} if parts else entry)
        yield from (_package(file, part) for part in parts)


def _parts(entry: PackageEntry) -> Iterator[PackageEntry]:
    count = entry.get("parts", 0)
    for number in range(1, count + 1):
        after = [f"{entry['name']}-{number + 1:03} ^1.0.0"] if number % 10 and number < count else []
        yield {
            "name": f"{entry['name']}-{number:03}",
            "about": f"Invented for the sandbox: part {number} of {entry['name']}",
            "licence": "MIT",
            "repo": f"{entry['name']}/part-{number:03}",
            "home": f"{entry['name']}.invalid",
            "words": entry.get("words", []),
            "weight": entry["weight"],
            "versions": ["1.0.0 2025-01-01"],
            "needs": [entry["parts_need"], *after] if "parts_need" in entry else after,
        }


def _package(file: PlatformFile, entry: PackageEntry) -> Package:
    platform = entry.get("platform", file["platform"])
    licence = entry.get("licence")
    described = "about" in entry
    return Package(
        platform=platform,
        name=entry["name"],
        language=entry.get("language", file["language"]) if described else None,
        description=entry.get("about"),
        homepage=entry.get("home", f"https://github.com/{entry['repo']}" if "repo" in entry else None),
        licences=licence,
        spdx=tuple(entry.get("spdx", [licence] if licence else [])),
        repository=entry.get("repo"),
        status=entry.get("status"),
        deprecation_reason=entry.get("reason"),
        keywords=tuple(entry.get("words", [])),
        weight=entry["weight"],
        releases=tuple(_release(file, entry, version) for version in _versions(entry)),
        sources=tuple(file.get("sources", [platform])),
        fetched=entry.get("fetched", True),
    )


def _versions(entry: PackageEntry) -> list[str]:
    first = date(2020, 1, 1)
    daily = [f"1.{minor}.0 {first + timedelta(minor)}" for minor in range(entry.get("minor_versions", 0))]
    return entry.get("versions", daily)


def _release(file: PlatformFile, entry: PackageEntry, version: str) -> Release:
    number, day = version.split(" ")
    runtime = entry.get("needs_at", {}).get(number, entry.get("needs", []))
    declared: Mapping[tuple[str, bool], list[str]] = {
        (file["kind"], False): runtime,
        (file["kind"], True): entry.get("optional", []),
        (file.get("dev_kind", "Development"), False): entry.get("dev", []),
    }
    requirements = tuple(
        _requirement(text, kind, optional) for (kind, optional), texts in declared.items() for text in texts
    )
    return Release(number, _published_at(f"{entry['name']} {version}", day), requirements)


def _requirement(text: str, kind: str, optional: bool) -> Requirement:
    name, _, range_ = text.partition(" ")
    return Requirement(name, range_, kind, optional)


def _published_at(seed: str, day: str) -> float:
    """The day as stated, the 15th if only the month is; the time of day is made up, the same on every run."""
    full_day = day if len(day) == len("2025-01-01") else f"{day}-15"
    midnight = datetime.fromisoformat(full_day).replace(tzinfo=UTC)
    return midnight.timestamp() + crc32(seed.encode()) % 86_400
