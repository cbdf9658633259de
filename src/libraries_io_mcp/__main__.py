"""The command `libraries-io-mcp`, also as `python -m libraries_io_mcp`: imports little before it can end quietly."""

import os
import signal
import sys
from types import FrameType


def main() -> int:
    """Run the command; its exit code.

    SIGINT and SIGTERM end the process with 130 and 143 until a command that has something to end listens itself. Python
    would show which import SIGINT has met. That holds, too, for jobs in the background of a script, which begin with
    SIGINT ignored: the servers listen to it in any case, and a signal that is lost only while they load helps nobody.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _end)
    for descriptor in range(3):
        _open(descriptor)
    from libraries_io_mcp.cli import main as run_command  # noqa: PLC0415 - see above

    return run_command()


def _open(descriptor: int) -> None:
    """Let a standard stream that was closed be empty: else the next file that is opened would be taken for it."""
    try:
        os.fstat(descriptor)
    except OSError:
        os.open(os.devnull, os.O_RDWR)


def _end(number: int, _frame: FrameType | None) -> None:
    # An exception could be caught, or shown, by whatever is just imported.
    os._exit(128 + number)


if __name__ == "__main__":
    sys.exit(main())
