"""The quota's answer, and what all tools have in common."""

import httpx
import jsonschema
import pytest
from fastmcp import Client
from tests.support.in_process import reply, tools_on

from libraries_io_mcp.tools import TOOLSETS
from libraries_io_mcp.tools.server import HealthAnswer

pytestmark = pytest.mark.anyio
PROJECT = {"name": "left-pad", "platform": "NPM"}


async def quota(client: Client) -> tuple[dict, str]:
    answer = await client.call_tool("get_quota_status", {})
    (tool,) = [tool for tool in await client.list_tools() if tool.name == "get_quota_status"]
    jsonschema.validate(answer.structured_content, tool.output_schema)
    return answer.structured_content, answer.content[0].text


async def test_the_quota_costs_no_request_and_learns_from_replies():
    asked: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return reply(PROJECT, **{"x-ratelimit-limit": "40", "x-ratelimit-remaining": "7"})

    async with tools_on(handler) as client:
        facts, text = await quota(client)
        assert (facts["limit"], facts["remaining"], facts["known_from"]) == (60, 60, "configuration")
        assert "configured, not yet confirmed" in text
        assert asked == []
        await client.call_tool("get_package_info", {"platform": "npm", "name": "left-pad"})
        facts, text = await quota(client)
    assert (facts["limit"], facts["remaining"], facts["known_from"]) == (40, 7, "service")
    assert 0 < facts["resets_in_seconds"] <= 61
    assert text.startswith("7 of 40 requests left (confirmed by Libraries.io)")
    assert len(asked) == 1


async def test_without_a_key():
    async with tools_on(lambda _: reply(PROJECT), key=None) as client:
        facts, text = await quota(client)
    assert (facts["key_present"], facts["limit"], facts["window_seconds"]) == (False, 10, 3600)
    assert "No API key is set" in text


async def test_every_tool_is_described_for_a_model():
    async with tools_on(lambda _: reply(PROJECT)) as client:
        tools = await client.list_tools()
    assert len(tools) >= len(TOOLSETS)
    for tool in tools:
        assert tool.title, tool.name
        assert len(tool.description) > 60, tool.name
        assert tool.annotations.read_only_hint is (tool.name != "track_package_updates")
        assert tool.output_schema["type"] == "object"
        for name, schema in tool.input_schema.get("properties", {}).items():
            assert schema.get("description"), f"{tool.name}.{name}"
        assert tool.input_schema.get("additionalProperties") in (False, None)


def test_a_score_says_what_is_left_out_of_it_and_how_old_each_look_is():
    asked = {
        "status": "unknown",
        "error": "Libraries.io was not asked lately.",
        "what_to_do": None,
        "age_seconds": 29.7,
    }
    never = {"status": "unknown", "error": "Not looked at yet.", "what_to_do": None, "age_seconds": None}
    healthy = {"status": "healthy", "age_seconds": 4.2, "details": {}}
    checks = {"api_connectivity": asked, "telemetry_export": never, "alerting": healthy}
    answer = HealthAnswer.of({"status": "unknown", "score": 100.0, "checks": checks})
    assert answer.text().splitlines() == [
        "This server's status is unknown, score 100 of 100 without what is unknown (api_connectivity, "
        "telemetry_export).",
        "- api_connectivity is unknown (looked at 30 s ago): Libraries.io was not asked lately.",
        "- telemetry_export is unknown: Not looked at yet.",
        "Healthy: alerting (looked at 4 s ago).",
    ]
    assert answer.checks["alerting"] == {"status": "healthy", "age_seconds": 4.2}
