"""What an error looks like to an agent."""

import json
from typing import Any, Final

import httpx
import pytest
from mcp import MCPError
from tests.support.in_process import tools_on

from libraries_io_mcp.answer.failure import DefectError, error_result
from libraries_io_mcp.errors import CallError, LibrariesIOMCPError, NotFoundError, QuotaExceededError

pytestmark = pytest.mark.anyio
HUGE: Final = "abcdefghij" * 100_000
SAID_AT_MOST: Final = 3_000
"""Characters of an answer that tells what is wrong."""


def nobody(_request: httpx.Request) -> httpx.Response:
    raise AssertionError("nothing is asked for")


async def answer(tool: str, arguments: dict[str, Any]) -> dict[str, Any]:
    async with tools_on(nobody) as client:
        result = await client.call_tool(tool, arguments, raise_on_error=False)
    assert result.is_error
    assert len(result.content[0].text) < SAID_AT_MOST
    assert len(json.dumps(result.structured_content)) < SAID_AT_MOST
    return result.structured_content


def all_errors(root: type[LibrariesIOMCPError] = CallError) -> list[type[LibrariesIOMCPError]]:
    return [root, *(error for kind in root.__subclasses__() for error in all_errors(kind))]


@pytest.mark.parametrize("kind", all_errors(), ids=lambda kind: kind.__name__)
def test_every_error_says_what_to_do_next(kind: type[CallError]):
    result = error_result(kind("It went wrong."))
    facts = result.structured_content
    assert result.is_error
    assert facts["error_type"] == kind.error_type
    assert facts["message"] == "It went wrong."
    assert len(facts["next_step"]) > 10
    assert set(facts) == {"error_type", "message", "next_step"}
    assert result.content[0].text == f"{kind.error_type}: It went wrong. {facts['next_step']}"


def test_error_types_are_few_and_distinct():
    # A finer class of a part of the product keeps the name of its parent.
    kinds = [kind for kind in all_errors() if kind.__base__.__dict__.get("error_type") != kind.error_type]
    names = [kind.error_type for kind in kinds if "error_type" in kind.__dict__]
    assert DefectError.error_type in names
    assert len(set(names)) == len(names)
    assert all(name.isidentifier() and name.islower() for name in names)


@pytest.mark.parametrize(("retry_after", "said"), [(0.0, 0.0), (12.34, 12.3)])
def test_when_to_try_again(retry_after: float, said: float):
    result = error_result(QuotaExceededError("Used up.", retry_after=retry_after))
    assert result.structured_content["retry_after"] == said
    assert f"retry_after: {said} s." in result.content[0].text


def test_suggestions():
    result = error_result(NotFoundError("No.", suggestions=("NPM", "Pub")))
    assert result.structured_content["suggestions"] == ["NPM", "Pub"]
    assert result.content[0].text.endswith("Did you mean: NPM, Pub?")


@pytest.mark.parametrize("number", [1, 50, 1_000])
async def test_of_many_wrong_names_the_first_few_are_told(number: int):
    wrong = {f"plattform{index}": 1 for index in range(number)}
    facts = await answer("get_package_info", {"platform": "npm", "name": "axios", **wrong})
    assert facts["message"].count("Unexpected keyword argument") == min(number, 5)
    assert "plattform0: Unexpected keyword argument" in facts["message"]
    assert "platform" in facts["suggestions"]
    assert facts["next_step"].startswith("Its arguments are: platform, name")


async def test_of_many_wrong_values_the_first_few_are_told():
    facts = await answer("audit_dependencies", {"packages": [1] * 1_000})
    assert facts["message"].count("packages.") == 5


@pytest.mark.parametrize("tool", ["get_package_info", "get_quota_status"])
async def test_names_are_told_in_part_when_they_are_long(tool: str):
    facts = await answer(tool, {HUGE: 1})
    assert f"{HUGE[:100]}...: Unexpected keyword argument" in facts["message"]


async def test_long_names_of_tools_prompts_and_resources():
    assert (await answer("get_package_info" + HUGE, {}))["message"] == "There is no such tool here."
    async with tools_on(nobody) as client:
        for asked in (client.get_prompt(HUGE), client.read_resource(f"package://{HUGE}")):
            with pytest.raises(MCPError) as raised:
                await asked
            assert len(str(raised.value.error)) < SAID_AT_MOST
            assert HUGE[:50] in str(raised.value)
