"""Ranges and orders of versions, in each platform's own notation."""

import pytest

from libraries_io_mcp.judging.ranges import LONGEST_RANGE, is_later, read_range, takes


@pytest.mark.parametrize(
    ("platform", "text", "version", "inside"),
    [
        ("Pypi", ">=1,<2", "2.1", False),
        ("Pypi", "~=2.2", "2.9", True),
        ("Pypi", "==1.*", "1.5", True),
        ("Pypi", "^1.2", "1.9", True),  # Poetry's
        ("Pypi", ">=1", "2.0rc1", True),
        ("NPM", "^1.2.0", "2.0.0", False),
        ("NPM", ">= 1.2 < 3", "2.0.0", True),
        ("NPM", "1.2.3 - 2.3", "2.3.9", True),
        ("NPM", "1.x || >=2.5.0", "2.4.0", False),
        ("NPM", "~1.2", "1.3.0", False),
        ("Cargo", "1.2", "1.9.0", True),
        ("Cargo", "0.2.1", "0.3.0", False),
        ("Cargo", "1.2, <1.5", "1.9.0", False),
        ("Cargo", "=1.2.3", "1.2.4", False),
        ("Cargo", "1.*", "1.9.9", True),
        ("Rubygems", "~> 2.2, >= 2.2.3", "2.9.0", True),
        ("Rubygems", "~> 2.2.1", "2.3.0", False),
        ("Hex", "~> 1.0 or ~> 2.0", "2.4.1", True),
        ("Hex", ">= 1.0.0 and < 2.0.0", "2.4.1", False),
        ("Packagist", "^7.2 || ^8.0", "8.3.1", True),
        ("Packagist", "~1.2", "1.9.0", True),
        ("Packagist", "~1.2.3", "1.3.0", False),
        ("Packagist", "1.0 - 2.0", "1.9.0", True),
        ("Packagist", ">=1.0 <2.0", "2.9.0", False),
        ("Maven", "[1.0,2.0),[3.0,)", "3.1", True),
        ("Maven", "(,1.0]", "1.1", False),
        ("NuGet", "[1.0,2.0)", "2.0.0", False),
        ("NuGet", "6.*", "6.4.1", True),
        ("Pub", "^1.2.0", "2.0.0", False),
        ("CRAN", "*", "1", True),
        ("NPM", "latest", "9.9.9", True),
        ("Pub", "any", "2.0.0", True),
    ],
)
def test_what_a_range_takes_in(platform: str, text: str, version: str, inside: bool):
    range_ = read_range(platform, text)
    assert range_ is not None
    assert takes(range_, version) is inside


@pytest.mark.parametrize(
    ("platform", "text"),
    [
        ("NPM", "next"),
        ("Maven", "1.0"),  # a wish, which another dependency may overrule
        ("NuGet", "1.0"),
        ("Packagist", "dev-master"),
        ("Conda", "=1.2"),
        ("Rubygems", "((("),
        ("NPM", "(" * LONGEST_RANGE),
        ("Pypi", ">=1," * LONGEST_RANGE),
    ],
)
def test_what_can_not_be_read_is_unknown(platform: str, text: str):
    assert read_range(platform, text) is None


def test_a_version_that_can_not_be_read_is_unknown():
    range_ = read_range("NPM", "^1.0.0")
    assert range_ is not None
    assert takes(range_, "not a version") is None


@pytest.mark.parametrize(
    ("platform", "one", "other", "later"),
    [
        ("Go", "v1.10.0", "v1.9.0", True),
        ("Go", "v1.9.0", "1.9.0", False),
        ("Pypi", "2.0", "2.0.0", False),
        ("Pypi", "2.0", "2.0rc1", True),
        ("Maven", "33.4.8-jre", "31.1-jre", True),
        ("Maven", "1.0", "1.0-SNAPSHOT", True),
        ("NuGet", "13.0.3", "13.0.1", True),
        ("Packagist", "v7.3.0", "6.4.1", True),
        ("Rubygems", "8.0.2", "7.0.4", True),
        ("NPM", "1.10.0", "1.9.0", True),
        ("CRAN", "2", "1", None),
        ("Pypi", "1", "what", None),
        ("NPM", "1" * 300, "1", None),
    ],
)
def test_which_of_two_is_the_later(platform: str, one: str, other: str, later: bool | None):
    assert is_later(platform, one, other) is later
