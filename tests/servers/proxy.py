"""The real proxy before several replicas, with the configuration that is shipped."""

import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tests.servers.binaries import OTEL, ROOT
from tests.servers.process import ServerProcess

CONFIGURATION: Final = OTEL / "proxy" / "haproxy.cfg"


def binary(name: str) -> str:
    """Where haproxy, nginx or caddy is; `scripts/proxy` installs them."""
    found = subprocess.run([ROOT / "scripts" / "proxy", "--where", name], capture_output=True, text=True, check=False)
    assert found.returncode == 0, f"no {name} here: run scripts/proxy"
    return found.stdout.strip()


def proxy(folder: Path, port: int, replicas: Sequence[int]) -> ServerProcess:
    """HAProxy on a loopback port before three replicas on others."""
    environment = {f"REPLICA_{number}": f"127.0.0.1:{each}" for number, each in enumerate(replicas, 1)}
    return ServerProcess(
        "haproxy",
        [binary("haproxy"), "-db", "-f", CONFIGURATION],
        folder / "haproxy",
        f"http://127.0.0.1:{port}/proxy/health",
        {**environment, "PROXY_LISTEN": f"127.0.0.1:{port}"},
    )
