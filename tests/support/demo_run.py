"""The demo as somebody who has nothing yet starts it."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from tests.support.polling import HANG_SECONDS

DEMO: Final = (sys.executable, "-m", "libraries_io_mcp", "demo")


def newcomer(folder: Path) -> dict[str, str]:
    """The environment of somebody with an empty home. What children write goes to `folder / "temporary"`."""
    for name in ("home", "temporary"):
        (folder / name).mkdir()
    return {"HOME": str(folder / "home"), "PATH": os.environ["PATH"], "TMPDIR": str(folder / "temporary")}


def finished(command: Sequence[str], environment: Mapping[str, str], folder: Path) -> subprocess.CompletedProcess[str]:
    """Run it to its end in `folder`."""
    return subprocess.run(
        command,
        env=environment,
        cwd=folder,
        capture_output=True,
        encoding="utf-8",
        timeout=4 * HANG_SECONDS,
        check=False,
    )
