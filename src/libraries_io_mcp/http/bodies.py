"""Bodies of requests: how large, deep and full of values one may be, and how much of all of them is kept in memory.

Each part is looked at when it comes: that holds nobody up, and what is refused is neither parsed nor kept.
"""

from collections import Counter
from typing import Final

from starlette.datastructures import Headers
from starlette.types import Receive, Scope

from libraries_io_mcp.http.turns import RefusedError
from libraries_io_mcp.settings import LimitSettings

_NO_MARK: Final = bytes(range(256)).translate(None, b"[]{},")
_OPENING: Final = b"[{"


class Room:
    """The bytes of all bodies that are in memory, by caller."""

    def __init__(self, limits: LimitSettings) -> None:
        self._limits = limits
        self._of_caller: Counter[str] = Counter()
        self.used = 0

    def take(self, caller: str, size: int) -> None:
        """Keep so many bytes more.

        Raises:
            RefusedError: the caller, or all of them, have too many.
        """
        limits = self._limits
        if self._of_caller[caller] + size > limits.max_held_bytes_per_caller:
            raise RefusedError("too_many_bytes", 429, "You send too much at once: let some of your requests end first.")
        if self.used + size > limits.max_held_bytes:
            raise RefusedError("too_many_bytes", 503, "The server is sent too much at once: try again a little later.")
        self.used += size
        self._of_caller[caller] += size

    def give_back(self, caller: str, size: int) -> None:
        """Keep so many bytes less."""
        self.used -= size
        self._of_caller[caller] -= size
        if not self._of_caller[caller]:
            del self._of_caller[caller]


class Body:
    """The body of one request, which takes room from its first byte until it is freed."""

    def __init__(self, limits: LimitSettings, room: Room, caller: str) -> None:
        self._limits = limits
        self._room = room
        self._caller = caller
        self._shape = Shape(limits.max_json_depth, limits.max_json_values)
        self._size = 0
        self.expected = 0
        """How many bytes it has, as far as that is known."""

    async def read(self, scope: Scope, receive: Receive) -> bytes | None:
        """All of it; `None` if the client left.

        Raises:
            RefusedError: it is more than a body may be, or than there is room for.
        """
        announced = Headers(scope=scope).get("content-length", "0")
        self.expected = int(announced) if len(announced) <= 15 else 10**15
        self._check_size(self.expected)
        parts: list[bytes] = []
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return None
            part = message.get("body", b"")
            self._check_size(self._size + len(part))
            self._room.take(self._caller, len(part))
            self._size += len(part)
            self.expected = max(self.expected, self._size)
            self._shape.add(part)
            parts.append(part)
            if not message.get("more_body"):
                return b"".join(parts) if len(parts) > 1 else parts[0]

    @property
    def values(self) -> int:
        """How many JSON values have come."""
        return int(self._shape.values)

    def free(self) -> None:
        """Its memory is no longer needed; freeing it again does nothing."""
        self._room.give_back(self._caller, self._size)
        self._size = 0

    def _check_size(self, size: int) -> None:
        most = self._limits.max_request_bytes
        if size > most:
            raise RefusedError("body_too_large", 413, f"Send no more than {most} bytes (MCP_MAX_REQUEST_BYTES).")


class Shape:
    """How deep a JSON text is nested and how many values it has. What is no JSON may be taken either way.

    What a parser does with a text depends on these rather than on its size: a manifest of megabytes is one value.
    """

    def __init__(self, most_deep: int, most_values: int) -> None:
        self._most_deep = most_deep
        self._most_values = most_values
        self.values = 0.0
        self._depth = 0
        self._inside = 0
        self._cut = b""

    def add(self, part: bytes) -> None:
        """Look at the next part.

        Raises:
            RefusedError: it is nested too deep, or has too many values.
        """
        marks = self._outside(part).translate(None, _NO_MARK)
        brackets = marks.replace(b",", b"")
        # More of them are too many values anyway.
        for bracket in brackets[: 2 * self._most_values + 1]:
            self._depth += 1 if bracket in _OPENING else -1
            if self._depth > self._most_deep:
                raise RefusedError(
                    "json_too_deep", 400, f"Nest the JSON no deeper than {self._most_deep} (MCP_MAX_JSON_DEPTH)."
                )
        # All values but the outermost: those before a comma, and the last one of each pair of brackets.
        self.values += len(marks) - len(brackets) / 2
        if self.values > self._most_values:
            raise RefusedError(
                "json_too_many_values", 400, f"Send no more than {self._most_values} values (MCP_MAX_JSON_VALUES)."
            )

    def _outside(self, part: bytes) -> bytes:
        """What of it is outside of texts."""
        part = self._cut + part
        # A backslash at the end belongs to what comes next.
        self._cut = part[-1:] if (len(part) - len(part.rstrip(b"\\"))) % 2 else b""
        whole = part[: len(part) - len(self._cut)]
        # Without escaped quotes every other piece between quotes is outside.
        pieces = whole.replace(b"\\\\", b"").replace(b'\\"', b"").split(b'"')
        outside = b"".join(pieces[self._inside :: 2])
        self._inside ^= (len(pieces) - 1) % 2
        return outside
