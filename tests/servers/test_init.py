"""The init service's script, run with folders of its own: the server takes what it is left, whatever was given."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml
from tests.servers.binaries import ROOT

STACK = yaml.safe_load((ROOT / "docker-compose.observability.yml").read_text(encoding="utf-8"))

PROGRAM = """
import json
from libraries_io_mcp.settings import load_settings
s = load_settings()
secrets = {"key": s.libraries_io.api_key, "password": s.smtp.password, "hook": s.webhook.url, "token": s.webhook.token}
found = {name: secret and secret.get_secret_value() for name, secret in secrets.items()}
print(json.dumps({"url": s.libraries_io.base_url, **found}))
"""


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A file system with empty volumes in which nothing was given, and a `chown` that anybody may call."""
    for volume in STACK["volumes"]:
        (tmp_path / "volumes" / volume).mkdir(parents=True)
    for folder in ("run/given", "run/alertmanager-secrets", "bin"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "run/server-secrets").symlink_to(tmp_path / "volumes/server-secrets")
    for name in ("chown", "busybox"):
        (tmp_path / "bin" / name).write_text("#!/bin/sh\n", encoding="utf-8")
        (tmp_path / "bin" / name).chmod(0o755)
    give(tmp_path)
    return tmp_path


def give(machine: Path, key: str = "", key_file: str = "", settings: Mapping[str, str] | None = None) -> None:
    given = machine / "run/given"
    (given / "key").write_text(f"LIBRARIES_IO_API_KEY={key}\n", encoding="utf-8")
    (given / "key_file").write_text(key_file, encoding="utf-8")
    lines = [f"{name}={value}\n" for name, value in (settings or {}).items()]
    (given / "settings").write_text("".join(lines), encoding="utf-8")


def run_init(machine: Path) -> None:
    script = (ROOT / "otel/init.sh").read_text(encoding="utf-8")
    for folder in ("/volumes", "/run/", "/bin/busybox"):
        script = script.replace(folder, f"{machine}{folder}")
    for file in ("/alertmanager.sh", "/alertmanager.yml "):
        script = script.replace(f" {file}", f" {ROOT}/otel{file}")
    environment = {**os.environ, "PATH": f"{machine}/bin:{os.environ['PATH']}"}
    subprocess.run(["sh", "-c", script], check=True, env=environment, capture_output=True, text=True)


def server_finds(machine: Path) -> dict[str, str | None]:
    """What the server reads when it is started where the compose file starts it."""
    ours = {"PATH": os.environ["PATH"]}
    command = [sys.executable, "-c", PROGRAM]
    folder = machine / "volumes/server-secrets"
    ended = subprocess.run(command, cwd=folder, env=ours, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    found: dict[str, str | None] = json.loads(ended.stdout)
    return found


def test_with_nothing_given_it_asks_the_sandbox_and_tells_nobody(machine: Path) -> None:
    run_init(machine)
    sandbox_key = (machine / "volumes/server-secrets/sandbox_key").read_text(encoding="utf-8")
    nobody = {"password": None, "hook": None, "token": None}
    assert server_finds(machine) == {"url": "http://sandbox:8081/api", "key": sandbox_key, **nobody}


def test_a_key_that_is_given_later_is_taken_and_forgotten_when_it_is_gone(machine: Path) -> None:
    run_init(machine)
    before = server_finds(machine)
    give(machine, key_file="key-of-a-file\n")
    run_init(machine)
    assert server_finds(machine) == {**before, "url": "https://libraries.io/api", "key": "key-of-a-file"}
    give(machine, key="key-of-the-environment", key_file="key-of-a-file\n")
    run_init(machine)
    assert server_finds(machine)["key"] == "key-of-the-environment"
    give(machine)
    run_init(machine)
    assert server_finds(machine) == before


def test_the_server_gets_the_secrets_of_the_channels(machine: Path) -> None:
    hook = "https://hooks.example.org/a-secret"
    give(machine, settings={"SMTP_PASSWORD": "it's $ecret", "WEBHOOK_URL": hook, "WEBHOOK_TOKEN": "a-token"})
    run_init(machine)
    found = server_finds(machine)
    assert (found["password"], found["hook"], found["token"]) == ("it's $ecret", hook, "a-token")
