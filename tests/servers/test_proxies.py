"""The configurations of proxies with TLS that docs/deployment.md shows can be loaded by the real ones."""

import re
import subprocess
import textwrap
from pathlib import Path
from typing import Final

import pytest
from tests.servers.binaries import ROOT
from tests.servers.ports import free_ports
from tests.servers.proxy import CONFIGURATION, binary
from tests.support.polling import HANG_SECONDS
from tests.support.tls import make_certificates

PAGE: Final = (ROOT / "docs" / "deployment.md").read_text(encoding="utf-8")


def block(title: str) -> str:
    """The indented block that follows a line which begins with a title."""
    found = re.search(rf"^{title}[^\n]*:\n\n((?:    [^\n]*\n)+)", PAGE, re.MULTILINE)
    assert found is not None, title
    return textwrap.dedent(found[1])


def check(*command: str | Path, folder: Path, **variables: str) -> None:
    environment = {"HOME": str(folder), "PATH": "/usr/bin:/bin", **variables}
    done = subprocess.run(
        command, env=environment, cwd=folder, capture_output=True, text=True, timeout=HANG_SECONDS, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path]:
    """A certificate and its key."""
    make_certificates(tmp_path)
    return tmp_path / "server.pem", tmp_path / "server.key"


def test_nginx(tmp_path: Path, pair: tuple[Path, Path]):
    shown = block("nginx")
    # It opens what it would listen on, also when it only checks.
    for given, ours in (
        ("listen 443", f"listen 127.0.0.1:{free_ports(1)[0]}"),
        ("/etc/ssl/packages.pem", str(pair[0])),
        ("/etc/ssl/packages.key", str(pair[1])),
    ):
        assert given in shown
        shown = shown.replace(given, ours)
    logs = f"pid {tmp_path}/pid; error_log stderr;"
    (tmp_path / "nginx.conf").write_text(f"{logs} events {{}} http {{ access_log off; {shown} }}")
    check(binary("nginx"), "-t", "-p", tmp_path, "-c", tmp_path / "nginx.conf", folder=tmp_path)


def test_caddy(tmp_path: Path):
    (tmp_path / "Caddyfile").write_text(block("Caddy"))
    check(binary("caddy"), "validate", "--adapter", "caddyfile", "--config", tmp_path / "Caddyfile", folder=tmp_path)


def test_haproxy_with_tls(tmp_path: Path, pair: tuple[Path, Path]):
    both = tmp_path / "both.pem"
    both.write_text("".join(each.read_text() for each in pair))
    plain = CONFIGURATION.read_text(encoding="utf-8")
    line = 'bind "${PROXY_LISTEN}"'
    assert plain.count(line) == 1
    (tmp_path / "haproxy.cfg").write_text(plain.replace(line, f"{line} ssl crt {both}"))
    listen, *replicas = (f"127.0.0.1:{port}" for port in free_ports(4))
    named = {f"REPLICA_{number}": each for number, each in enumerate(replicas, 1)}
    check(binary("haproxy"), "-c", "-f", tmp_path / "haproxy.cfg", folder=tmp_path, PROXY_LISTEN=listen, **named)
