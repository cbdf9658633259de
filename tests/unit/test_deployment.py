"""The configurations of docs/deployment.md can be loaded, and what it says about limits is so."""

import re
from pathlib import Path
from typing import Final, get_args

import pytest

from libraries_io_mcp.settings import GROUPS, OPENTELEMETRY_DEFAULTS, LimitSettings, load_settings, variable
from libraries_io_mcp.telemetry.semconv import Refusal

PAGE: Final = (Path(__file__).parents[2] / "docs" / "deployment.md").read_text(encoding="utf-8")
BLOCKS: Final = re.findall(r"```env\n(.*?)```", PAGE, re.DOTALL)
TOKENS: Final = "\n".join(re.findall(r"^    (\w+:\w+=\S+)$", PAGE, re.MULTILINE))


@pytest.fixture(autouse=True)
def own_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder without `.env` and an environment without settings; put back afterwards."""
    monkeypatch.chdir(tmp_path)
    names = {variable(group, field) for group in GROUPS for field in group.model_fields} | set(OPENTELEMETRY_DEFAULTS)
    for name in names:
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    return tmp_path


def test_there_are_configurations_for_every_step():
    assert len(BLOCKS) == len(re.findall(r"^## (?!Limits)", PAGE, re.MULTILINE))


@pytest.mark.parametrize("block", BLOCKS, ids=range(len(BLOCKS)))
def test_each_configuration_can_be_loaded(own_place: Path, block: str):
    for name, content in (("libraries-io-key", "0123456789abcdef0123456789abcdef"), ("tokens", TOKENS)):
        (own_place / name).write_text(content)
    (own_place / ".env").write_text(block.replace("/run/secrets", str(own_place)))
    settings = load_settings()
    assert settings.remarks == ()
    assert settings.server.transport == "http"
    if settings.server.token_file is not None:
        assert {token.name for token in settings.server.tokens} == {"agents", "prometheus"}


def test_every_refusal_and_every_limit_is_in_the_table():
    rows = re.findall(r"^\| `(\w+)` \|(.*)$", PAGE, re.MULTILINE)
    assert {reason for reason, _ in rows} == set(get_args(Refusal))
    named = set(re.findall(r"MCP_[A-Z_]+", PAGE))
    assert {variable(LimitSettings, field) for field in LimitSettings.model_fields} <= named
