"""Alternatives: which keywords tell something, and the order of what is found."""

from libraries_io_mcp.librariesio.models import Project
from libraries_io_mcp.tools.alternatives import MOST_KEYWORDS, alternatives_among, telling_keywords


def project(name: str, *keywords: str, rank: int = 0) -> Project:
    return Project(name=name, platform="NPM", language="JavaScript", keywords=keywords, rank=rank)


def test_keywords_that_half_of_a_platform_has_tell_nothing():
    subject = project("express", "npm", "JAVASCRIPT", "Express", "web", "a,b", "rest")
    assert telling_keywords(subject) == ("web", "rest")
    assert len(telling_keywords(project("x", *"abcdefgh"))) == MOST_KEYWORDS
    assert telling_keywords(project("x")) == ()


def test_those_that_share_most_come_first_and_the_package_itself_never():
    subject = project("express", "web", "rest")
    others = [
        project("one", "web", rank=9),
        subject,
        project("both", "web", "rest", rank=1),
        project("better", "rest", rank=20),
    ]
    found = alternatives_among(others, subject, ("web", "rest"))
    assert [(each.name, each.shared_keywords) for each in found] == [
        ("both", ("web", "rest")),
        ("better", ("rest",)),
        ("one", ("web",)),
    ]
