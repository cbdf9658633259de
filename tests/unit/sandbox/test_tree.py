"""Dependency trees."""

from typing import Any

import httpx
import pytest


def depth(node: dict[str, Any]) -> int:
    return 1 + max((depth(child) for child in node["dependencies"]), default=0)


async def test_the_newest_stable_version_by_default(client: httpx.AsyncClient):
    root = (await client.get("/npm/express/tree")).json()
    assert root["version"] == {"number": "5.1.0"}
    assert (root["requirements"], root["dependency"]["kind"]) == (None, None)
    accepts = next(child for child in root["dependencies"] if child["dependency"]["project_name"] == "accepts")
    assert (accepts["version"]["number"], accepts["requirements"]) == ("2.0.0", "^2.0.0")
    assert depth(root) >= 4


async def test_of_one_version(client: httpx.AsyncClient):
    root = (await client.get("/npm/form-data/2.3.3/tree")).json()
    versions = {child["dependency"]["project_name"]: child["version"]["number"] for child in root["dependencies"]}
    assert versions == {"mime-types": "2.1.35"}


async def test_a_package_already_seen_has_no_children_again(client: httpx.AsyncClient):
    root = (await client.get("/pypi/Flask/tree")).json()
    by_name = {child["dependency"]["project_name"]: child for child in root["dependencies"]}
    assert set(by_name) == {"blinker", "click", "itsdangerous", "Jinja2", "MarkupSafe", "Werkzeug"}


async def test_a_date_in_the_past(client: httpx.AsyncClient):
    root = (await client.get("/npm/axios/tree", params={"date": "2025-01-01"})).json()
    assert root["version"]["number"] == "1.7.9"


async def test_other_kinds_on_the_first_level(client: httpx.AsyncClient):
    root = (await client.get("/cargo/hyper/tree", params={"kind": "normal"})).json()
    assert {child["dependency"]["project_name"] for child in root["dependencies"]} == {"bytes", "http", "tokio"}


@pytest.mark.parametrize(
    "path", ["/npm/axios/latest/tree", "/pypi/opentelemetry-semantic-conventions/tree", "/bower/jquery/tree"]
)
async def test_no_tree(client: httpx.AsyncClient, path: str):
    assert (await client.get(path)).status_code == 404


async def test_a_key_is_needed_and_spelling_is_redirected(client: httpx.AsyncClient, anonymous: httpx.AsyncClient):
    assert (await anonymous.get("/npm/express/tree")).status_code == 403
    reply = await client.get("/npm/EXPRESS/5.1.0/tree", params={"kind": "runtime"})
    assert reply.headers["location"].endswith("&kind=runtime")
    assert "/api/npm/express/5.1.0/tree?" in reply.headers["location"]
