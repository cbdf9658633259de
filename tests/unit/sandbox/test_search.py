"""`GET /search`."""

import httpx
import pytest

from libraries_io_mcp.sandbox.keys import KNOWN_KEY


async def names(client: httpx.AsyncClient, **parameters: str) -> list[str]:
    reply = await client.get("/search", params={"per_page": "100", **parameters})
    return [package["name"] for package in reply.json()]


async def test_all_words_must_match(client: httpx.AsyncClient):
    found = await names(client, q="http client", platforms="Pypi")
    assert {"requests", "httpx", "aiohttp", "urllib3"} <= set(found)
    assert "numpy" not in found


async def test_the_package_of_that_name_comes_first(client: httpx.AsyncClient):
    assert (await names(client, q="requests"))[0] == "requests"


async def test_filters(client: httpx.AsyncClient):
    assert set(await names(client, platforms="HEX,nuget", keywords="json")) == {"Newtonsoft.Json", "jason"}
    assert await names(client, languages="golang") == await names(client, languages="Go")
    assert "left-pad" in await names(client, licenses="wtfpl")
    assert await names(client, keywords="JSON") == []


async def test_unknown_values_of_filters(client: httpx.AsyncClient):
    everything = await names(client)
    assert await names(client, platforms="nowhere") == []
    assert await names(client, languages="klingon") == []
    assert await names(client, licenses="no-such-licence") == everything
    assert await names(client, language="Python", sort="beauty") == everything


async def test_removed_packages_are_left_out(client: httpx.AsyncClient):
    assert await names(client, q="sandbox-bare") == []


async def test_order(client: httpx.AsyncClient):
    down = await names(client, sort="stars", platforms="cargo")
    assert await names(client, sort="stars", order="asc", platforms="cargo") != down
    assert down[0] == "serde"


async def test_versions_only_on_request(client: httpx.AsyncClient):
    assert "versions" in (await client.get("/search", params={"q": "axios"})).json()[0]
    assert "versions" not in (await client.get("/search", params={"q": "axios", "include_versions": "1"})).json()[0]


async def test_pages(client: httpx.AsyncClient):
    reply = await client.get("/search", params={"per_page": "2", "page": "2", "q": "http client"})
    assert reply.headers["per-page"] == "2"
    relations = [part.split("rel=")[1] for part in reply.headers["link"].split(", ")]
    assert relations == ['"first"', '"prev"', '"last"', '"next"']
    assert f"api_key={KNOWN_KEY}&page=1&per_page=2&q=http+client" in reply.headers["link"]
    assert len(reply.json()) == 2


async def test_no_link_when_all_is_on_one_page(client: httpx.AsyncClient):
    reply = await client.get("/search", params={"q": "axios"})
    assert "link" not in reply.headers
    assert reply.headers["total"] == "1"


@pytest.mark.parametrize(
    ("page", "per_page", "status"),
    [("1", "101", 404), ("301", "1", 404), ("101", "100", 500), ("100", "100", 200), ("0", "-3", 200), ("x", "y", 200)],
)
async def test_limits(client: httpx.AsyncClient, page: str, per_page: str, status: int):
    reply = await client.get("/search", params={"page": page, "per_page": per_page})
    assert reply.status_code == status
    if status == 500:
        assert reply.json() == {"error": "internal server error"}
        assert "x-ratelimit-limit" not in reply.headers


async def test_a_key_is_needed(anonymous: httpx.AsyncClient):
    reply = await anonymous.get("/search", params={"q": "axios"})
    assert reply.status_code == 403
    assert reply.json() == {"error": "Error 403, you don't have permissions for this operation."}
    assert reply.headers["x-ratelimit-limit"] == "10"
