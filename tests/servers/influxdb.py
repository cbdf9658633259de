"""InfluxDB: started, set up by `otel/influxdb/setup.sh`, asked in Flux with Grafana's read token."""

import csv
import os
import subprocess
from pathlib import Path
from typing import Final

import httpx
from tests.servers.binaries import OTEL, binaries
from tests.servers.process import ServerProcess
from tests.support.polling import HANG_SECONDS

ORGANISATION: Final = "libraries-io-mcp"


class InfluxDB:
    """The server and its questions."""

    def __init__(self, folder: Path, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.address = f"127.0.0.1:{port}"
        self._secrets = folder / "secrets"
        self.collector_token_file = self._secrets / "collector_token"
        self.grafana_token_file = self._secrets / "grafana_token"
        self.process = ServerProcess(
            "influxdb",
            [
                binaries("influxdb")["influxd"],
                f"--http-bind-address=127.0.0.1:{port}",
                f"--bolt-path={folder / 'influxd.bolt'}",
                f"--sqlite-path={folder / 'influxd.sqlite'}",
                f"--engine-path={folder / 'engine'}",
                "--reporting-disabled",
            ],
            folder,
            f"{self.url}/health",
            {},
        )

    def set_up(self) -> str:
        """Run the shipped script and return what it says; it may run any number of times."""
        self._secrets.mkdir(exist_ok=True)
        given = {"admin_password": "a password of the tests", "admin_token": "an-admin-token-of-the-tests"}
        for name, content in given.items():
            (self._secrets / name).write_text(content, encoding="utf-8")
        environment = {
            "PATH": f"{binaries('influxdb')['influx'].parent}:{os.defpath}",
            "INFLUX_HOST": self.url,
            "INFLUXDB_ORG": ORGANISATION,
            "INFLUXDB_ADMIN_PASSWORD_FILE": str(self._secrets / "admin_password"),
            "INFLUXDB_ADMIN_TOKEN_FILE": str(self._secrets / "admin_token"),
            "INFLUXDB_COLLECTOR_TOKEN_FILE": str(self.collector_token_file),
            "INFLUXDB_GRAFANA_TOKEN_FILE": str(self.grafana_token_file),
        }
        script = str(OTEL / "influxdb" / "setup.sh")
        ended = subprocess.run(
            ["sh", script], env=environment, capture_output=True, text=True, timeout=HANG_SECONDS, check=False
        )
        assert ended.returncode == 0, ended.stderr
        return ended.stdout

    def flux(self, query: str, token_file: Path | None = None) -> list[dict[str, str]]:
        """The rows of a query's answer, each as column -> text."""
        answer = self.ask(query, token_file or self.grafana_token_file)
        assert answer.is_success, answer.text
        return [row for table in answer.text.split("\r\n\r\n") for row in csv.DictReader(table.splitlines())]

    def ask(self, query: str, token_file: Path) -> httpx.Response:
        """The bare answer to a query with somebody's token."""
        return httpx.post(
            f"{self.url}/api/v2/query",
            params={"org": ORGANISATION},
            headers={
                "Authorization": f"Token {token_file.read_text(encoding='utf-8')}",
                "Content-Type": "application/vnd.flux",
                "Accept": "application/csv",
            },
            content=query,
            timeout=HANG_SECONDS,
        )

    def write(self, bucket: str, line: str, token_file: Path) -> httpx.Response:
        """Write a line of line protocol with somebody's token."""
        return httpx.post(
            f"{self.url}/api/v2/write",
            params={"org": ORGANISATION, "bucket": bucket},
            headers={"Authorization": f"Token {token_file.read_text(encoding='utf-8')}"},
            content=line,
            timeout=HANG_SECONDS,
        )
