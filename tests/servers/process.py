"""One real server as a process: started, asked whether it is ready, killed without warning, started again."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import httpx
from tests.support.polling import poll_until

START_SECONDS: Final = 300.0
"""Longest start seen on two busy cores was 20 s."""
STOP_SECONDS: Final = 60.0


class ServerProcess:
    """A server with its command, environment and log file; the same again after every kill."""

    def __init__(
        self, name: str, command: Sequence[str | Path], folder: Path, ready_url: str, environment: Mapping[str, str]
    ) -> None:
        self.name = name
        self.folder = folder
        self.log = folder.parent / f"{name}.log"
        self._command = [str(part) for part in command]
        self._ready_url = ready_url
        self._environment = {"PATH": os.defpath, "HOME": str(folder), **environment}
        self._process: subprocess.Popen[bytes] | None = None
        folder.mkdir(parents=True, exist_ok=True)

    @property
    def pid(self) -> int:
        """Id of the running process."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start it and return at once."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                cwd=self.folder,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def wait_until_ready(self) -> None:
        """Return when it answers its own readiness check; fails with its last words if it ends instead."""
        poll_until(self._ready, f"{self.name} to be ready at {self._ready_url}; log: {self.log}", START_SECONDS)

    def kill(self) -> None:
        """`kill -9`."""
        assert self._process is not None
        self._process.kill()
        self._process.wait(STOP_SECONDS)

    def stop(self) -> None:
        """Ask it to end, and insist if it does not."""
        if self._process is None or self._process.poll() is not None:
            return
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()

    def last_words(self, lines: int = 15) -> str:
        """The end of its log."""
        return "\n".join(self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])

    def _ready(self) -> bool:
        assert self._process is not None
        if self._process.poll() is not None:
            raise AssertionError(f"{self.name} ended with {self._process.returncode}:\n{self.last_words()}")
        try:
            return httpx.get(self._ready_url, timeout=30).is_success
        except httpx.TransportError:
            return False
