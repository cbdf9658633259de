"""Request ids, what a client may bring, and how a caller is shown."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libraries_io_mcp.telemetry import request_context
from libraries_io_mcp.telemetry.request_context import LONGEST_ID, Callers, bind, current, request_id_of

pytestmark = pytest.mark.anyio


def test_ids_of_this_server_are_unique_and_end_with_the_json_rpc_id():
    ids = [request_id_of(7) for _ in range(100)]
    assert len(set(ids)) == 100
    assert all(each.endswith("-7") for each in ids)


def test_a_plain_inbound_id_is_taken_as_it_is():
    assert request_id_of(1, "abc-123_x.y") == "abc-123_x.y"


@given(st.text(max_size=100), st.none() | st.integers() | st.text(max_size=200))
def test_whatever_a_client_brings_the_id_is_plain_and_short(header: str, number: object):
    made = request_id_of(number, header)
    assert len(made) <= LONGEST_ID
    assert made.replace(".", "").replace("-", "").replace("_", "").isalnum()
    assert made.isascii()


async def test_concurrent_requests_do_not_see_each_other():
    async def seen(name: str) -> str:
        with bind(request_id=name):
            await asyncio.sleep(0)
            return current().request_id

    assert await asyncio.gather(*(seen(f"r-{number}") for number in range(10))) == [f"r-{n}" for n in range(10)]
    assert request_context.current() is None


def test_a_caller_is_hidden_hashed_or_shown():
    assert Callers("false", ("key",)).shown("alice") is None
    assert Callers("raw").shown("alice") == {"user.id": "alice"}
    (name, hashed), *_ = Callers("hashed", ("key",)).shown("alice").items()
    assert (name, len(hashed)) == ("user.hash", 16)
    assert Callers("hashed", ("key",)).shown("alice") == {name: hashed}
    assert Callers("hashed", ("other",)).shown("alice") != {name: hashed}
    assert Callers("hashed").shown(None) is None
