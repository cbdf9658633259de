"""Named bearer tokens, compared in constant time; a file of them is read again when it changes."""

import hashlib
import hmac
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Final

from anyio import to_thread
from fastmcp.server.auth import AccessToken, TokenVerifier

from libraries_io_mcp.settings import NamedToken, read_tokens

LOOK_SECONDS: Final = 1.0
"""How long a change of the file may go unnoticed."""

logger: Final = logging.getLogger(__name__)
State = tuple[int, int, int] | None


class Tokens:
    """The tokens in force. `path` is the file they came from, if they did."""

    def __init__(self, tokens: tuple[NamedToken, ...], path: Path | None, *, monotonic: Callable[[], float]) -> None:
        self._path = path
        self._monotonic = monotonic
        self._looked = monotonic()
        self._state = _state(path)
        self._known = _digests(tokens)

    def find(self, given: str) -> NamedToken | None:
        """The token that was given, if it is one. Takes as long for every wrong one."""
        if self._path is not None and self._monotonic() - self._looked >= LOOK_SECONDS:
            self._look(self._path)
        digest = _digest(given)
        found = None
        for known, token in self._known:
            # No early end: how far the search goes would tell how many tokens there are.
            if hmac.compare_digest(known, digest):
                found = token
        return found

    def _look(self, path: Path) -> None:
        self._looked = self._monotonic()
        state = _state(path)
        if state == self._state:
            return
        self._state = state
        if state is None:
            # It may only be replaced, or what holds it is away for a moment.
            logger.warning("MCP_AUTH_TOKEN_FILE is gone: the old tokens stay until there is one; empty it to end them")
            return
        try:
            self._known = _digests(read_tokens(path))
        except (OSError, ValueError) as error:
            # Half a file while it is written, or a mistake: nobody who could log in is shut out by it.
            logger.warning("MCP_AUTH_TOKEN_FILE has changed and can't be used (%s): the old tokens stay", _why(error))
        else:
            logger.info("MCP_AUTH_TOKEN_FILE has changed: %d tokens are in force now", len(self._known))


class BearerTokens(TokenVerifier):
    """Tells FastMCP who brings one of the tokens."""

    def __init__(self, tokens: Tokens) -> None:
        super().__init__()
        self._tokens = tokens

    async def verify_token(self, token: str) -> AccessToken | None:
        """Who brings it, or `None`."""
        # In a thread: it may have to read the file.
        found = await to_thread.run_sync(self._tokens.find, token)
        if found is None:
            return None
        scopes: list[str] = sorted(found.scopes)
        return AccessToken(token=token, client_id=found.name, scopes=scopes, claims={"sub": found.name})


def _digests(tokens: tuple[NamedToken, ...]) -> tuple[tuple[bytes, NamedToken], ...]:
    return tuple((_digest(each.token.get_secret_value()), each) for each in tokens)


def _digest(text: str) -> bytes:
    """Of equal length for all, so that comparing two takes equally long."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def _state(path: Path | None) -> State:
    try:
        found = path.stat() if path is not None else None
    except OSError:
        return None
    return (found.st_mtime_ns, found.st_size, found.st_ino) if found is not None else None


def _why(error: OSError | ValueError) -> str:
    return (error.strerror or type(error).__name__) if isinstance(error, OSError) else str(error)
