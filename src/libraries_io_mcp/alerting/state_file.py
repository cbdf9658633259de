"""A small JSON file that survives the process: owned by one process at a time, replaced as a whole or not at all.

The state before the last one is kept beside it: a damaged file costs one step, not the memory of what was told.
"""

import fcntl
import json
import logging
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, Final

VERSION: Final = 2
LONGEST_BYTES: Final = 16_000_000
"""What is larger was not written by us."""

logger: Final = logging.getLogger(__name__)


def rendered_state(state: Mapping[str, Any]) -> bytes:
    """As it is kept."""
    return json.dumps({"version": VERSION, **state}, separators=(",", ":")).encode()


def parsed_state(text: bytes) -> dict[str, Any] | str:
    """What was kept, or in words why it can't be used."""
    try:
        state = json.loads(text) if len(text) <= LONGEST_BYTES else None
    except (ValueError, RecursionError):
        state = None
    if not isinstance(state, dict):
        return "is damaged"
    if state.get("version") != VERSION:
        return f"was written by another version of this program ({state.get('version')!r:.20})"
    return state


class StateFile:
    """The file. Whoever holds the lock beside it owns it; the others keep their state to themselves.

    Nothing here raises: alerting goes on without a file, and the log says so once.
    """

    def __init__(self, path: Path, *, asked_for: bool = True) -> None:
        """`asked_for`: somebody chose this path, so it is worth a warning when it can't be used."""
        self._path = path
        self._previous = path.with_name(f"{path.name}.previous")
        self._unusable = logging.WARNING if asked_for else logging.INFO
        self._lock: IO[bytes] | None = None
        self._written: bytes | None = None
        self._problem: str | None = None
        self._shared = False

    @property
    def owned(self) -> bool:
        """Whether this process may write it."""
        return self._lock is not None

    def load(self) -> dict[str, Any]:
        """What was saved last; empty when there is nothing, when it is not ours, or when it can't be used."""
        if not self._own():
            return {}
        for path in (self._path, self._previous):
            try:
                with path.open("rb") as file:
                    text = file.read(LONGEST_BYTES + 1)
            except FileNotFoundError:
                continue
            except OSError as error:
                self._say(f"can't be read: {error.strerror}")
                continue
            state = parsed_state(text)
            if not isinstance(state, str):
                return state
            self._say(f"{state}; alerting goes on from the one before, if there is one")
        return {}

    def save(self, state: Mapping[str, Any]) -> None:
        """Replace the content, if it is ours and differs from what was written last."""
        if not self._own():
            return
        try:
            text = rendered_state(state)
            if text != self._written:
                self._replace(text)
                self._written = text
            self._problem = None
        except OSError as error:
            self._say(f"can't be written: {error.strerror}; alerts do not survive a restart", self._unusable)

    def close(self) -> None:
        """Let another process have it."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def _replace(self, text: bytes) -> None:
        beside = self._path.with_name(f"{self._path.name}.new")
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileNotFoundError):
            self._path.replace(self._previous)
        beside.replace(self._path)

    def _own(self) -> bool:
        """Take the lock if it is free. It goes with the process, however that ends."""
        if self._lock is not None:
            return True
        lock: IO[bytes] | None = None
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = os.fdopen(
                os.open(self._path.with_name(f"{self._path.name}.lock"), os.O_RDWR | os.O_CREAT, 0o600), "r+b"
            )
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._say_shared()
        except OSError as error:
            self._say(f"can't be used: {error.strerror}; alerts do not survive a restart", self._unusable)
        else:
            self._lock = lock
            return True
        if lock is not None:
            lock.close()
        return False

    def _say(self, problem: str, level: int = logging.WARNING) -> None:
        if problem != self._problem:
            logger.log(level, "the state file of alerting, %s, %s", self._path, problem)
            self._problem = problem

    def _say_shared(self) -> None:
        if not self._shared:
            logger.debug("another process owns %s; the alerts of this one do not survive a restart", self._path)
            self._shared = True
