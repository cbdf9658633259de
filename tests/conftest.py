"""Fixtures that any test may ask for: services around the product, each started once."""

from collections.abc import Iterator
from typing import Final

import pytest
from hypothesis import HealthCheck, settings

# ruff: noqa: E402 - before they are imported, so that an assertion that fails in there says the values too
pytest.register_assert_rewrite("tests.support", "tests.servers", "tests.e2e")

from tests.support.collectors import unused_port as bound_port
from tests.support.stand_in import sandbox
from tests.support.upstream import Upstream

from libraries_io_mcp.demo.otlp_receiver import OtlpReceiver

# A busy machine is no reason to fail: only what comes out counts, not how long one example took.
# And the same examples each time, so that a failure is somebody's change.
# `--hypothesis-profile exploring` tries others.
UNHURRIED: Final = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
settings.register_profile("unhurried", derandomize=True, database=None, **UNHURRIED)
settings.register_profile("exploring", **UNHURRIED)
settings.load_profile("unhurried")


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """One event loop for all tests, so that fixtures of a module can be shared."""
    return "asyncio"


@pytest.fixture(scope="session")
def sandbox_url() -> Iterator[str]:
    """The address of a sandbox with plenty of quota."""
    with sandbox() as url:
        yield url


@pytest.fixture(scope="module")
def receiver() -> Iterator[OtlpReceiver]:
    """An OTLP receiver for the module."""
    with OtlpReceiver() as receiver:
        yield receiver


@pytest.fixture(scope="module")
def upstream() -> Iterator[Upstream]:
    """A Libraries.io with bad days, for the module."""
    with Upstream() as upstream:
        yield upstream


@pytest.fixture
def unused_port() -> Iterator[int]:
    """A loopback port where nobody listens."""
    with bound_port() as port:
        yield port
