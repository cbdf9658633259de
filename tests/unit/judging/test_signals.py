"""The health signals: each rule at its limits, and what is unknown."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from libraries_io_mcp.judging.signals import FRESH_DAYS, OLD_DAYS, RULES, Facts, read_signals
from libraries_io_mcp.librariesio.models import Project, Sourcerank
from libraries_io_mcp.librariesio.repository_models import Repository

NOW = datetime(2026, 6, 1, tzinfo=UTC)
REPOSITORY = {"full_name": "a/b", "host_type": "GitHub"}


def says(name: str, project: dict[str, Any], repository: dict[str, Any] | None = None) -> str | None:
    """What one rule says; `None` when it is unknown."""
    found = Repository(**{**REPOSITORY, **repository}) if repository is not None else None
    facts = Facts(Project(name="x", platform="NPM", **project), None, found, NOW)
    signals, unknown = read_signals(facts)
    by_name = {signal.name: signal.says for signal in signals}
    assert set(by_name) | set(unknown) == set(RULES)
    assert not set(by_name) & set(unknown)
    return by_name.get(name)


def ago(days: int) -> str:
    return (NOW - timedelta(days=days)).isoformat()


@pytest.mark.parametrize(
    ("days", "word"),
    [(0, "good"), (FRESH_DAYS, "good"), (FRESH_DAYS + 1, "neutral"), (OLD_DAYS, "neutral"), (OLD_DAYS + 1, "concern")],
)
def test_ages(days: int, word: str):
    assert says("last_release", {"latest_release_published_at": ago(days)}) == word
    assert says("last_release", {"versions": [{"number": "1", "published_at": ago(days)}]}) == word
    assert says("repository_activity", {}, {"pushed_at": ago(days)}) == word


@pytest.mark.parametrize(
    ("name", "project", "word"),
    [
        ("status", {}, "good"),
        ("status", {"status": "Active"}, "good"),
        ("status", {"status": "Help Wanted"}, "concern"),
        ("status", {"status": "Removed"}, "concern"),
        ("stable_version", {"latest_stable_release_number": "1.0"}, "good"),
        ("stable_version", {"latest_release_number": "1.0-rc"}, "concern"),
        ("stable_version", {}, None),
        ("license", {"licenses": "MIT OR Apache-2.0"}, "good"),
        ("license", {"licenses": "my own", "normalized_licenses": ["Other"]}, "concern"),
        ("license", {"normalized_licenses": ["Other"]}, None),
        ("security_policy", {}, None),
        ("security_policy", {"security_policy_url": "https://x"}, "good"),
        ("contributors", {"contributions_count": 9}, None),
        ("contributors", {"contributions_count": 1, "repository_url": "https://x"}, "concern"),
        ("contributors", {"contributions_count": 4, "repository_url": "https://x"}, "neutral"),
        ("contributors", {"contributions_count": 5, "repository_url": "https://x"}, "good"),
        ("repository_status", {}, None),
        ("repository_status", {"repository_status": "Unmaintained"}, "concern"),
        ("release_rhythm", {"versions": [{"number": "1", "published_at": ago(1)}] * 2}, None),
        ("release_rhythm", {"versions": [{"number": str(n), "published_at": ago(n)} for n in range(3)]}, "neutral"),
        ("sourcerank", {}, None),
        ("outdated_dependencies", {}, None),
        ("dependents", {}, None),
        ("dependents", {"dependents_count": 3}, "neutral"),
    ],
)
def test_rules(name: str, project: dict[str, Any], word: str | None):
    assert says(name, project) == word


@pytest.mark.parametrize(
    ("platform", "versions", "points", "word"),
    [
        ("NPM", 1, 0, "good"),
        ("NPM", 1, -1, "concern"),
        ("NPM", 0, 0, None),
        ("CocoaPods", 1, 0, None),
        ("Bower", 0, 0, None),
    ],
)
def test_outdated_dependencies_are_known_where_dependencies_are(
    platform: str, versions: int, points: int, word: str | None
):
    rank = Sourcerank(**dict.fromkeys(Sourcerank.model_fields, 0) | {"any_outdated_dependencies": points})
    project = Project(name="x", platform=platform, versions=[{"number": "1"}] * versions)
    signals, unknown = read_signals(Facts(project, rank, None, NOW))
    says = {signal.name: signal.says for signal in signals}
    assert says.get("outdated_dependencies") == word
    assert ("outdated_dependencies" in unknown) is (word is None)


def test_the_sum_of_sourcerank_is_shown_as_a_sum():
    points = dict.fromkeys(Sourcerank.model_fields, 0) | {"stars": 4, "is_deprecated": -5, "readme_present": 1}
    facts = Facts(Project(name="x", platform="NPM"), Sourcerank(**points), None, NOW)
    (signal,) = [signal for signal in read_signals(facts)[0] if signal.name == "sourcerank"]
    assert signal.evidence.startswith("0 = readme_present +1, stars +4, is_deprecated -5;")
