"""Every prompt through a real client over stdio: its text, what it names, and what it says to missing arguments."""

import re
from collections.abc import AsyncIterator
from typing import get_args

import pytest
from mcp import MCPError
from mcp_types import PromptReference
from tests.support.mcp_session import Session, session

from libraries_io_mcp.prompts.plans import PLANS
from libraries_io_mcp.settings import Toolset

pytestmark = pytest.mark.anyio
NOWHERE = "http://127.0.0.1:9/api"
INVALID_PARAMS = -32602
NAMES = [plan.name for plan in PLANS]
NEEDY = [plan.name for plan in PLANS if any(argument.otherwise is None for argument in plan.arguments)]


@pytest.fixture(scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Session]:
    """A prompt asks Libraries.io nothing, so there is none."""
    async with session(tmp_path_factory.mktemp("server"), NOWHERE, TOOLSETS=",".join(get_args(Toolset))) as opened:
        yield opened


async def test_the_prompts_are_those_of_the_table(server: Session):
    assert [prompt.name for prompt in await server.client.list_prompts()] == NAMES


@pytest.mark.parametrize("name", NAMES)
async def test_a_prompt_is_a_numbered_plan_with_its_arguments_and_tools_that_are_there(server: Session, name: str):
    plan = next(plan for plan in PLANS if plan.name == name)
    given = {argument.name: f"some {argument.name}" for argument in plan.arguments}
    answer = await server.client.get_prompt(name, given)
    (message,) = answer.messages
    assert message.role == "user"
    parts = re.fullmatch(r"(.+)\n\nSteps:\n(.+)\n\nReport: (.+)\n\nRules:\n(.+)", message.content.text, re.DOTALL)
    assert parts is not None
    steps = parts[2].splitlines()
    assert [step.partition(".")[0] for step in steps] == [str(number) for number in range(1, len(plan.steps) + 1)]
    known = {tool.name for tool in await server.client.list_tools()}
    known |= {f"the resource {resource.uri}" for resource in await server.client.list_resources()}
    assert {re.match(r"\d+\. (.+?): ", step)[1] for step in steps} <= known
    for value in given.values():
        assert f'"{value}"' in message.content.text


@pytest.mark.parametrize("name", [name for name in NAMES if name not in NEEDY])
async def test_a_prompt_without_needed_arguments_takes_none(server: Session, name: str):
    text = (await server.client.get_prompt(name)).messages[0].content.text
    assert "Steps:\n1. " in text
    assert not re.search(r"\{\w+\}|None", text)


@pytest.mark.parametrize("name", NEEDY)
async def test_a_missing_argument_is_named(server: Session, name: str):
    needed = [
        argument.name
        for plan in PLANS
        if plan.name == name
        for argument in plan.arguments
        if argument.otherwise is None
    ]
    with pytest.raises(MCPError) as caught:
        await server.client.get_prompt(name, {})
    assert caught.value.error.code == INVALID_PARAMS
    assert f"needs {', '.join(needed)}" in caught.value.error.message


async def test_a_prompt_nobody_has(server: Session):
    with pytest.raises(MCPError, match="nobody"):
        await server.client.get_prompt("nobody")


@pytest.mark.parametrize("name", NAMES)
async def test_the_arguments_of_a_prompt_are_completed(server: Session, name: str):
    plan = next(plan for plan in PLANS if plan.name == name)
    reference = PromptReference(type="ref/prompt", name=name)
    for argument in plan.arguments:
        completion = await server.client.complete(reference, {"name": argument.name, "value": ""})
        known = "platform" in argument.name or "license" in argument.name
        assert bool(completion.values) == known, argument.name
