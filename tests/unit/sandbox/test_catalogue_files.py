"""The catalogue: what it must hold so that demonstrations and tests make sense."""

import re
from importlib import resources

from libraries_io_mcp.sandbox.catalogue import PLATFORMS_WITHOUT_VERSIONS
from libraries_io_mcp.sandbox.catalogue_files import load_catalogue
from libraries_io_mcp.sandbox.ranges import satisfies


def test_size_and_platforms():
    catalogue = load_catalogue()
    assert len(catalogue.packages) >= 100
    assert set(catalogue.platforms) >= {"Pypi", "NPM", "Cargo", "Rubygems", "Maven", "Go", "Packagist", "NuGet", "Hex"}


def test_no_package_twice():
    names = [(package.platform, package.name.lower()) for package in load_catalogue().packages]
    assert len(names) == len(set(names))


def test_every_package_has_what_its_platform_gives():
    for package in load_catalogue().packages:
        if package.description is None:
            continue
        assert len(package.description) < 90, package.name
        assert bool(package.releases) == (package.platform not in PLATFORMS_WITHOUT_VERSIONS), package.name


def test_every_range_can_be_read():
    requirements = [
        (package.name, requirement)
        for package in load_catalogue().packages
        for release in package.releases
        for requirement in release.requirements
    ]
    assert [pair for pair in requirements if satisfies("1.0.0", pair[1].range) is None] == []


def test_enough_dependencies_lead_to_packages_of_the_catalogue():
    catalogue = load_catalogue()
    needs = [
        catalogue.find(package.platform, requirement.name)
        for package in catalogue.packages
        if package.latest
        for requirement in package.latest.requirements
    ]
    assert sum(target is not None for target in needs) > 150
    assert None in needs


def test_no_registry_address_in_the_data():
    folder = resources.files("libraries_io_mcp.sandbox") / "data"
    hosts = {
        host
        for file in folder.iterdir()
        for host in re.findall(r"https?://([^/\"]+)", file.read_text(encoding="utf-8"))
    }
    # Spelled in parts, so that this file holds none of them either.
    registries = [("pypi", "org"), ("npmjs", "com"), ("crates", "io"), ("rubygems", "org"), ("packagist", "org")]
    assert [host for host in hosts for name, top in registries if host.endswith(f"{name}.{top}")] == []
