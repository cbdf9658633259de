"""The client's lines, read from stdin by the event loop itself.

The MCP SDK reads them in a thread, as files must be. What comes through a pipe need not: without the thread a call
gives the interpreter away two times less, which is where exporters make it wait. docs/decisions/performance.md.
"""

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator
from typing import Final

READ_BYTES: Final = 65_536


def take_stdin() -> int:
    """A descriptor of what stdin was until now. From here on stdin is empty for everybody else, children included."""
    taken = fcntl.fcntl(0, fcntl.F_DUPFD_CLOEXEC, 3)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    return taken


async def lines(descriptor: int) -> AsyncIterator[str]:
    """Each line without its end, and what stands behind the last end, if anything does. Bad UTF-8 is replaced."""
    begun: list[bytes] = []
    while data := await _read(descriptor):
        *whole, rest = data.split(b"\n")
        for end in whole:
            yield b"".join((*begun, end)).decode(errors="replace")
            begun.clear()
        begun.append(rest)
    if last := b"".join(begun):
        yield last.decode(errors="replace")


async def _read(descriptor: int) -> bytes:
    """What there is to read by now; nothing at the end. The descriptor need not, and does not, become non-blocking:
    a terminal shares that with whoever started this process."""
    loop = asyncio.get_running_loop()
    readable = loop.create_future()

    def came() -> None:
        loop.remove_reader(descriptor)
        readable.set_result(None)

    try:
        loop.add_reader(descriptor, came)
    except PermissionError:
        # A plain file, or /dev/null: it can't be waited for, and need not.
        return os.read(descriptor, READ_BYTES)
    try:
        await readable
    finally:
        loop.remove_reader(descriptor)
    return os.read(descriptor, READ_BYTES)
