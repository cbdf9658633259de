"""Which Pythons CI runs the fast tests on."""

import os
import subprocess
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "scripts" / "interpreters"


def stand_in(folder: Path, minor: str, says: str) -> None:
    """A program that answers every question as a Python would, or fails."""
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / f"python{minor}"
    program.write_text(f"#!/bin/sh\n{says}\n", encoding="utf-8")
    program.chmod(0o755)


def test_each_version_is_found_once_on_path_and_where_version_managers_keep_theirs(tmp_path: Path):
    on_path, managed = tmp_path / "bin", tmp_path / ".pyenv" / "versions" / "3.13.99" / "bin"
    stand_in(on_path, "3.12", "echo 3.12.99 /first")
    stand_in(on_path, "3.13", "exit 127")  # a version manager's, with none chosen
    stand_in(on_path, "3.10", "echo 3.10.99 /too-old")
    stand_in(managed, "3.13", "echo 3.13.99 /managed")
    stand_in(tmp_path / ".local" / "share" / "uv" / "python" / "cpython-3.12.99-x" / "bin", "3.12", "echo 3.12.99 /two")
    environment = {"HOME": str(tmp_path), "PATH": f"{on_path}{os.pathsep}{os.defpath}"}
    done = subprocess.run([SCRIPT], env=environment, capture_output=True, text=True, check=True)
    ours = [line for line in done.stdout.splitlines() if ".99 " in line]
    assert ours == ["3.12.99 /first", "3.13.99 /managed"]
