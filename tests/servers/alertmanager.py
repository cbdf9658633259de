"""Alertmanager: started with `otel/alertmanager.yml`, asked by its HTTP API."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from tests.servers.binaries import OTEL, binaries
from tests.servers.process import ServerProcess
from tests.support.polling import HANG_SECONDS


class Alertmanager:
    """The server and its questions."""

    def __init__(self, folder: Path, port: int, *, configuration: Path = OTEL / "alertmanager.yml") -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.process = ServerProcess(
            "alertmanager",
            [
                binaries("alertmanager")["alertmanager"],
                f"--config.file={configuration}",
                f"--storage.path={folder / 'data'}",
                f"--web.listen-address=127.0.0.1:{port}",
                "--cluster.listen-address=",
            ],
            folder,
            f"{self.url}/-/ready",
            {},
        )

    def alerts(self) -> list[dict[str, Any]]:
        """The alerts it holds."""
        return httpx.get(f"{self.url}/api/v2/alerts", timeout=HANG_SECONDS).raise_for_status().json()

    def silences(self) -> list[dict[str, Any]]:
        """The silences it holds."""
        return httpx.get(f"{self.url}/api/v2/silences", timeout=HANG_SECONDS).raise_for_status().json()

    def silence(self, name: str) -> None:
        """Silence an alert of that name for an hour."""
        now = datetime.now(UTC)
        matcher = {"name": "alertname", "value": name, "isRegex": False}
        times = {"startsAt": now.isoformat(), "endsAt": (now + timedelta(hours=1)).isoformat()}
        given = {"matchers": [matcher], "createdBy": "a test", "comment": "of a test", **times}
        httpx.post(f"{self.url}/api/v2/silences", json=given, timeout=HANG_SECONDS).raise_for_status()
