"""The real proxy before several replicas, with the configuration that is shipped."""

import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tests.servers.binaries import OTEL, ROOT
from tests.servers.process import ServerProcess

CONFIGURATION: Final = OTEL / "proxy" / "haproxy.cfg"


def haproxy() -> str:
    """Where it is; `scripts/proxy` installs it."""
    found = subprocess.run([ROOT / "scripts" / "proxy", "--where"], capture_output=True, text=True, check=False)
    assert found.returncode == 0, "no HAProxy here: run scripts/proxy"
    return found.stdout.strip()


def proxy(folder: Path, port: int, replicas: Sequence[int]) -> ServerProcess:
    """HAProxy on a loopback port before three replicas on others."""
    environment = {f"REPLICA_{number}": f"127.0.0.1:{each}" for number, each in enumerate(replicas, 1)}
    return ServerProcess(
        "haproxy",
        [haproxy(), "-db", "-f", CONFIGURATION],
        folder / "haproxy",
        f"http://127.0.0.1:{port}/proxy/health",
        {**environment, "PROXY_LISTEN": f"127.0.0.1:{port}"},
    )
