"""The audit through a real client, against the sandbox: findings, bulk, progress, faults, and hostile manifests."""

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, Final

import anyio
import pytest
from tests.support.mcp_session import Faults, Session, session
from tests.support.polling import poll_until
from tests.support.stand_in import sandbox

pytestmark = pytest.mark.anyio
TOOLSETS = "judge,project"
REQUIREMENTS: Final = """\
requests==2.28.2
httpx>=0.27
urllib3<2
sklearn
nose
Flask==0.0.1
private-thing>=1
-r other.txt
git+https://user:secret@example.org/x.git
"""
TEN_MB: Final = 10 * 1024 * 1024


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


def requirements(count: int, first: int = 0) -> str:
    """So many packages that nobody knows."""
    return "".join(f"package-{number}>=1\n" for number in range(first, first + count))


async def test_the_findings_on_a_manifest(server: Session, faults: Faults):
    faults.requests()
    facts = await server.ask("audit_dependencies", manifest=REQUIREMENTS, filename="requirements.txt")
    assert faults.requests() == 1
    assert facts["format"] == "requirements.txt"
    found = {line["name"]: line["findings"] for line in facts["dependencies"]}
    # Worst first.
    assert list(found.items()) == list(
        {
            "sklearn": ["deprecated", "stale"],
            "nose": ["unmaintained", "stale"],
            "private-thing": ["missing"],
            "requests": ["outdated"],
            "urllib3": ["outdated"],
            "Flask": ["outdated"],
            "-r other.txt": ["unread"],
            "git+https://***@example.org/x.git": ["unread"],
        }.items()
    )
    assert facts["missing"] == ["Pypi/private-thing"]
    assert facts["counts"]["nothing_found"] == 1
    assert facts["counts"]["outdated"] == 3
    by_name = {line["name"]: line for line in facts["dependencies"]}
    assert by_name["requests"]["why"] == ["2.28.2 of 2023-01-12 is behind 2.32.4"]
    assert by_name["urllib3"]["why"] == ["the range leaves out 2.5.0"]
    assert "not among the known versions" in by_name["Flask"]["why"][0]
    assert by_name["requests"]["line"] == 1
    assert by_name["sklearn"]["unknown"] == ["license"]
    assert "no such data" in facts["notes"][0]


async def test_what_is_no_dependency_is_told_and_not_called_unread(server: Session):
    manifest = "--index-url https://example.org/simple\n--pre\nhttpx\n"
    facts = await server.ask("audit_dependencies", manifest=manifest, filename="requirements.txt")
    assert facts["counts"]["unread"] == 0
    assert "2 entries are no dependencies: an option of pip, not a package (2)." in facts["notes"]
    facts = await server.fail("audit_dependencies", manifest="--pre\n", filename="requirements.txt")
    assert "--pre: an option of pip, not a package" in facts["message"]


async def test_all_dependencies_on_request(server: Session):
    facts = await server.ask("audit_dependencies", manifest=REQUIREMENTS, include_all=True)
    fine = facts["dependencies"][-1]
    assert (fine["name"], fine["findings"], fine["newest"]) == ("httpx", [], "0.28.1")


async def test_licences_are_judged_when_it_is_asked_for(server: Session):
    packages = [{"platform": "pypi", "name": "requests"}, {"platform": "pypi", "name": "nose"}]
    facts = await server.ask("audit_dependencies", packages=packages, project_license="GPL-2.0-only", include_all=True)
    by_name = {line["name"]: line for line in facts["dependencies"]}
    assert "license" in by_name["requests"]["findings"]
    assert "Apache-2.0: incompatible for link" in by_name["requests"]["why"][0]
    assert "not legal advice" in facts["notes"][1]
    facts = await server.ask("audit_dependencies", packages=packages, include_all=True)
    assert facts["counts"]["license"] == 0
    assert "not judged" in facts["notes"][1]


@pytest.mark.parametrize(
    ("platform", "name", "requirement", "findings", "unknown"),
    [
        ("npm", "express", "^4.0.0", ["outdated"], []),
        ("npm", "express", ">=4", [], []),
        ("npm", "express", "5.1.0", [], []),
        ("npm", "express", ">=6", [], ["outdated"]),
        ("npm", "express", "nonsense", [], ["outdated"]),
        ("npm", "express", "", [], []),
        ("cargo", "serde", "1", [], []),
        ("cargo", "failure", "0.1", ["unmaintained", "stale"], []),
        ("gem", "rails", "~> 7.0", ["outdated"], []),
        ("composer", "monolog/monolog", "^2.0", ["outdated"], []),
        ("go", "github.com/gin-gonic/gin", "v1.0.0", ["outdated"], []),
        ("maven", "log4j:log4j", "[1.2,2)", ["unmaintained", "stale"], []),
        ("hex", "plug", "~> 1.0", [], []),
        ("cran", "httr", ">= 1.0", ["stale"], ["outdated"]),
    ],
)
async def test_outdated_by_each_platforms_own_ranges(
    server: Session, platform: str, name: str, requirement: str, findings: list[str], unknown: list[str]
):
    package = {"platform": platform, "name": name, "requirement": requirement}
    facts = await server.ask("audit_dependencies", packages=[package], include_all=True)
    (line,) = facts["dependencies"]
    assert [word for word in line["findings"] if word != "stale"] == [word for word in findings if word != "stale"]
    assert [word for word in line["unknown"] if word == "outdated"] == unknown


async def test_a_long_audit_is_asked_in_pieces_reports_progress_and_is_followed_to_its_end(
    server: Session, faults: Faults
):
    told: list[tuple[float, float | None]] = []

    async def hear(progress: float, total: float | None, _message: str | None) -> None:
        told.append((progress, total))

    given = {"manifest": requirements(250), "filename": "requirements.txt"}
    faults.requests()
    await server.client.call_tool("audit_dependencies", given, progress_handler=hear)
    assert faults.requests() == 3
    assert told == sorted(told)
    assert told[-1] == (250, 250)
    assert len(set(told)) == len(told)
    lines = await server.follow("audit_dependencies", "dependencies", **given)
    assert {line["name"] for line in lines} == {f"package-{number}" for number in range(250)}
    assert len(lines) == 250


async def test_a_cancelled_audit_asks_nothing_more(server: Session, faults: Faults):
    """The first of its three pieces is under way: that request is broken off, and the others are never sent."""
    faults.requests()
    faults.switch_on("timeout", "/api/check", count=1)
    given = {"manifest": requirements(250), "filename": "requirements.txt"}
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(server.client.call_tool, "audit_dependencies", given)
        await anyio.to_thread.run_sync(poll_until, lambda: faults.arrived() == 1, "the first piece to arrive")
        tasks.cancel_scope.cancel()
    await anyio.to_thread.run_sync(poll_until, faults.broken_off, "the first piece to be broken off")
    await server.ask("audit_dependencies", packages=[{"platform": "npm", "name": "got"}])
    assert faults.requests() == 2


async def test_a_piece_that_fails_is_named_and_the_others_stand(server: Session, faults: Faults):
    packages = [{"platform": "npm", "name": "got"}, {"platform": "julia", "name": "HTTP"}]
    facts = await server.ask("audit_dependencies", packages=packages)
    (line,) = [line for line in facts["dependencies"] if line["name"] == "HTTP"]
    assert line["findings"] == ["unasked"]
    assert "does not know the platform Julia" in line["why"][0]


async def test_when_nothing_can_be_learnt_it_is_an_error(server: Session, faults: Faults):
    faults.switch_on("forbidden_json", "/api/check", count=1)
    faults.requests()
    error = await server.fail("audit_dependencies", manifest=requirements(300), filename="requirements.txt")
    assert error["error_type"] == "forbidden"
    assert faults.requests() == 1, "the other pieces need not find out that the key may not"


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({}, "either"),
        ({"manifest": "requests\n", "packages": [{"platform": "npm", "name": "got"}]}, "either"),
        ({"packages": [{"platform": "npm"}]}, "packages"),
        ({"manifest": "what is this?\n"}, "format"),
        ({"manifest": "", "filename": "requirements.txt"}, "declares no package"),
        ({"manifest": "-r base.txt\n", "filename": "requirements.txt"}, "an include"),
        ({"manifest": "requests\n", "filename": "requirements.txt", "use_case": "sell"}, "use_case"),
    ],
)
async def test_a_wrong_question(server: Session, faults: Faults, given: dict[str, Any], says: str):
    faults.requests()
    for tool in ("audit_dependencies", "generate_dependency_report"):
        error = await server.fail(tool, **given)
        assert error["error_type"] == "invalid_request"
        assert says in error["message"]
    assert faults.requests() == 0


async def test_the_report(server: Session, faults: Faults):
    faults.requests()
    facts = await server.ask("generate_dependency_report", manifest=REQUIREMENTS, filename="requirements.txt")
    assert faults.requests() == 1
    markdown = facts["markdown"]
    assert markdown.startswith("## Dependencies of `requirements.txt`\n")
    assert "| `requests` | `==2.28.2` | `2.32.4` | outdated | `2.28.2 of 2023-01-12 is behind 2.32.4` |" in markdown
    assert "### Not known to Libraries.io: private, or misspelt (1)" in markdown
    assert "### Could not be read (2)" in markdown
    assert "Vulnerabilities are not checked" in markdown
    assert "secret" not in markdown
    assert "7 dependencies: 1 fine, 6 with findings, 0 unknown in part." in markdown
    assert (facts["truncated"], facts["left_out"], facts["cursor"]) == (False, 0, None)


async def test_what_can_not_be_judged_is_neither_fine_nor_hidden(server: Session):
    packages = [
        {"platform": "bower", "name": "jquery", "requirement": "3.7.1"},
        {"platform": "cran", "name": "httr", "requirement": ">= 1.0"},
        {"platform": "npm", "name": "express", "requirement": ">=9"},
        {"platform": "npm", "name": "express", "requirement": ">=4"},
    ]
    audit = await server.ask("audit_dependencies", packages=packages)
    assert [(line["name"], line["findings"]) for line in audit["dependencies"][-2:]] == [
        ("jquery", []),
        ("express", []),
    ]
    assert (audit["counts"]["nothing_found"], audit["counts"]["partly_unknown"]) == (1, 2)
    report = (await server.ask("generate_dependency_report", packages=packages))["markdown"]
    assert "4 dependencies: 1 fine, 1 with findings, 2 unknown in part." in report
    unknown = report.partition("### Unknown in part (2)")[2]
    assert "| `jquery` | `3.7.1` | outdated | `no stable version is known` |" in unknown
    assert "| `express` | `>=9` | outdated |" in unknown


async def test_a_long_report_is_followed_to_its_end_and_each_part_stands_alone(server: Session):
    given = {"manifest": f"sklearn\n{requirements(900)}-r more.txt\n", "filename": "requirements.txt"}
    facts = await server.ask("generate_dependency_report", **given)
    assert facts["truncated"]
    seen: list[str] = []
    while True:
        lines = facts["markdown"].splitlines()
        seen += [line for line in lines if line.startswith(("| `package-", "| `sklearn", "| `-r more"))]
        for heading in ("What to act on (1)", "private, or misspelt (900)", "Could not be read (1)"):
            assert heading in facts["markdown"]
        assert "Vulnerabilities are not checked" in facts["markdown"]
        assert len(seen) + facts["left_out"] == 902
        if facts["cursor"] is None:
            break
        facts = await server.ask("generate_dependency_report", **given, cursor=facts["cursor"])
    assert len(set(seen)) == len(seen) == 902
    assert "rows " in facts["markdown"]
    assert " to 902 of 902" in facts["markdown"]


async def test_a_licence_of_the_project_that_nobody_knows_is_one_error(server: Session, faults: Faults):
    faults.requests()
    error = await server.fail("audit_dependencies", manifest=REQUIREMENTS, project_license="nonsense")
    assert error["error_type"] == "invalid_request"
    assert "project_license" in error["message"]
    assert "SPDX" in error["next_step"]
    assert faults.requests() == 0


@pytest.mark.parametrize("tool", ["audit_dependencies", "generate_dependency_report"])
async def test_a_fault_upstream_is_said_and_passes(server: Session, faults: Faults, tool: str):
    given = {"packages": [{"platform": "npm", "name": "got"}]}
    faults.switch_on("server_error", "/api/check", count=1)
    assert (await server.fail(tool, **given))["error_type"] == "upstream_error"
    await server.ask(tool, **given)


LAUGHS = (
    '<?xml version="1.0"?><!DOCTYPE project [<!ENTITY a0 "ha">'
    + "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 12))
    + "]><project><artifactId>&a11;</artifactId></project>"
)
HOSTILE: Final[dict[str, tuple[str, Callable[[], str], str | None]]] = {
    "10 MB": ("requirements.txt", lambda: requirements(TEN_MB // 20), None),
    "more than 10 MB": ("requirements.txt", lambda: "a" * (TEN_MB + 1), "larger than"),
    "10,000 packages": ("requirements.txt", lambda: requirements(10_000), None),
    "billion laughs": ("pom.xml", lambda: LAUGHS, "DOCTYPE"),
    "nested 10,000 deep": ("package.json", lambda: '{"dependencies":' * 10_000 + "{}" + "}" * 10_000, "nested"),
    "NUL": ("requirements.txt", lambda: "requests\x00\n", "NUL"),
    "not text": ("requirements.txt", lambda: bytes(range(128, 256)).decode("latin-1") * 100, "declares no package"),
}


@pytest.mark.parametrize("name", HOSTILE)
async def test_a_hostile_manifest_ends_in_a_bounded_answer_or_a_clear_error(server: Session, name: str):
    filename, text, says = HOSTILE[name]
    with anyio.fail_after(60):
        if says is None:
            facts = await server.ask("audit_dependencies", manifest=text(), filename=filename)
            assert facts["counts"]["missing"] == 2_000
            assert facts["counts"]["unasked"] == 8_000
            assert facts["truncated"]
        else:
            error = await server.fail("audit_dependencies", manifest=text(), filename=filename)
            assert error["error_type"] == "invalid_request"
            assert says in error["message"]


@pytest.mark.parametrize("text", ["\ufeffrequests==2.28.2\r\nhttpx\r\n", "requests==2.28.2\rhttpx\r"])
async def test_a_mark_and_other_line_ends_are_no_matter(server: Session, text: str):
    facts = await server.ask("audit_dependencies", manifest=text, filename="requirements.txt", include_all=True)
    assert {line["name"]: line["line"] for line in facts["dependencies"]} == {"requests": 1, "httpx": 2}
