"""Named bearer tokens, compared in constant time; a file of them is read again when it changes."""

import hashlib
import hmac
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Final

from anyio import to_thread
from fastmcp.server.auth import AccessToken, TokenVerifier

from libraries_io_mcp.settings import NamedToken, read_tokens, token_entries

LOOK_SECONDS: Final = 1.0
"""How long a change of the file may go unnoticed."""

logger: Final = logging.getLogger(__name__)
State = tuple[int, int, int] | None


class Tokens:
    """The tokens in force. `path` is the file they came from, if they did."""

    def __init__(self, tokens: tuple[NamedToken, ...], path: Path | None, *, monotonic: Callable[[], float]) -> None:
        self._path = path
        self._monotonic = monotonic
        # The file may have changed since it was read for the settings, so the first look reads it in any case.
        self._looked = monotonic() - LOOK_SECONDS
        self._state: State = (0, 0, 0)
        self._tokens = tokens
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
        before = self._tokens
        try:
            self._tokens = read_tokens(path)
        except (OSError, ValueError) as error:
            # As a whole or not at all; but whom somebody took out must not stay by a mistake in another line.
            self._tokens = _still_there(before, path)
            logger.warning(
                "MCP_AUTH_TOKEN_FILE can't be used (%s): the old tokens that are still in it stay, nothing new counts",
                _why(error),
            )
        if self._tokens != before:
            logger.info("MCP_AUTH_TOKEN_FILE has changed: %d tokens are in force now", len(self._tokens))
        self._known = _digests(self._tokens)


def _still_there(tokens: tuple[NamedToken, ...], path: Path) -> tuple[NamedToken, ...]:
    try:
        entries = token_entries(path.read_text(encoding="utf-8", errors="replace"))
    except OSError:
        # What holds it is away for a moment.
        return tokens
    there = {*entries, *(entry.partition("=")[2] for entry in entries)}
    return tuple(token for token in tokens if token.token.get_secret_value() in there)


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
