import pytest

from libraries_io_mcp.sandbox.catalogue_files import load_catalogue
from libraries_io_mcp.sandbox.popularity import dependents, repository_numbers
from libraries_io_mcp.sandbox.sourcerank import HALF_A_YEAR, rank, sourcerank


@pytest.fixture
def catalogue():
    return load_catalogue()


def test_dates_follow_the_clock(catalogue):
    requests = catalogue.find("pypi", "requests")
    released = requests.latest.published_at
    assert sourcerank(catalogue, requests, released + 1)["recent_release"] == 1
    assert sourcerank(catalogue, requests, released + HALF_A_YEAR)["recent_release"] == 0
    new = catalogue.find("pypi", "sandbox-not-fetched")
    assert sourcerank(catalogue, new, new.latest.published_at + 1)["not_brand_new"] == 0


def test_magnitudes(catalogue):
    axios = catalogue.find("npm", "axios")
    parts = sourcerank(catalogue, axios, 0.0)
    assert 10**4.5 < dependents(axios) < 10**5.5
    assert parts["dependent_projects"] == 10
    assert 10**4.5 < repository_numbers(catalogue, "axios/axios").stars < 10**5.5
    assert parts["stars"] == 5


@pytest.mark.parametrize(
    ("platform", "name", "part", "points"),
    [
        ("npm", "request", "is_deprecated", -5),
        ("pypi", "nose", "is_unmaintained", -5),
        ("pypi", "sandbox-bare", "is_removed", -5),
        ("pypi", "opentelemetry-semantic-conventions", "all_prereleases", -2),
        ("pypi", "fastapi", "any_outdated_dependencies", -1),
        ("pypi", "fastapi", "one_point_oh", 0),
        ("pypi", "requests", "one_point_oh", 1),
        ("pypi", "idna", "follows_semver", 0),
    ],
)
def test_parts(catalogue, platform, name, part, points):
    assert sourcerank(catalogue, catalogue.find(platform, name), 1_750_000_000.0)[part] == points


def test_never_below_zero(catalogue):
    assert rank(catalogue, catalogue.find("pypi", "sandbox-bare"), 0.0) == 0
