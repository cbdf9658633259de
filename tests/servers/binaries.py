"""Where the real servers' binaries are: what `scripts/servers --where` says, built first where one is missing."""

import subprocess
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
OTEL: Final = ROOT / "otel"
_SCRIPT: Final = str(ROOT / "scripts" / "servers")


@cache
def binaries(server: str) -> Mapping[str, Path]:
    """Name of each binary of a server -> its path. Takes some minutes when nothing is there yet, else an instant."""
    found = subprocess.run([_SCRIPT, "--where", server], capture_output=True, text=True, check=False)
    if found.returncode:
        subprocess.run([_SCRIPT, server], check=True)
        found = subprocess.run([_SCRIPT, "--where", server], capture_output=True, text=True, check=True)
    pairs = (line.split("=", 1) for line in found.stdout.splitlines())
    return {name: Path(path) for name, path in pairs}


def versions() -> dict[str, str]:
    """The pins of `otel/versions.env`."""
    lines = (OTEL / "versions.env").read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
