"""Which request the code runs for: its id and, if asked for, its caller. Carried by one context variable.

The middleware binds it once a request; log records and spans read it. A request id is `<process>-<number>`, with the
JSON-RPC id appended when that is a number or a plain word. An inbound `x-request-id` made of such words is taken as it
is. The W3C trace id is not used for it: it stands on every record and span anyway, and a client may send many requests
under one trace.
"""

import hashlib
import itertools
import os
import re
from collections.abc import Mapping
from contextvars import ContextVar, Token
from dataclasses import dataclass
from typing import Final

from libraries_io_mcp.telemetry.semconv import Attribute

LONGEST_ID: Final = 64
_PLAIN: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_PROCESS: Final = os.urandom(4).hex()
_numbers: Final = itertools.count(1)


@dataclass(frozen=True, slots=True)
class RequestContext:
    """What is known of the request, as attributes: its id, and the caller as far as it may be shown."""

    attributes: Mapping[str, str]

    @property
    def request_id(self) -> str:
        """The id of the request."""
        return self.attributes[Attribute.REQUEST_ID]


class _Binding:
    """The time for which a request is bound: a context manager."""

    __slots__ = ("_request", "_token")

    def __init__(self, request: RequestContext) -> None:
        self._request = request
        self._token: Token[RequestContext | None] | None = None

    def __enter__(self) -> RequestContext:
        self._token = _current.set(self._request)
        return self._request

    def __exit__(self, *_exception: object) -> None:
        if self._token is not None:
            _current.reset(self._token)


_current: Final[ContextVar[RequestContext | None]] = ContextVar("libraries_io_mcp.request", default=None)


def bind(*, request_id: str, caller: Mapping[str, str] | None = None) -> _Binding:
    """`with bind(request_id=...)`: everything inside belongs to this request. `caller` comes from `Callers.shown`."""
    attributes: dict[str, str] = {Attribute.REQUEST_ID: request_id}
    return _Binding(RequestContext(attributes | dict(caller) if caller else attributes))


def current() -> RequestContext | None:
    """The request the caller runs for, or `None` outside of one."""
    return _current.get()


def request_id_of(json_rpc_id: object = None, header: str | None = None) -> str:
    """The id of a new request; unique in this process unless the client brings its own `header`."""
    if header is not None and len(header) <= LONGEST_ID and _PLAIN.fullmatch(header):
        return header
    made = f"{_PROCESS}-{next(_numbers)}"
    if isinstance(json_rpc_id, int) or (isinstance(json_rpc_id, str) and _PLAIN.fullmatch(json_rpc_id)):
        # Cut, and only plain words: a client may put anything at all into its ids.
        return f"{made}-{json_rpc_id}"[:LONGEST_ID]
    return made


class Callers:
    """How a caller's name is shown: not at all, as a hash that stays the same for one installation, or in clear."""

    def __init__(self, show: str, secrets: tuple[str, ...] = ()) -> None:
        self._show = show
        # Keyed, so that nobody can try names against the hash; without any secret it lasts as long as the process.
        material = "\0".join(secrets).encode() or _PROCESS.encode()
        self._key = hashlib.sha256(b"libraries-io-mcp caller\0" + material).digest()

    @property
    def shows(self) -> bool:
        """Whether anything is shown at all."""
        return self._show != "false"

    def shown(self, name: str | None) -> Mapping[str, str] | None:
        """What may be logged of a caller's name, as an attribute; `None` when nothing may."""
        if not name or self._show == "false":
            return None
        if self._show == "raw":
            return {Attribute.USER_ID: name}
        return {Attribute.USER_HASH: hashlib.blake2b(name.encode(), digest_size=8, key=self._key).hexdigest()}
