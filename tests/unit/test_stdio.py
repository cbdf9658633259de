from collections.abc import Iterator
from contextlib import contextmanager

import anyio
import pytest
from mcp_types import JSONRPCError

from libraries_io_mcp.stdio import Incoming, Requests

pytestmark = pytest.mark.anyio


async def test_the_end_of_the_input_begins_the_end_once_however_often_it_is_met():
    drains = 0

    @contextmanager
    def draining() -> Iterator[None]:
        nonlocal drains
        drains += 1
        yield

    async def refuse(_error: JSONRPCError) -> None:
        raise AssertionError("nothing came that could be refused")

    send, receive = anyio.create_memory_object_stream[object](1)
    send.close()
    incoming = Incoming(receive, Requests(), 0.0, draining, refuse)
    for _ in range(3):
        with pytest.raises(anyio.EndOfStream):
            await incoming.receive()
    assert drains == 1
    await incoming.aclose()
