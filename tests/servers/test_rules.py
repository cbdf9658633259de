"""Prometheus' own word on the alert rules: promtool checks them and runs their tests."""

import os
import subprocess
from pathlib import Path

import pytest
from tests.servers.binaries import OTEL, binaries

RULES = sorted((OTEL / "rules").glob("*.yml"))
TESTS = sorted((OTEL / "rules" / "tests").glob("*.yml"))


def promtool(*arguments: str | Path) -> str:
    """What promtool says; fails with it when promtool does."""
    command = [str(part) for part in (binaries()["promtool"], *arguments)]
    ended = subprocess.run(command, env={"PATH": os.defpath}, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def test_promtool_accepts_the_rules() -> None:
    promtool("check", "rules", "--lint=all", "--lint-fatal", *RULES)


@pytest.mark.parametrize("path", TESTS, ids=lambda path: path.stem)
def test_the_rules_pass_their_tests(path: Path) -> None:
    assert "SUCCESS" in promtool("test", "rules", path)
