"""The judging tools through a real client, against the sandbox: what they say, what it costs, and where they fail."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support.mcp_session import Faults, Session, session
from tests.support.stand_in import sandbox

pytestmark = pytest.mark.anyio
TOOLSETS = "judge,project"
GOT = {"platform": "npm", "name": "got"}
REQUEST = {"platform": "npm", "name": "request"}
EXPRESS = {"platform": "npm", "name": "express"}
WORST_FIRST = ["incompatible", "unknown", "compatible_with_obligations", "compatible"]


@pytest.fixture(scope="module")
def base_url() -> Iterator[str]:
    with sandbox() as url:
        yield url


@pytest.fixture(scope="module")
def faults(base_url: str) -> Iterator[Faults]:
    with Faults(base_url) as control:
        yield control


@pytest.fixture(scope="module")
async def server(base_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Session]:
    async with session(tmp_path_factory.mktemp("server"), base_url, TOOLSETS=TOOLSETS) as opened:
        yield opened


async def test_one_request_for_all_that_are_compared(server: Session, faults: Faults):
    faults.requests()
    facts = await server.ask(
        "compare_packages", packages=[GOT, {"platform": "pip", "name": "Requests"}, {"platform": "npm", "name": "nope"}]
    )
    assert faults.requests() == 1
    assert [row["name"] for row in facts["packages"]] == ["got", "requests", "nope"]
    assert [row["found"] for row in facts["packages"]] == [True, True, False]
    assert facts["missing"] == ["NPM/nope"]
    missing = facts["packages"][2]
    assert {value for name, value in missing.items() if name not in {"platform", "name", "found", "note"}} == {None}
    assert set(facts["packages"][0]) == set(missing)


async def test_two_spellings_of_one_package_are_one_row(server: Session):
    spellings = [{"platform": "pypi", "name": name} for name in ("requests", "Requests")]
    facts = await server.ask("compare_packages", packages=spellings)
    assert [row["name"] for row in facts["packages"]] == ["requests"]


async def test_a_platform_that_the_service_does_not_know_spoils_only_its_own_row(server: Session):
    facts = await server.ask("compare_packages", packages=[GOT, {"platform": "julia", "name": "HTTP"}])
    assert [row["found"] for row in facts["packages"]] == [True, False]
    assert "does not know the platform Julia" in facts["packages"][1]["note"]
    assert facts["missing"] == []


async def test_a_platform_that_does_not_exist_is_an_error_with_near_ones(server: Session):
    error = await server.fail("compare_packages", packages=[GOT, {"platform": "rubygem", "name": "rails"}])
    assert error["error_type"] == "not_found"
    assert error["suggestions"][0] == "Rubygems"


@pytest.mark.parametrize("name", ["", "  ", "a\x00b", "..", "é" * 300])
@pytest.mark.parametrize("tool", ["compare_packages", "audit_dependencies"])
async def test_a_name_that_none_can_be_is_refused_in_a_list_too(server: Session, faults: Faults, tool: str, name: str):
    faults.requests()
    error = await server.fail(tool, packages=[GOT, {"platform": "npm", "name": name}])
    alone = await server.fail("check_package_health", platform="npm", name=name)
    assert error["error_type"] == alone["error_type"] == "invalid_request"
    assert error["message"].replace("packages.1.name", "name") == alone["message"]
    assert faults.requests() == 0


async def test_blanks_around_a_name_of_a_list_are_no_part_of_it(server: Session):
    facts = await server.ask("compare_packages", packages=[{"platform": " npm", "name": " got "}])
    assert (facts["packages"][0]["name"], facts["missing"]) == ("got", [])


@pytest.mark.parametrize("packages", [[], [GOT] * 11, [{"platform": "npm"}], [{**GOT, "version": "1"}], ["npm/got"]])
async def test_a_wrong_comparison_costs_nothing(server: Session, faults: Faults, packages: list):
    faults.requests()
    error = await server.fail("compare_packages", packages=packages)
    assert error["error_type"] == "invalid_request"
    assert "packages" in error["message"]
    assert faults.requests() == 0


async def test_a_fault_of_a_comparison_is_said(server: Session, faults: Faults):
    # A refused connection is repeated; this one is not.
    faults.switch_on("server_error", "/api/check", count=1)
    assert (await server.fail("compare_packages", packages=[GOT]))["error_type"] == "upstream_error"
    await server.ask("compare_packages", packages=[GOT])


async def test_without_a_key_a_comparison_says_what_is_needed(base_url: str, tmp_path: Path):
    async with session(tmp_path, base_url, TOOLSETS=TOOLSETS, LIBRARIES_IO_API_KEY="") as keyless:
        for tool, given in (("compare_packages", {"packages": [GOT]}), ("audit_dependencies", {"packages": [GOT]})):
            assert (await keyless.fail(tool, **given))["error_type"] == "api_key_missing"


async def test_the_health_of_a_deprecated_package(server: Session, faults: Faults):
    faults.requests()
    facts = await server.ask("check_package_health", **REQUEST)
    assert faults.requests() == 3
    says = {signal["name"]: signal["says"] for signal in facts["signals"]}
    assert says["status"] == says["last_release"] == says["outdated_dependencies"] == "concern"
    assert facts["concerns"] == sum(word == "concern" for word in says.values())
    assert facts["good"] == sum(word == "good" for word in says.values())
    assert facts["unknown"] == ["release_rhythm"]
    assert "no vulnerability data" in facts["vulnerabilities"]
    assert "https://osv.dev" in facts["vulnerabilities"]


async def test_what_is_not_known_of_a_health_is_listed(server: Session, faults: Faults):
    faults.requests()
    facts = await server.ask("check_package_health", platform="pypi", name="sandbox-bare")
    assert faults.requests() == 2
    assert {"last_release", "license", "repository_activity", "security_policy", "contributors"} <= set(
        facts["unknown"]
    )
    assert "no repository" in facts["notes"][0].lower()
    assert not {signal["name"] for signal in facts["signals"]} & set(facts["unknown"])


async def test_dependencies_that_are_not_known_are_not_called_up_to_date(server: Session):
    for package in ({"platform": "bower", "name": "jquery"}, {"platform": "pypi", "name": "sandbox-bare"}):
        assert "outdated_dependencies" in (await server.ask("check_package_health", **package))["unknown"]


@pytest.mark.parametrize(
    ("path", "unknown"), [("*/sourcerank", "sourcerank"), ("/api/github/*", "repository_activity")]
)
async def test_a_part_that_fails_is_unknown_and_the_rest_stands(
    server: Session, faults: Faults, path: str, unknown: str
):
    faults.switch_on("server_error", path)
    facts = await server.ask("check_package_health", **EXPRESS)
    faults.clear()
    assert unknown in facts["unknown"]
    assert "could not be had (upstream_error)" in facts["notes"][0]
    assert "status" in {signal["name"] for signal in facts["signals"]}
    await server.ask("check_package_health", **EXPRESS)


async def test_the_health_of_nobody(server: Session, faults: Faults):
    assert (await server.fail("check_package_health", platform="npm", name="nope"))["error_type"] == "not_found"
    faults.switch_on("server_error", "/api/NPM/got", count=1)
    assert (await server.fail("check_package_health", **GOT))["error_type"] == "upstream_error"
    assert "name" in (await server.fail("check_package_health", platform="npm"))["message"]


async def test_a_stale_judgement_is_marked(base_url: str, faults: Faults, tmp_path: Path):
    calls = {
        "compare_packages": {"packages": [GOT]},
        "check_package_health": GOT,
        "audit_dependencies": {"packages": [GOT]},
        "generate_dependency_report": {"packages": [GOT]},
    }
    async with session(tmp_path, base_url, TOOLSETS=TOOLSETS, CACHE_TTL_SECONDS="0.001") as keeping:
        for tool, given in calls.items():
            await keeping.ask(tool, **given)
            faults.switch_on("server_error")
            facts = await keeping.ask(tool, **given)
            faults.clear()
            assert facts["provenance"]["source"] == "stale", tool
            await keeping.ask(tool, **given)


async def test_licences_cost_nothing(server: Session, faults: Faults):
    faults.requests()
    facts = await server.ask(
        "check_license_compatibility",
        licenses=["MIT", "Apache 2.0", "GPL-2.0-only"],
        use_case="distribute",
        project_license="MIT",
    )
    assert faults.requests() == 0
    assert facts["verdict"] == "incompatible"
    worst = facts["pairs"][0]
    assert {worst["first"], worst["second"]} == {"Apache-2.0", "GPL-2.0-only"}
    assert "patent clause" in worst["reason"]
    assert "not legal advice" in facts["disclaimer"]
    assert any(reading.startswith("Apache 2.0") for reading in facts["readings"])


async def test_the_text_about_licences_lists_what_they_oblige_to(server: Session):
    result = await server.call("check_license_compatibility", licenses=["MIT"], use_case="distribute")
    (line,) = result.structured_content["licenses"]
    assert line["obligations"]
    assert all(duty in result.content[0].text for duty in line["obligations"])


async def test_an_unknown_licence_is_no_pass(server: Session):
    facts = await server.ask("check_license_compatibility", licenses=["MIT", "Frobnicate 7"], use_case="internal")
    assert facts["verdict"] == "unknown"


@pytest.mark.parametrize(
    ("given", "names"),
    [
        ({"licenses": [], "use_case": "link"}, "licenses"),
        ({"licenses": ["MIT"], "use_case": "sell"}, "use_case"),
        ({"licenses": ["MIT"] * 101, "use_case": "link"}, "licenses"),
        ({"licenses": ["MIT"]}, "use_case"),
    ],
)
async def test_a_wrong_question_about_licences(server: Session, given: dict, names: str):
    error = await server.fail("check_license_compatibility", **given)
    assert error["error_type"] == "invalid_request"
    assert names in error["message"]


async def lines_of(server: Session, **question: Any) -> tuple[dict[str, int], list[tuple[str, str]]]:
    """The counts of a judgement, and verdict and names of all its lines, by its cursors."""
    facts = await server.ask("check_license_compatibility", **question)
    found: list[tuple[str, str]] = []
    while True:
        page = [(line["verdict"], line["license"]) for line in facts["licenses"]]
        page += [(line["verdict"], f"{line['first']} + {line['second']}") for line in facts["pairs"]]
        found += sorted(page, key=lambda line: WORST_FIRST.index(line[0]))
        assert facts["truncated"] is (facts["cursor"] is not None)
        assert facts["left_out"] == sum(facts["counts"].values()) - len(found)
        if facts["cursor"] is None:
            return facts["counts"], found
        facts = await server.ask("check_license_compatibility", **question, cursor=facts["cursor"])


async def test_a_hundred_licences_stay_within_the_budget(server: Session):
    names = [f"Unheard-Of-{number} OR Never-Seen-{number}" for number in range(100)]
    facts = await server.ask("check_license_compatibility", licenses=names, use_case="saas")
    assert facts["verdict"] == "unknown"
    assert facts["left_out"] > 0
    assert facts["cursor"]


async def test_each_pair_of_many_licences_is_explained_the_worst_first(server: Session):
    names = [
        "MIT", "Apache-2.0", "GPL-2.0-only", "GPL-3.0-only", "AGPL-3.0-only", "CDDL-1.0", "EPL-1.0", "EPL-2.0",
        "MPL-1.1", "MPL-2.0", "BSD-4-Clause", "LGPL-2.1-only", "LGPL-3.0-only", "ISC", "Zlib", "BSL-1.0", "PHP-3.01",
        "OSL-3.0", "CPL-1.0", "MS-PL", "MS-RL", "AFL-3.0", "ECL-2.0", "OFL-1.1", "Artistic-2.0",
    ]  # fmt: skip
    counts, found = await lines_of(server, licenses=names, use_case="distribute")
    assert len(found) == len(set(found)) == len(names) + len(names) * (len(names) - 1) // 2
    assert counts["incompatible"] > 30
    verdicts = [verdict for verdict, _ in found]
    assert {verdict: verdicts.count(verdict) for verdict in counts} == counts
    assert verdicts == sorted(verdicts, key=WORST_FIRST.index)


async def test_what_a_package_gives_as_its_licence_can_be_asked_about(server: Session):
    """The text of a licence is called one, and not taken apart at its commas."""
    text = (
        "Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated "
        'documentation files (the "Software"), to deal in the Software without restriction, including without '
        "limitation the rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies."
    )
    facts = await server.ask("check_license_compatibility", licenses=[text.ljust(600, "x")], use_case="link")
    assert facts["verdict"] == "unknown"
    assert len(facts["licenses"]) == 1
    assert "wording from a licence" in facts["readings"][0]


async def test_an_own_licence_that_nobody_knows_is_one_error(server: Session):
    given = {"licenses": ["MIT", "ISC"], "use_case": "link", "project_license": "nonsense"}
    error = await server.fail("check_license_compatibility", **given)
    assert error["error_type"] == "invalid_request"
    assert "project_license" in error["message"]
