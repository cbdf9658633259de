import gzip

import pytest
from tests.unit.librariesio.service import client, http_reply, raw_server

from libraries_io_mcp import errors


async def _ask(reply, **options):
    import asyncio
    import time

    sent = []

    async def serve(head, writer):
        for start in range(0, len(reply), 65536):
            writer.write(reply[start : start + 65536])
            await writer.drain()
            sent.append(start)
        writer.close()

    async with raw_server(serve) as base_url:
        api = client(pytest.fail, network=None, base_url=base_url, now=time.time, sleep=asyncio.sleep, **options)
        try:
            return await api.platforms()
        finally:
            await api.aclose()


async def test_a_compressed_reply_is_read():
    body = gzip.compress(b"[]")
    reply = await _ask(http_reply(body, headers="Content-Type: application/json\r\nContent-Encoding: gzip\r\n"))
    assert reply.data == ()


async def test_a_reply_over_the_limit_is_cut_off():
    with pytest.raises(errors.ReplyTooLargeError):
        await _ask(http_reply(b"[" + b" " * 5_000_000 + b"]"), max_reply_bytes=100_000)


async def test_the_limit_counts_what_is_unpacked():
    body = gzip.compress(b" " * 1_000_000)
    headers = "Content-Type: application/json\r\nContent-Encoding: gzip\r\n"
    with pytest.raises(errors.ReplyTooLargeError):
        await _ask(http_reply(body, headers=headers), max_reply_bytes=100_000)


async def test_what_can_not_be_unpacked_is_invalid():
    headers = "Content-Type: application/json\r\nContent-Encoding: gzip\r\n"
    with pytest.raises(errors.InvalidReplyError):
        await _ask(http_reply(b"nope", headers=headers))


async def test_a_reply_that_is_cut_off_is_asked_again_and_then_invalid():
    with pytest.raises(errors.InvalidReplyError, match="cut off"):
        await _ask(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n[", timeout=5)
