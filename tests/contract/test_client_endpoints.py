"""The client against the sandbox, over a real socket: each endpoint, with and without a key."""

import pytest
from tests.unit.librariesio.calls import READS, WRITES, asking, sandbox

from libraries_io_mcp import errors
from libraries_io_mcp.librariesio import endpoints
from libraries_io_mcp.librariesio.endpoints import Endpoint


def test_every_endpoint_is_in_the_table():
    known = {value.template for value in vars(endpoints).values() if isinstance(value, Endpoint)}
    assert known == set(READS)


@pytest.mark.parametrize("endpoint", list(READS))
async def test_each_question_is_answered(endpoint):
    async with sandbox() as base_url, asking(base_url) as api:
        reply = await READS[endpoint](api)
        assert reply.endpoint == endpoint
        assert reply.source == "network"
        again = await READS[endpoint](api)
        assert again.data == reply.data
        assert again.source == ("network" if endpoint.startswith("/subscriptions") else "cache")


async def test_a_shadowed_repository_is_asked_by_query():
    async with sandbox() as base_url, asking(base_url) as api:
        assert (await READS["/{host}/repository"](api)).data.full_name == "sandbox-not-fetched/projects"
        assert (await api.repository("GitHub", "facebook", "react")).data.full_name == "facebook/react"


async def test_a_subscription_lives_and_ends():
    async with sandbox() as base_url, asking(base_url) as api:
        assert (await api.subscription("npm", "react")).data is None
        assert (await WRITES["POST"](api)).data.created_at is not None
        assert (await api.subscription("npm", "react")).data is not None
        assert [entry.project.name for entry in (await api.subscriptions()).data] == ["react"]
        await WRITES["PUT"](api)
        assert (await WRITES["DELETE"](api)).data is None
        with pytest.raises(errors.UpstreamFaultError):
            await WRITES["DELETE"](api)


async def test_a_package_with_a_dot_can_be_subscribed_to():
    async with sandbox() as base_url, asking(base_url) as api:
        assert (await api.subscribe("npm", "socket.io")).data.project.name == "socket.io"


@pytest.mark.parametrize(
    "endpoint", ["/search", "/check", "/{platform}/{name}/tree", "/subscriptions", "/{platform}/{name}"]
)
async def test_without_a_key_only_some_are_answered(endpoint):
    async with sandbox() as base_url, asking(base_url, key=None) as api:
        if endpoint == "/{platform}/{name}":
            assert (await READS[endpoint](api)).data.name == "react"
        else:
            with pytest.raises(errors.KeyMissingError):
                await READS[endpoint](api)


async def test_a_wrong_key_is_told_apart():
    async with sandbox() as base_url, asking(base_url, key="f" * 32) as api:
        for call in READS.values():
            with pytest.raises(errors.KeyRejectedError):
                await call(api)


async def test_another_spelling_is_followed():
    async with sandbox() as base_url, asking(base_url) as api:
        reply = await api.project("NPM", "React")
        assert (reply.canonical_platform, reply.canonical_name) == (None, "react")
        assert (await api.sourcerank("npm", "React")).canonical_name == "react"


@pytest.mark.parametrize("name", ["no-such-package", "../platforms", "a/b/c", "%2e%2e", "react?x=1", "é"])
async def test_strange_names_are_not_found(name):
    async with sandbox() as base_url, asking(base_url) as api:
        with pytest.raises(errors.NotFoundError):
            await api.project("npm", name)


@pytest.mark.parametrize("platform", ["github", "Search", "no.dots", "a/b", "no-such-platform"])
async def test_what_is_no_platform_is_not_found(platform):
    async with sandbox() as base_url, asking(base_url) as api:
        with pytest.raises(errors.NotFoundError):
            await api.project(platform, "react")
