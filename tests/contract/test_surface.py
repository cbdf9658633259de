"""What a client sees of the server is what surface.json says, costs what it may, and is what docs/tools.md describes.

`make docs` renews both files; the difference belongs into the same commit as its reason.
"""

import importlib.util
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, get_args

import jsonschema
import pytest
from tests.support.command import Running, run_command
from tests.support.mcp_session import session

from libraries_io_mcp.answer.schema import WRITTEN, all_written
from libraries_io_mcp.settings import Toolset, ToolSettings
from libraries_io_mcp.tools import TOOLSETS, guide

pytestmark = pytest.mark.anyio
ROOT = Path(__file__).parents[2]
SNAPSHOT: dict[str, Any] = json.loads(Path(__file__).with_name("surface.json").read_text(encoding="utf-8"))
NOWHERE = "http://127.0.0.1:9/api"
PAGE = 3
SHORT_LISTS = f"""
from libraries_io_mcp.app import build_app
from libraries_io_mcp.settings import load_settings
build_app(load_settings(), list_page={PAGE}).server.run(transport="stdio", show_banner=False)
"""
TOOL_NAME = re.compile(r"\b(?:get|list|find|search|track|compare|check|audit|generate)_\w+")


class FewAtOnce(Running):
    """The server, with lists of `PAGE` at once."""

    program = (sys.executable, "-c", SHORT_LISTS)


@pytest.fixture(scope="module")
def few_at_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FewAtOnce]:
    variables = {"TOOLSETS": ",".join(get_args(Toolset)), "OTEL_SDK_DISABLED": "true", "LOG_LEVEL": "ERROR"}
    with FewAtOnce(folder=tmp_path_factory.mktemp("few"), **variables) as server:
        server.initialize()
        yield server


@pytest.fixture(scope="module")
def surface() -> ModuleType:
    spec = importlib.util.spec_from_file_location("surface", ROOT / "scripts" / "surface.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def default_toolsets() -> str:
    return ",".join(ToolSettings.model_fields["toolsets"].default)


def test_what_clients_see_is_what_the_snapshot_says(surface: ModuleType):
    assert json.loads(surface.snapshot()) == SNAPSHOT


def test_the_snapshot_holds_all_that_a_client_is_told(surface: ModuleType):
    everything = SNAPSHOT["of_all_toolsets"]
    assert everything["instructions"] == guide(get_args(Toolset))
    assert SNAPSHOT["instructions"] == guide(ToolSettings.model_fields["toolsets"].default)
    told = [*everything["tools"], *everything["resources"], *everything["templates"], *everything["prompts"]]
    assert all(each["title"] and each["description"] for each in told)
    assert all(argument["description"] for prompt in everything["prompts"] for argument in prompt["arguments"])


def test_the_written_schemas_of_answers_are_those_of_their_models(surface: ModuleType):
    assert WRITTEN.read_text(encoding="utf-8") == all_written(surface.answers())


def test_the_default_costs_an_agent_no_more_than_it_may(surface: ModuleType):
    assert SNAPSHOT["tokens"] <= surface.TOKEN_LIMIT == 8_000


async def test_what_an_agent_is_told_at_the_start(tmp_path: Path):
    async with session(tmp_path, NOWHERE, TOOLSETS="package,server") as server:
        assert server.client.instructions == guide(("package", "server"))


def test_the_page_about_the_tools_is_true(surface: ModuleType):
    assert (ROOT / "docs" / "tools.md").read_text(encoding="utf-8") == surface.page()


def test_the_toolsets_of_the_setting_are_those_there_are():
    assert set(get_args(Toolset)) == set(TOOLSETS)
    assert "subscriptions" not in default_toolsets()


def test_every_schema_is_a_schema():
    for tool in SNAPSHOT["of_all_toolsets"]["tools"]:
        jsonschema.Draft202012Validator.check_schema(tool["inputSchema"])
        jsonschema.Draft202012Validator.check_schema(tool["outputSchema"])


def test_what_a_schema_has_to_teach():
    tools = {tool["name"]: tool["inputSchema"]["properties"] for tool in SNAPSHOT["of_all_toolsets"]["tools"]}
    assert tools["get_package_versions"]["since"]["format"] == "date"
    assert tools["get_dependency_tree"]["date"]["format"] == "date"
    of_lists = [
        tools[tool]["packages"]["items"]["properties"]
        for tool in ("compare_packages", "audit_dependencies", "generate_dependency_report")
    ]
    for named in (*of_lists, tools["get_package_info"]):
        for word in ("platform", "name"):
            assert {"description", "minLength", "maxLength"} <= set(named[word])
    filters = [tools["search_packages"][name] for name in ("platforms", "languages", "licenses", "keywords")]
    assert all(each["maxItems"] and each["items"]["maxLength"] for each in filters)
    assert all(parameter.get("description") for tool in tools.values() for parameter in tool.values())


def test_only_the_tool_that_writes_is_not_read_only():
    writes = [
        tool["name"]
        for tool in SNAPSHOT["of_all_toolsets"]["tools"]
        if not tool["annotations"]["readOnlyHint"] or tool["annotations"].get("destructiveHint")
    ]
    assert writes == ["track_package_updates"]


@pytest.mark.parametrize("toolset", TOOLSETS)
def test_instructions_name_the_tools_that_are_there_and_no_other(surface: ModuleType, toolset: str):
    assert set(TOOL_NAME.findall(guide([toolset]))) == set(surface.names_of(toolset))


def test_a_toolset_nobody_has(tmp_path: Path):
    ended = run_command(folder=tmp_path, TOOLSETS="package,everything")
    assert ended.returncode == 2
    assert ended.stderr.startswith("libraries-io-mcp: TOOLSETS=")
    assert "discover, package," in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    ("method", "listed"),
    [
        ("tools/list", "tools"),
        ("resources/list", "resources"),
        ("resources/templates/list", "resourceTemplates"),
        ("prompts/list", "prompts"),
    ],
)
def test_a_list_goes_on_with_its_cursor_to_its_end(
    few_at_once: FewAtOnce, surface: ModuleType, method: str, listed: str
):
    pages = []
    cursor = {}
    while True:
        result = few_at_once.answer(few_at_once.request(method, **cursor))["result"]
        pages.append([each["name"] for each in result[listed]])
        if "nextCursor" not in result:
            break
        cursor = {"cursor": result["nextCursor"]}
    assert len(pages) > 1
    assert {len(page) for page in pages[:-1]} == {PAGE}
    seen = {"resourceTemplates": "templates"}.get(listed, listed)
    names = [name for page in pages for name in page]
    assert sorted(names) == sorted(each["name"] for each in SNAPSHOT["of_all_toolsets"][seen])


async def test_a_cursor_of_a_list_that_nobody_gave(tmp_path: Path):
    async with session(tmp_path, NOWHERE) as server:
        first = await server.client.list_tools_mcp()
        assert first.next_cursor is None
        with pytest.raises(Exception, match=r"(?i)cursor"):
            await server.client.list_tools_mcp(cursor="nobody")
