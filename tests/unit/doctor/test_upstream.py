"""The clock and the key, against the sandbox, with this machine's clock handed in."""

import time

import pytest
from pydantic import SecretStr
from tests.support.stand_in import CANARY, REFUSED_CANARY

from libraries_io_mcp.doctor.upstream import examine_upstream
from libraries_io_mcp.settings import LibrariesIOSettings

pytestmark = pytest.mark.anyio


def settings(url: str, key: str | None = CANARY) -> LibrariesIOSettings:
    return LibrariesIOSettings(api_key=SecretStr(key) if key else None, base_url=url)


@pytest.mark.parametrize(
    ("seconds", "state", "found"),
    [
        (0, "ok", "within 5 s"),
        (3600, "warning", "3600 s ahead"),
        (-3600, "warning", "3600 s behind"),
    ],
)
async def test_the_clock(sandbox_url: str, seconds: float, state: str, found: str):
    _, _, clock = await examine_upstream(settings(sandbox_url), lambda: time.time() + seconds)
    assert clock.state == state
    # A busy machine may take a second for the request.
    assert found in clock.found or (abs(seconds) and clock.found.endswith(found.rsplit(maxsplit=1)[-1]))


@pytest.mark.parametrize(
    ("key", "state"), [(CANARY, "ok"), (REFUSED_CANARY, "broken"), (None, "warning")], ids=["known", "unknown", "none"]
)
async def test_the_key(sandbox_url: str, key: str | None, state: str):
    upstream, said, _ = await examine_upstream(settings(sandbox_url, key), time.time)
    assert (upstream.state, said.state) == ("ok", state)
    assert not key or key not in repr((upstream, said))
