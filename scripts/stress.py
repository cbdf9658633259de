"""The fast tests three times in random order while all processors are busy with something else.

    python scripts/stress.py TESTS...

A test that fails here, and never on a quiet machine, leans on the order of things or on a clock: that is its fault.
"""

import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

ROUNDS = 3
ORDER = (
    "--numprocesses", "2", "--dist", "loadfile",
    # Without the `-p no:randomly` of pyproject.toml.
    "--override-ini", "addopts=-ra --strict-markers --strict-config --import-mode=importlib",
)  # fmt: skip
BUSY = "while True: sum(range(10_000))"


@contextmanager
def busy_processors() -> Iterator[None]:
    """One process that does nothing but compute for each processor."""
    busy = [subprocess.Popen([sys.executable, "-c", BUSY]) for _ in range(os.cpu_count() or 1)]
    try:
        yield
    finally:
        for process in busy:
            process.kill()
            process.wait()


def main() -> int:
    """Run the rounds; the number of those that failed."""
    failed = 0
    with busy_processors():
        for number in range(1, ROUNDS + 1):
            seed = secrets.randbelow(2**31)
            print(f"stress: round {number} of {ROUNDS}, --randomly-seed={seed}", flush=True)
            command = (sys.executable, "-m", "pytest", *sys.argv[1:], "-q", *ORDER, f"--randomly-seed={seed}")
            done = subprocess.run(command, check=False)
            failed += done.returncode != 0
            print(f"stress: round {number} {'failed' if done.returncode else 'passed'}", flush=True)
    print(f"stress: {ROUNDS - failed} of {ROUNDS} rounds passed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
