"""A greedy caller and nine modest ones, over three processes with a real Valkey, however they are spread over them."""

from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import SecretStr
from tests.support.greedy import BOUND_SECONDS, ROUTES, SEEN_SECONDS, WINDOW, WINDOWS, Route, Run
from tests.support.polling import HANG_SECONDS
from tests.support.valkey import running_valkey


@pytest.fixture
def valkey() -> Iterator[Any]:
    with running_valkey() as server:
        yield server


@pytest.mark.parametrize("route", ROUTES.values(), ids=ROUTES)
async def test_nor_do_they_when_several_processes_share_the_key(valkey: Any, route: Route):
    url = SecretStr(f"redis://127.0.0.1:{valkey.port}/0")
    run = Run(ahead=17.0, processes=3, route=route, redis_url=url, redis_seconds=HANG_SECONDS)
    late = await run.to_the_end()
    assert late[-1] <= BOUND_SECONDS + SEEN_SECONDS
    # In the first window nobody is known yet, and the greedy one may have all of it; from the second one on none fails.
    second = run.end - (WINDOWS - 1) * WINDOW
    assert {who for who, begun in run.last_failure.items() if begun >= second} == {"greedy"}
