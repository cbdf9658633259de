"""Prometheus' own word on the alert rules: promtool runs their tests. (It checks the rules in tests/e2e.)"""

import os
import subprocess
from pathlib import Path

import pytest
from tests.servers.binaries import OTEL, binaries

TESTS = sorted((OTEL / "rules" / "tests").glob("*.yml"))


@pytest.mark.parametrize("path", TESTS, ids=lambda path: path.stem)
def test_the_rules_pass_their_tests(path: Path) -> None:
    command = [str(binaries("prometheus")["promtool"]), "test", "rules", str(path)]
    ended = subprocess.run(command, env={"PATH": os.defpath}, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "SUCCESS" in ended.stdout
