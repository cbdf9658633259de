"""Named bearer tokens, compared in constant time; a file of them is read again when it changes."""

import hashlib
import hmac
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Final

from anyio import to_thread
from fastmcp.server.auth import AccessToken, TokenVerifier

from libraries_io_mcp.settings import NamedToken, named_tokens, token_entries

LOOK_SECONDS: Final = 1.0
"""How long a change of the file may go unnoticed."""

logger: Final = logging.getLogger(__name__)


class BearerTokens(TokenVerifier):
    """The tokens in force. `path` is the file they came from, if they did."""

    def __init__(self, tokens: tuple[NamedToken, ...], path: Path | None, *, monotonic: Callable[[], float]) -> None:
        super().__init__()
        self._tokens = tokens
        self._path = path
        self._monotonic = monotonic
        # The file may have changed since it was read for the settings, so the first look reads it in any case.
        self._looked = monotonic() - LOOK_SECONDS
        self._state: tuple[int, int, int] | None = (0, 0, 0)

    async def verify_token(self, token: str) -> AccessToken | None:
        """Who brings it, or `None`. Takes as long for every wrong one."""
        if self._path is not None and self._monotonic() - self._looked >= LOOK_SECONDS:
            self._looked = self._monotonic()
            await to_thread.run_sync(self._look, self._path)
        given, found = _digest(token), None
        for known in self._tokens:
            # No early end: how far the search goes would tell how many tokens there are.
            if hmac.compare_digest(_digest(known.token.get_secret_value()), given):
                found = known
        if found is None:
            return None
        return AccessToken(token=token, client_id=found.name, scopes=sorted(found.scopes), claims={"sub": found.name})

    def _look(self, path: Path) -> None:
        before, state = self._tokens, _state(path)
        if state == self._state:
            return
        self._state = state
        try:
            text = path.read_text(encoding="utf-8", errors="replace")
        except OSError:
            # It may only be replaced, or what holds it is away for a moment.
            logger.warning("MCP_AUTH_TOKEN_FILE is gone: the old tokens stay until there is one; empty it to end them")
            return
        entries = token_entries(text)
        try:
            self._tokens = named_tokens(text) if entries else ()
        except ValueError as why:
            # As a whole or not at all; but whom somebody took out must not stay by a mistake in another line.
            there = {*entries, *(entry.partition("=")[2] for entry in entries)}
            self._tokens = tuple(token for token in before if token.token.get_secret_value() in there)
            logger.warning("MCP_AUTH_TOKEN_FILE: %s: the old tokens that are still in it stay, nothing new counts", why)
        if self._tokens != before:
            logger.info("MCP_AUTH_TOKEN_FILE has changed: %d tokens are in force now", len(self._tokens))


def _digest(text: str) -> bytes:
    """Of equal length for all, so that comparing two takes equally long."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def _state(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
