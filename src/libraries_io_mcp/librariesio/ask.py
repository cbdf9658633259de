"""A question before it is put: which endpoint, which arguments, and what it looks like on the wire."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final, Generic, TypeVar
from urllib.parse import quote, urlencode

from libraries_io_mcp.errors import InvalidRequestError
from libraries_io_mcp.librariesio.endpoints import Endpoint
from libraries_io_mcp.librariesio.paths import expand

T = TypeVar("T")
MAX_QUERY_BYTES: Final = 4096
_SAID: Final = {"q": "query"}
"""Arguments that have another name on the wire than callers know."""
MAX_BODY_BYTES: Final = 1024 * 1024


@dataclass(frozen=True)
class Ask(Generic[T]):
    """One question: the endpoint, the names in its path, its query, its JSON body.

    `path`, `query`, `content` and `identity` raise `InvalidRequestError` or `NotFoundError` for arguments that no
    request could carry.
    """

    endpoint: Endpoint[T]
    names: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)
    body: Any = None

    @cached_property
    def path(self) -> str:
        """The path below the API's address."""
        return expand(self.endpoint.template, self.names, escape_dots=self.endpoint.escape_dots)

    @cached_property
    def query(self) -> str:
        """The query with its question mark, or nothing. It never holds the key."""
        try:
            query = urlencode(self.parameters, quote_via=quote)
        except UnicodeEncodeError:
            query = None
        if query is None:
            raise InvalidRequestError("An argument holds half of a surrogate pair, which is not text.")
        if len(query) > MAX_QUERY_BYTES:
            longest = max(self.parameters, key=lambda name: len(quote(self.parameters[name])))
            shorten = f"shorten {_SAID.get(longest, longest)}"
            raise InvalidRequestError(f"The arguments are longer than {MAX_QUERY_BYTES} bytes together; {shorten}.")
        return f"?{query}" if query else ""

    @cached_property
    def content(self) -> bytes | None:
        """The body as JSON in ASCII, which can carry any text."""
        if self.body is None:
            return None
        content = json.dumps(self.body, separators=(",", ":")).encode()
        if len(content) > MAX_BODY_BYTES:
            raise InvalidRequestError(f"The packages asked for are longer than {MAX_BODY_BYTES} bytes together.")
        return content

    @cached_property
    def identity(self) -> tuple[str, ...]:
        """What decides the answer: hashable, and a few kilobytes at most, since the cache does not count it."""
        body = hashlib.sha256(self.content).hexdigest() if self.content else ""
        return self.endpoint.template, self.path, self.query, body

    @property
    def words(self) -> str:
        """The question in messages: method and template, none of its arguments."""
        return f"{self.endpoint.method} {self.endpoint.template}"
