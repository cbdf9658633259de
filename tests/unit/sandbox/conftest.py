"""A sandbox with a clock of its own, reached without a socket."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from libraries_io_mcp.sandbox.app import create_app
from libraries_io_mcp.sandbox.keys import KNOWN_KEY

NOON = 1_750_000_800.0  # a full minute, and 40 minutes before a full hour


@dataclass
class FakeClock:
    """Time that only moves when it is told to."""

    seconds: float = NOON

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def app(clock: FakeClock) -> Any:
    return create_app(keys={KNOWN_KEY: 1000, "few": 2}, now=clock)


@pytest.fixture
async def anonymous(app: Any) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://sandbox.test/api") as client:
        yield client


@pytest.fixture
async def client(app: Any) -> AsyncIterator[httpx.AsyncClient]:
    """A client with the known key."""
    transport = httpx.ASGITransport(app=app)
    parameters = {"api_key": KNOWN_KEY}
    async with httpx.AsyncClient(transport=transport, base_url="http://sandbox.test/api", params=parameters) as client:
        yield client
