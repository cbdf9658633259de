from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from libraries_io_mcp.errors import InvalidRequestError
from libraries_io_mcp.licences import NOT_LEGAL_ADVICE, UseCase, compatibility
from libraries_io_mcp.licences.catalogue import CATALOGUE
from libraries_io_mcp.licences.terms import STRICTNESS

OBLIGED = "compatible_with_obligations"
USE_CASES = get_args(UseCase)
WITH_EXCEPTION = ["GPL-2.0-only WITH Classpath-exception-2.0", "Apache-2.0 WITH LLVM-exception"]
KNOWN = st.sampled_from([*CATALOGUE, *WITH_EXCEPTION])
ANY = st.one_of(KNOWN, st.sampled_from(["Foo-1.0", "Other", "GPL", "MIT WITH Nope"]))


@pytest.mark.parametrize(
    ("first", "second", "use_case", "verdict"),
    [
        ("MIT", "Apache-2.0", "distribute", OBLIGED),
        ("MIT", "MIT", "internal", "compatible"),
        ("0BSD", "Unlicense", "distribute", "compatible"),
        ("GPL-2.0-only", "Apache-2.0", "distribute", "incompatible"),
        ("GPL-2.0-only", "Apache-2.0", "saas", OBLIGED),
        ("GPL-2.0-only", "Apache-2.0 WITH LLVM-exception", "distribute", OBLIGED),
        ("GPL-2.0-or-later", "Apache-2.0", "link", OBLIGED),
        ("GPL-3.0-only", "Apache-2.0", "distribute", OBLIGED),
        ("GPL-2.0-only", "GPL-3.0-only", "link", "incompatible"),
        ("GPL-2.0-or-later", "GPL-3.0-only", "link", OBLIGED),
        ("CDDL-1.0", "GPL-2.0-or-later", "distribute", "incompatible"),
        ("EPL-1.0", "GPL-3.0-or-later", "link", "incompatible"),
        ("MPL-1.1", "GPL-2.0-only", "distribute", "incompatible"),
        ("MPL-2.0", "GPL-2.0-only", "distribute", OBLIGED),
        ("BSD-4-Clause", "GPL-2.0-or-later", "distribute", "incompatible"),
        ("LGPL-3.0-only", "GPL-2.0-only", "link", "incompatible"),
        ("LGPL-2.1-only", "GPL-3.0-only", "link", OBLIGED),
        ("AGPL-3.0-only", "GPL-2.0-only", "distribute", "incompatible"),
        ("AGPL-3.0-only", "GPL-2.0-only", "saas", "incompatible"),
        ("AGPL-3.0-only", "GPL-3.0-only", "saas", OBLIGED),
        ("AGPL-3.0-only", "MIT", "saas", OBLIGED),
        ("SSPL-1.0", "MIT", "distribute", "incompatible"),
        ("BUSL-1.1", "MIT", "distribute", "incompatible"),
        ("BUSL-1.1", "MIT", "internal", "unknown"),
        ("SSPL-1.0", "MIT", "saas", "incompatible"),
        ("UNLICENSED", "MIT", "internal", "incompatible"),
        ("OSL-3.0", "CECILL-2.1", "distribute", "unknown"),
        ("EUPL-1.2", "BSD-4-Clause", "distribute", OBLIGED),
        ("GPL-2.0-only WITH Classpath-exception-2.0", "CDDL-1.1", "link", OBLIGED),
        ("MPL-2.0", "EPL-2.0", "distribute", OBLIGED),
        ("MIT", "Foo-1.0", "internal", "unknown"),
    ],
)
def test_two_packages(first: str, second: str, use_case: UseCase, verdict: str):
    answer = compatibility([first, second], use_case)
    assert answer.verdict == verdict
    assert answer.disclaimer == NOT_LEGAL_ADVICE
    assert all(finding.reason for finding in (*answer.licences, *answer.pairs))


@pytest.mark.parametrize(
    ("package", "project", "use_case", "verdict"),
    [
        ("MIT", "UNLICENSED", "distribute", OBLIGED),
        ("GPL-3.0-only", "Proprietary", "link", "incompatible"),
        ("GPL-3.0-only", "Proprietary", "saas", "compatible"),
        ("AGPL-3.0-only", "Proprietary", "saas", "incompatible"),
        ("LGPL-2.1-or-later", "Proprietary", "link", OBLIGED),
        ("GPL-2.0-only WITH Classpath-exception-2.0", "Proprietary", "link", OBLIGED),
        ("GPL-3.0-only", "MIT", "distribute", OBLIGED),
        ("GPL-2.0-only", "Apache-2.0", "distribute", "incompatible"),
        ("MIT", "NOASSERTION", "distribute", "unknown"),
    ],
)
def test_a_package_in_a_project(package: str, project: str, use_case: UseCase, verdict: str):
    answer = compatibility([package], use_case, project)
    assert answer.verdict == verdict
    assert [finding.project for finding in answer.pairs] == [True]


def test_of_alternatives_the_one_that_works_is_taken_and_named():
    answer = compatibility(["GPL-2.0-only OR MIT", "Apache-2.0"], "distribute", "Proprietary")
    assert answer.verdict == OBLIGED
    assert [(choice.expression, choice.chosen) for choice in answer.choices] == [("GPL-2.0-only OR MIT", "MIT")]
    assert compatibility(["Foo-1 OR MIT"], "link").unknown == ()


def test_two_to_the_fortieth_choices_are_searched():
    ids = [id_ for id_ in CATALOGUE if not id_.startswith("LicenseRef")]
    texts = [f"GPL-2.0-only OR {id_}" for id_ in ids[:40]]
    answer = compatibility([*texts, "Apache-2.0"], "distribute")
    assert (answer.verdict, answer.exhaustive) == (OBLIGED, True)
    answer = compatibility([*texts, "SSPL-1.0"], "distribute")
    assert (answer.verdict, answer.exhaustive) == ("incompatible", True)


def test_a_search_cut_short_never_ends_in_incompatible():
    ids = [id_ for id_ in CATALOGUE if CATALOGUE[id_].category == "permissive" and 2 in CATALOGUE[id_].gpl]
    texts = [f"{first} OR {second}" for first, second in zip(ids[:30:2], ids[1:30:2], strict=True)]
    late = [
        "GPL-2.0-only OR (GPL-2.0-only AND MIT) OR (GPL-2.0-only AND ISC)",
        "Apache-2.0 OR (Apache-2.0 AND Zlib) OR (Apache-2.0 AND X11)",
    ]
    assert compatibility(late, "distribute").verdict == "incompatible"
    answer = compatibility([*texts, *late], "distribute")
    assert not answer.exhaustive
    assert answer.verdict == "unknown"


def test_obligations_depend_on_the_use_case():
    handed_out = compatibility(["AGPL-3.0-only"], "distribute").licences[0]
    served = compatibility(["AGPL-3.0-only"], "saas").licences[0]
    assert any("whole program" in one for one in handed_out.obligations)
    assert any("over a network" in one for one in served.obligations)
    assert compatibility(["MIT"], "saas").licences[0].obligations == ()


def test_bad_questions_are_refused():
    with pytest.raises(InvalidRequestError, match="1 to 100"):
        compatibility([], "link")
    with pytest.raises(InvalidRequestError, match="1 to 100"):
        compatibility(["MIT"] * 101, "link")
    with pytest.raises(InvalidRequestError, match="1 to 100"):
        compatibility("MIT", "link")
    with pytest.raises(InvalidRequestError, match="link, distribute, saas, internal"):
        compatibility(["MIT"], "sell")  # type: ignore[arg-type]


def level(licences: list[str], use_case: UseCase, project: str | None = None) -> int:
    return STRICTNESS.index(compatibility(licences, use_case, project).verdict)


@settings(max_examples=300, deadline=None)
@given(first=ANY, second=ANY, use_case=st.sampled_from(USE_CASES))
def test_the_order_of_packages_does_not_matter(first: str, second: str, use_case: UseCase):
    assert level([first, second], use_case) == level([second, first], use_case)


@settings(max_examples=300, deadline=None)
@given(first=ANY, second=ANY, use_case=st.sampled_from(USE_CASES), project=st.one_of(st.none(), KNOWN))
def test_and_is_at_least_as_strict_as_its_parts(first: str, second: str, use_case: UseCase, project: str | None):
    together = level([f"{first} AND {second}"], use_case, project)
    assert together >= level([first], use_case, project)
    assert together >= level([second], use_case, project)
    assert together == level([first, second], use_case, project)


@settings(max_examples=200, deadline=None)
@given(first=ANY, second=ANY, use_case=st.sampled_from(USE_CASES))
def test_or_is_as_mild_as_its_mildest_part(first: str, second: str, use_case: UseCase):
    assert level([f"{first} OR {second}"], use_case) == min(level([first], use_case), level([second], use_case))


@settings(max_examples=300, deadline=None)
@given(
    unknown=st.one_of(st.sampled_from(["Foo-1.0", "Other", "GPL", "", "NONE", "MIT WITH Nope"]), st.text(max_size=12)),
    others=st.lists(KNOWN, max_size=3),
    use_case=st.sampled_from(USE_CASES),
)
def test_an_unknown_licence_is_never_a_pass(unknown: str, others: list[str], use_case: UseCase):
    answer = compatibility([*others, unknown], use_case)
    if answer.readings[-1].unknown and len(answer.readings[-1].alternatives) == 1:
        assert answer.verdict in {"unknown", "incompatible"}
        assert answer.unknown


@settings(max_examples=200, deadline=None)
@given(package=KNOWN, other=KNOWN, use_case=st.sampled_from(USE_CASES))
def test_another_package_never_makes_it_milder(package: str, other: str, use_case: UseCase):
    assert level([package, other], use_case) >= level([package], use_case)


@settings(max_examples=200, deadline=None)
@given(package=KNOWN, other=KNOWN)
def test_handing_out_is_never_milder_than_internal_use(package: str, other: str):
    internal = STRICTNESS.index(compatibility([package, other], "internal").verdict)
    handed_out = STRICTNESS.index(compatibility([package, other], "distribute").verdict)
    assert handed_out >= internal
