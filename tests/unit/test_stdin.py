"""Lines as they come through pipes: in pieces, several at once, without an end; and from plain files."""

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from libraries_io_mcp.stdin import lines

LONG = "x" * 1_000_000


@pytest.mark.parametrize(
    ("pieces", "expected"),
    [
        ((), []),
        (("one\n", "two\n"), ["one", "two"]),
        (("one\ntwo\nth", "ree\n"), ["one", "two", "three"]),
        (("one\nno end",), ["one", "no end"]),
        (("\n\none\r\n",), ["", "", "one\r"]),
        ((LONG[:500_000], LONG[500_000:] + "\nnext\n"), [LONG, "next"]),
    ],
    ids=["nothing", "a line at a time", "in pieces", "without an end", "empty lines", "long"],
)
async def test_lines_of_a_pipe(pieces: Sequence[str], expected: list[str]):
    assert await lines_of([piece.encode() for piece in pieces]) == expected


async def test_a_character_may_come_in_pieces_and_a_bad_one_is_replaced():
    assert await lines_of([b"\xc3", b"\xa9\n", b"a\xffb\n"]) == ["é", "a\N{REPLACEMENT CHARACTER}b"]


async def test_a_plain_file_is_read_to_its_end(tmp_path: Path):
    file = tmp_path / "lines"
    file.write_text("one\ntwo\n" + LONG, encoding="utf-8")
    descriptor = os.open(file, os.O_RDONLY)
    try:
        assert [line async for line in lines(descriptor)] == ["one", "two", LONG]
    finally:
        os.close(descriptor)


async def test_who_waits_for_a_line_can_be_cancelled():
    out, into = os.pipe()
    try:
        waiting = asyncio.ensure_future(anext(lines(out)))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        # Nobody is left who would take the next line away.
        os.write(into, b"later\n")
        assert await anext(lines(out)) == "later"
    finally:
        os.close(out)
        os.close(into)


async def lines_of(pieces: Sequence[bytes]) -> list[str]:
    out, into = os.pipe()

    def write() -> None:
        with os.fdopen(into, "wb", buffering=0) as pipe:
            for piece in pieces:
                left = memoryview(piece)
                while left:
                    left = left[pipe.write(left) or 0 :]

    writing = asyncio.create_task(asyncio.to_thread(write))
    try:
        return [line async for line in lines(out)]
    finally:
        await writing
        os.close(out)
