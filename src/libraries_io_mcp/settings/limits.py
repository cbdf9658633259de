"""What one caller over HTTP may cost: sizes, numbers at once, and how long anything may take."""

from ipaddress import ip_network
from itertools import pairwise
from typing import Annotated, Final

from pydantic import AfterValidator, Field
from pydantic_settings import SettingsConfigDict

from libraries_io_mcp.errors import SettingsError
from libraries_io_mcp.settings.group import Allowed, Group, Words

OTHER_FILES: Final = 200
"""What the process opens beside its clients' connections: files, and connections of its own."""
_SECONDS: Final = Allowed("a number from 0.1 to 86400")


def _networks(value: tuple[str, ...]) -> tuple[str, ...]:
    for each in value:
        ip_network(each)
    return value


class LimitSettings(Group):
    """What a caller over HTTP may cost."""

    model_config = SettingsConfigDict(env_prefix="MCP_")

    max_request_bytes: Annotated[
        int,
        Allowed("a whole number from 1000 to 1000000000"),
        Field(ge=1_000, le=1_000_000_000, description="Largest request body; a larger one is answered with 413."),
    ] = 12_000_000
    max_json_depth: Annotated[
        int,
        Allowed("a whole number from 8 to 200"),
        Field(ge=8, le=200, description="How deep the JSON of a request may be nested; deeper is answered with 400."),
    ] = 64
    max_json_values: Annotated[
        int,
        Allowed("a whole number from 1000 to 10000000"),
        Field(
            ge=1_000,
            le=10_000_000,
            description="How many values the JSON of a request may have; more are answered with 400. A text of any "
            "length is one.",
        ),
    ] = 10_000
    max_held_bytes: Annotated[
        int,
        Allowed("a whole number from 1000 to 100000000000"),
        Field(
            ge=1_000,
            le=100_000_000_000,
            description="Bytes of request bodies in memory at once, from their first byte to their answer; more are "
            "answered with 503.",
        ),
    ] = 64_000_000
    max_held_bytes_per_caller: Annotated[
        int,
        Allowed("a whole number from 1000 to 100000000000"),
        Field(ge=1_000, le=100_000_000_000, description="Such bytes of one caller; more are answered with 429."),
    ] = 24_000_000
    max_header_bytes: Annotated[
        int,
        Allowed("a whole number from 4096 to 1000000"),
        Field(ge=4_096, le=1_000_000, description="Largest head of a request; a larger one is answered with 431."),
    ] = 32_768
    max_connections: Annotated[
        int,
        Allowed("a whole number from 1 to 100000"),
        Field(
            ge=1,
            le=100_000,
            description="Connections at once. For one more, the one that the server has waited for longest is closed.",
        ),
    ] = 1_000
    max_pipelined_requests: Annotated[
        int,
        Allowed("a whole number from 1 to 100000"),
        Field(
            ge=1,
            le=100_000,
            description="Requests in a row that a client may send on a connection before it has the answer to the one "
            "before; one more is answered with 429 and ends the connection.",
        ),
    ] = 16
    max_concurrent_calls: Annotated[
        int,
        Allowed("a whole number from 1 to 100000"),
        Field(ge=1, le=100_000, description="Calls that are worked on at once; further ones wait."),
    ] = 256
    max_concurrent_calls_per_caller: Annotated[
        int,
        Allowed("a whole number from 1 to 100000"),
        Field(
            ge=1,
            le=100_000,
            description="Calls of one caller at once, those that wait included; one more is answered with 429. "
            "A caller is whom a token names, else the client's address.",
        ),
    ] = 64
    max_queued_calls: Annotated[
        int,
        Allowed("a whole number from 0 to 100000"),
        Field(ge=0, le=100_000, description="Calls that may wait; one more is answered with 503."),
    ] = 256
    queue_seconds: Annotated[
        float,
        _SECONDS,
        Field(ge=0.1, le=86_400, description="How long a call may wait for one of the places; then the answer is 503."),
    ] = 30.0
    max_sessions: Annotated[
        int,
        Allowed("a whole number from 1 to 100000"),
        Field(ge=1, le=100_000, description="MCP sessions at once; one more is answered with 503."),
    ] = 2_000
    max_sessions_per_caller: Annotated[
        int,
        Allowed("a whole number from 1 to 100000"),
        Field(ge=1, le=100_000, description="MCP sessions of one caller at once; one more is answered with 429."),
    ] = 500
    max_streams: Annotated[
        int,
        Allowed("a whole number from 1 to 100000"),
        Field(
            ge=1,
            le=100_000,
            description="Streams (GET) at once for what the server says by itself; one more is answered with 503.",
        ),
    ] = 500
    max_streams_per_caller: Annotated[
        int,
        Allowed("a whole number from 1 to 100000"),
        Field(ge=1, le=100_000, description="Such streams of one caller at once; one more is answered with 429."),
    ] = 250
    call_timeout_seconds: Annotated[
        float,
        _SECONDS,
        Field(ge=0.1, le=86_400, description="Longest time of one tool call or one read of a resource."),
    ] = 300.0
    idle_seconds: Annotated[
        float,
        _SECONDS,
        Field(ge=0.1, le=86_400, description="How long a connection stays open between two requests."),
    ] = 75.0
    header_seconds: Annotated[
        float,
        _SECONDS,
        Field(ge=0.1, le=86_400, description="Longest time for the head of a request to arrive, else 408."),
    ] = 10.0
    body_seconds: Annotated[
        float,
        _SECONDS,
        Field(ge=0.1, le=86_400, description="Longest time for the body of a request to arrive, else 408."),
    ] = 60.0
    send_seconds: Annotated[
        float,
        _SECONDS,
        Field(ge=0.1, le=86_400, description="How long a client may leave an answer unread; then it is cut off."),
    ] = 60.0
    session_idle_seconds: Annotated[
        float,
        _SECONDS,
        Field(ge=0.1, le=86_400, description="How long an MCP session without requests is kept."),
    ] = 1_800.0
    trusted_proxies: Annotated[
        Words,
        AfterValidator(_networks),
        Allowed("addresses or networks such as 10.0.0.0/8, separated by commas"),
        Field(
            description="Proxies whose X-Forwarded-For and X-Forwarded-Proto are believed: the last address in it that "
            "is none of theirs is the client's."
        ),
    ] = ("127.0.0.1", "::1")

    @property
    def open_files(self) -> int:
        """How many files the process must be allowed to open: each connection is one."""
        return self.max_connections + OTHER_FILES


def check_limits(limits: LimitSettings) -> None:
    """Whether the limits go together.

    Raises:
        SettingsError: the largest body would never find room.
    """
    sizes = ("max_request_bytes", "max_held_bytes_per_caller", "max_held_bytes")
    for less, more in pairwise(sizes):
        if getattr(limits, less) > getattr(limits, more):
            raise SettingsError(
                f"MCP_{more.upper()}={getattr(limits, more)}: less than MCP_{less.upper()}, so what that allows would "
                f"be refused; allowed: {getattr(limits, less)} or more"
            )
