"""What the documents tell a person to type or to set exists."""

import json
import re
from pathlib import Path

import pytest
from tests.support.in_process import reply, tools_on

from libraries_io_mcp.cli import main
from libraries_io_mcp.settings import GROUPS, OPENTELEMETRY_DEFAULTS, OPENTELEMETRY_NUMBERS, variable

pytestmark = pytest.mark.anyio
ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
SETTINGS = {variable(group, field) for group in GROUPS for field in group.model_fields}
SETTINGS |= {*OPENTELEMETRY_DEFAULTS, *OPENTELEMETRY_NUMBERS}
OF_THE_SDK = re.compile(
    r"OTEL_(SERVICE_NAME|RESOURCE_ATTRIBUTES|TRACES_SAMPLER\w*|EXPORTER_OTLP_\w+|PYTHON_\w+|BSP_\w+|BLRP_\w+)"
)
VARIABLE = re.compile(r"\b(?:LIBRARIES_IO|MCP|LOG|OTEL|CACHE)_[A-Z_]*[A-Z]\b")


def make_targets() -> set[str]:
    return set(re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))


def test_the_first_commands_of_the_readme_are_demo_and_test():
    commands = re.findall(r"^    (make .*)$", README, re.MULTILINE)
    assert commands[:2] == ["make demo", "make test"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_make_targets_that_pages_name_exist(page: Path):
    text = page.read_text(encoding="utf-8")
    named = set(re.findall(r"(?:^    |`)make ([a-z][a-z0-9-]*)", text, re.MULTILINE))
    assert named <= make_targets(), page


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_settings_that_pages_name_exist(page: Path):
    named = set(VARIABLE.findall(page.read_text(encoding="utf-8")))
    known = SETTINGS | {f"{name}_FILE" for name in SETTINGS}
    unknown = {name for name in named - known if not OF_THE_SDK.fullmatch(name)}
    assert unknown == set(), page


def test_commands_of_the_readme_exist(capsys: pytest.CaptureFixture[str]):
    commands = re.findall(r"libraries-io-mcp((?: [a-z]+)?(?: --?[a-z-]+(?: [\w./:-]+)?)*)", README)
    named = {tuple(command.split()) for command in commands if command.strip()}
    assert ("serve", "--transport", "http", "--port", "8000") in named
    for command, *options in named:
        with pytest.raises(SystemExit, match=r"^0$"):
            main([command, "--help"])
        usage = capsys.readouterr().out
        assert [option for option in options if option.startswith("--") and option not in usage] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_of_pages_lead_to_files(page: Path):
    targets = re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text(encoding="utf-8"))
    assert [target for target in targets if not (page.parent / target).exists()] == []


async def test_the_tables_of_tools_are_true():
    """The README names only tools that exist, and between it and docs/tools.md none is missing."""
    named = set(re.findall(r"^\| `(\w+)` \|", README, re.MULTILINE))
    page = ROOT / "docs" / "tools.md"
    everywhere = README + (page.read_text(encoding="utf-8") if page.exists() else "")
    async with tools_on(lambda _: reply({})) as client:
        tools = {tool.name for tool in await client.list_tools()}
    assert named
    assert named <= tools
    assert {name for name in tools if f"`{name}`" not in everywhere} == set()


async def test_the_client_configuration_of_the_readme_is_json():
    (block,) = re.findall(r"```json\n(.*?)```", README, re.DOTALL)
    (server,) = json.loads(block)["mcpServers"].values()
    assert server["command"].endswith(".venv/bin/libraries-io-mcp")
    assert set(server["env"]) <= SETTINGS
