"""`libraries-io-mcp sandbox`: options in, a listening sandbox out."""

import math
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field

from libraries_io_mcp.sandbox.app import create_app
from libraries_io_mcp.sandbox.connections import Connections
from libraries_io_mcp.sandbox.faults import Fault
from libraries_io_mcp.sandbox.keys import DEFAULT_LIMIT, KNOWN_KEY
from libraries_io_mcp.sandbox.quota import ANONYMOUS_LIMIT
from libraries_io_mcp.sandbox.server import base_url, bind, serve


@dataclass(frozen=True)
class SandboxOptions:
    """What the command can be told. `keys` maps each known key to its requests per window; port 0 takes a free one."""

    host: str = "127.0.0.1"
    port: int = 8081
    keys: Mapping[str, int] = field(default_factory=lambda: {KNOWN_KEY: DEFAULT_LIMIT})
    window_seconds: float = 60.0
    anonymous_limit: int = ANONYMOUS_LIMIT
    faults: tuple[Fault, ...] = ()

    def __post_init__(self) -> None:
        """Raises `ValueError` for a window or a limit that makes no sense."""
        if not 0 < self.window_seconds < math.inf:
            raise ValueError(f"window of {self.window_seconds} seconds; allowed is a number above 0")
        if self.anonymous_limit < 0:
            raise ValueError(f"limit of {self.anonymous_limit} requests without a key; allowed is 0 or more")


def parse_key(text: str) -> tuple[str, int]:
    """`KEY:LIMIT` -> the pair; the limit is 60 when it is left out.

    Raises:
        ValueError: the limit is not a number from 0, or the key is empty.
    """
    key, colon, limit = text.partition(":")
    if not key or (colon and not limit.isdecimal()):
        raise ValueError(f"{text!r} is not KEY or KEY:LIMIT with a whole number as limit")
    return key, int(limit) if colon else DEFAULT_LIMIT


def run(options: SandboxOptions) -> None:
    """Binds, prints one line on stdout once requests are accepted, and serves until SIGINT or SIGTERM.

    Raises:
        OSError: the address can't be bound.
        KeyboardInterrupt: ended by SIGINT. SIGTERM ends the process by that signal, after a clean stop.
    """
    listener = bind(options.host, options.port)
    connections = Connections()
    app = create_app(
        keys=options.keys,
        window_seconds=options.window_seconds,
        anonymous_limit=options.anonymous_limit,
        faults=options.faults,
        connections=connections,
    )
    key = f" (key: {KNOWN_KEY})" if KNOWN_KEY in options.keys else ""  # who gave another one knows it; logs are kept
    line = f"Sandbox of the Libraries.io API at {base_url(listener)}{key}\n"

    def announce() -> None:
        sys.stdout.write(line)
        sys.stdout.flush()

    serve(app, connections, listener, announce)
