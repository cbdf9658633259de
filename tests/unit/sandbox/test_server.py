"""The sandbox on a real socket."""

import httpx
import pytest
from tests.support.polling import HANG_SECONDS

from libraries_io_mcp.sandbox.app import create_app
from libraries_io_mcp.sandbox.connections import Connections
from libraries_io_mcp.sandbox.server import base_url, bind, serving


async def test_a_slash_stays_encoded_on_the_wire():
    async with serving(create_app(), Connections()) as url, httpx.AsyncClient(timeout=HANG_SECONDS) as client:
        assert (await client.get(f"{url}/npm/@babel%2Fcore")).json()["name"] == "@babel/core"
        assert (await client.get(f"{url}/npm/@babel/core")).status_code == 404


def test_a_port_in_use():
    with bind("127.0.0.1", 0) as listener, pytest.raises(OSError, match="in use"):
        bind("127.0.0.1", listener.getsockname()[1])


@pytest.mark.parametrize("port", [-1, 65_536])
def test_no_port_at_all(port: int):
    with pytest.raises(OSError, match="from 0 to 65535"):
        bind("127.0.0.1", port)


def test_addresses_of_both_families():
    with bind("127.0.0.1", 0) as listener:
        assert base_url(listener) == f"http://127.0.0.1:{listener.getsockname()[1]}/api"
    with bind("::1", 0) as listener:
        assert base_url(listener) == f"http://[::1]:{listener.getsockname()[1]}/api"
