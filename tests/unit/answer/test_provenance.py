"""Where facts are from, in one line; of several replies the oldest counts."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import httpx
import pytest
from tests.support.in_process import reply, tools_on

from libraries_io_mcp.answer.provenance import Provenance
from libraries_io_mcp.librariesio.reply import Reply

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("source", "age", "line"),
    [
        ("network", 0.0, "[fresh; 1 spent, 7 requests left]"),
        ("network", 600.0, "[fresh, in part cached 10 minutes ago; 1 spent, 7 requests left]"),
        ("cache", 61.2, "[cached 61 s ago; 1 spent, 7 requests left]"),
        ("cache", 600.0, "[cached 10 minutes ago; 1 spent, 7 requests left]"),
        (
            "stale",
            7200.0,
            "[STALE: Libraries.io can't be asked now; these facts are 2 hours old; 1 spent, 7 requests left]",
        ),
        (
            "stale",
            864_000.0,
            "[STALE: Libraries.io can't be asked now; these facts are 10 days old; 1 spent, 7 requests left]",
        ),
    ],
)
def test_in_one_line(source: str, age: float, line: str):
    provenance = Provenance(
        endpoint="/search", fetched_at=NOW, source=source, age_seconds=age, requests_spent=1, quota_remaining=7
    )
    assert provenance.text() == line


def _client(requests=0, endpoints=()):
    expenses = SimpleNamespace(requests=requests, endpoints=endpoints)
    return SimpleNamespace(quota=lambda: SimpleNamespace(remaining=3), expenses=expenses)


def test_of_several_replies_all_are_told_and_the_oldest_says_the_age():
    client = _client(2, ("/a", "/d"))
    fresh = Reply(data=1, endpoint="/a", fetched_at=NOW)
    stale = Reply(data=2, endpoint="/b", fetched_at=NOW - timedelta(hours=1), source="stale", age_seconds=3600.0)
    kept = Reply(data=2, endpoint="/c", fetched_at=NOW - timedelta(minutes=1), source="cache", age_seconds=60.0)
    provenance = Provenance.of(client, fresh, kept, stale)
    assert (provenance.endpoint, provenance.also_asked) == ("/a", ("/c", "/b", "/d"))
    assert (provenance.source, provenance.age_seconds) == ("stale", 3600.0)
    assert (provenance.fetched_at, provenance.requests_spent) == (stale.fetched_at, 2)
    mixed = Provenance.of(client, fresh, kept)
    assert (mixed.source, mixed.age_seconds) == ("network", 60.0)
    assert Provenance.of(client, kept).source == "cache"
    assert Provenance.of(client, fresh).source == "network"


def test_the_stored_name_is_told_when_another_spelling_was_asked():
    fresh = Reply(data=1, endpoint="/a", fetched_at=NOW)
    spelled = Reply(data=1, endpoint="/b", fetched_at=NOW, canonical_name="requests")
    assert Provenance.of(_client(), fresh).canonical_name is None
    assert Provenance.of(_client(), fresh, spelled).canonical_name == "requests"


async def test_what_took_part_and_what_it_cost_is_told_to_the_caller():
    """The package is kept by then, in another spelling than the stored one; its dependencies are asked for anew."""
    package = {"name": "requests", "platform": "Pypi", "latest_stable_release_number": "2.0"}
    needs = {"name": "requests", "platform": "Pypi", "dependencies_for_version": "2.0", "dependencies": []}

    def service(request):
        if "Requests" in request.url.path:
            return httpx.Response(302, headers={"location": "/api/Pypi/requests"})
        return reply(needs if request.url.path.endswith("dependencies") else package)

    async with tools_on(service) as client:
        asked = {"platform": "pypi", "name": "Requests"}
        info = (await client.call_tool("get_package_info", asked)).structured_content["provenance"]
        answer = await client.call_tool("get_package_dependencies", asked)
    assert (info["endpoint"], info["also_asked"]) == ("/{platform}/{name}", [])
    assert (info["source"], info["requests_spent"], info["canonical_name"]) == ("network", 2, "requests")
    needed = answer.structured_content["provenance"]
    assert (needed["endpoint"], needed["also_asked"]) == (
        "/{platform}/{name}/{version}/dependencies",
        ["/{platform}/{name}"],
    )
    assert (needed["source"], needed["requests_spent"], needed["canonical_name"]) == ("network", 1, "requests")
    assert "1 spent" in answer.content[0].text
