"""Servers that share a real Valkey, as the doctor sees them there."""

import asyncio
import time
from collections.abc import Iterator

import pytest
from tests.support.collectors import unused_port
from tests.support.polling import HANG_SECONDS
from tests.support.valkey import running_valkey

from libraries_io_mcp.alerting.leader_election import LEADER
from libraries_io_mcp.doctor.finding import Finding
from libraries_io_mcp.doctor.replicas import examine_replicas
from libraries_io_mcp.librariesio.replicas import Replicas
from libraries_io_mcp.redis_gateway import RedisGateway
from libraries_io_mcp.settings import Settings, load_settings


class NoBreakers:
    """A process that has opened none."""

    def opened(self) -> dict[str, float]:
        return {}

    def advise(self, opened: object) -> None:
        """Nothing to do."""


@pytest.fixture
def url() -> Iterator[str]:
    """An empty Valkey."""
    with running_valkey() as server:
        yield f"redis://127.0.0.1:{server.port}/0"


def settings(monkeypatch: pytest.MonkeyPatch, url: str) -> Settings:
    monkeypatch.setenv("REDIS_URL", url)
    return load_settings()


async def seen(given: Settings, url: str, *budgets: str, words: str) -> Finding:
    """What is found when a server of each of these budgets has just said that it is there.

    Whoever has said nothing for ten seconds is gone, so on a machine that stood still for so long they say it again.
    """

    async def nothing() -> None:
        """Done at each beat."""

    for _ in range(5):
        for budget in budgets:
            gateway = RedisGateway(url, purpose="quota is", monotonic=time.monotonic, seconds=HANG_SECONDS)
            server = Replicas(gateway, sleep=asyncio.sleep)
            server.join(budget, breakers=NoBreakers(), also=nothing)
            await server.beat()
            await gateway.aclose()
        (finding,) = await examine_replicas(given)
        if words in finding.found:
            break
    return finding


async def test_nobody_is_there(url: str, monkeypatch: pytest.MonkeyPatch):
    finding = await seen(settings(monkeypatch, url), url, words="no server")
    assert (finding.state, finding.found) == ("ok", "no server")


async def test_those_who_share_a_quota(url: str, monkeypatch: pytest.MonkeyPatch):
    finding = await seen(settings(monkeypatch, url), url, "one", "one", words="2 servers")
    assert (finding.state, finding.found) == ("ok", "2 servers, none of them leads in telling of alerts")


async def test_one_of_them_leads(url: str, monkeypatch: pytest.MonkeyPatch):
    gateway = RedisGateway(url, purpose="alerts are", monotonic=time.monotonic, seconds=HANG_SECONDS)
    assert await gateway.acquire(gateway.lock(LEADER, 60))
    finding = await seen(settings(monkeypatch, url), url, "one", words="1 server,")
    assert (finding.state, finding.found) == ("ok", "1 server, one of them leads in telling of alerts")
    await gateway.aclose()


async def test_those_who_do_not_share_a_quota_are_told_apart(url: str, monkeypatch: pytest.MonkeyPatch):
    finding = await seen(settings(monkeypatch, url), url, "one", "other", "one", words="3 servers")
    assert finding.state == "warning"
    assert "(2 and 1 with the same), so they share no quota" in finding.found
    assert "LIBRARIES_IO_API_KEY" in finding.what_to_do


async def test_without_redis_or_with_one_that_is_gone_there_is_nothing_to_try(
    unused_url: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv("REDIS_URL", raising=False)
    (finding,) = await examine_replicas(load_settings())
    assert (finding.state, finding.tried) == ("skipped", "REDIS_URL")
    (finding,) = await examine_replicas(settings(monkeypatch, unused_url))
    assert (finding.state, finding.found) == ("skipped", "it can't be read: see cache store")


@pytest.fixture
def unused_url() -> Iterator[str]:
    """Where nobody listens."""
    with unused_port() as port:
        yield f"redis://127.0.0.1:{port}/0"
