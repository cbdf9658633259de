import pytest

from libraries_io_mcp.sandbox.catalogue import Catalogue, Package, Release, Requirement


def package(name: str, platform: str = "Pypi", numbers: tuple[str, ...] = ("1.0.0",), needs: str = "") -> Package:
    """A package with those versions; `needs` is the name of one it requires below 2."""
    requirements = (Requirement(needs, "<2", "runtime"),) if needs else ()
    return Package(
        platform=platform,
        name=name,
        language=None,
        description=None,
        homepage=None,
        licences=None,
        spdx=(),
        repository=None,
        status=None,
        deprecation_reason=None,
        keywords=(),
        weight=1.0,
        releases=tuple(Release(number, 0.0, requirements) for number in numbers),
        sources=(),
    )


@pytest.mark.parametrize(
    ("platform", "asked", "found"),
    [
        ("pypi", "Two_Words", "Two_Words"),
        ("PYPI", "two_words", "Two_Words"),
        ("pypi", "two--words", "Two_Words"),
        ("pypi", "two.words", "Two_Words"),
        ("npm", "Two_Words", "two_words"),
        ("npm", "two-words", None),
        ("nowhere", "two_words", None),
    ],
)
def test_names_in_other_spellings(platform: str, asked: str, found: str | None):
    catalogue = Catalogue((package("Two_Words"), package("two_words", "NPM")))
    target = catalogue.find(platform, asked)
    assert (target.name if target else None) == found


def test_an_exact_name_wins_over_the_same_name_in_other_case():
    catalogue = Catalogue((package("JSON", "NPM"), package("json", "NPM")))
    assert [catalogue.find("npm", name).name for name in ("json", "JSON", "Json")] == ["json", "JSON", "JSON"]


def test_latest_versions():
    mixed = package("mixed", numbers=("1.9.0", "1.10.0", "2.0.0rc1"))
    assert (mixed.latest.number, mixed.latest_stable.number) == ("2.0.0rc1", "1.10.0")
    assert mixed.release("latest").number == "2.0.0rc1"
    assert package("plain", numbers=("1.9.0", "1.10.0")).release("latest").number == "1.9.0"
    assert package("none", numbers=()).release("latest") is None


def test_outdated():
    catalogue = Catalogue((package("user", needs="moved"), package("moved", numbers=("1.0.0", "2.0.0"))))
    assert catalogue.with_outdated_dependencies == {("Pypi", "user")}
    assert catalogue.is_outdated("Pypi", Requirement("unknown", "<2", "runtime")) is None
    assert catalogue.is_outdated("Pypi", Requirement("moved", "whatever", "runtime")) is None
