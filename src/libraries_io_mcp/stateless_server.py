"""FastMCP without its memory of sessions, which this server never uses.

FastMCP looks up at each call, and at each list, what a session has hidden for itself. No tool here hides anything, so
the answer is known; the store that would be asked takes 90 ms to import at the first list, and a part of every call.
docs/decisions/performance.md has the figures.
"""

from typing import Any, Never

from fastmcp import FastMCP


class NoState:
    """The memory of a server that remembers nothing of its sessions."""

    async def get(self, *, key: str) -> None:
        """Nothing."""

    async def put(self, **_what: Any) -> Never:
        """Refuse: whoever needs this must take FastMCP's own store.

        Raises:
            NotImplementedError: always.
        """
        raise NotImplementedError("this server keeps no state of sessions")


class StatelessServer(FastMCP):
    """A FastMCP server that keeps no state of sessions."""

    @property
    def _state_store(self) -> Any:
        return NoState()
