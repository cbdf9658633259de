"""Prometheus: started with `otel/prometheus.yml` and its rules, asked by its HTTP API."""

import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from tests.servers.binaries import OTEL, binaries
from tests.servers.process import ServerProcess
from tests.support.polling import HANG_SECONDS


@dataclass(frozen=True)
class Series:
    """One series of an instant query."""

    labels: Mapping[str, str]
    value: float


class Prometheus:
    """The server and its questions."""

    def __init__(self, folder: Path, port: int, targets: Mapping[str, str]) -> None:
        self.url = f"http://127.0.0.1:{port}"
        configuration = lay_out(folder / "configuration", targets)
        self.process = ServerProcess(
            "prometheus",
            [
                binaries("prometheus")["prometheus"],
                f"--config.file={configuration}",
                f"--storage.tsdb.path={folder / 'data'}",
                f"--web.listen-address=127.0.0.1:{port}",
                "--web.enable-otlp-receiver",
                "--web.enable-remote-write-receiver",  # for tests that bring samples of a time gone by
                "--enable-feature=exemplar-storage",
            ],
            folder,
            f"{self.url}/-/ready",
            {},
        )

    def query(self, expression: str, at: float | None = None) -> list[Series]:
        """An instant query, now or at a time in seconds."""
        moment = {} if at is None else {"time": str(at)}
        found = self._get("query", query=expression, **moment)["result"]
        return [Series(each["metric"], float(each["value"][1])) for each in found]

    def value(self, expression: str) -> float:
        """The sum of what an instant query gives; 0 when that is nothing."""
        return sum(series.value for series in self.query(expression))

    def samples(self, selector: str) -> list[tuple[Mapping[str, str], dict[int, float]]]:
        """The stored samples of a range of each series: labels, and value by time in milliseconds."""
        found: Any = self._get("query", query=selector)["result"]
        return [
            (each["metric"], {round(1000 * float(at)): float(value) for at, value in each["values"]}) for each in found
        ]

    def exemplars(self, expression: str) -> list[dict[str, Any]]:
        """The exemplars of the last hour: labels, value and time of each."""
        now = time.time()
        found: Any = self._get("query_exemplars", query=expression, start=str(now - 3600), end=str(now + 60))
        return [exemplar for series in found for exemplar in series["exemplars"]]

    def everything(self) -> str:
        """All labels of all series, metadata and exemplars."""
        every = '{__name__=~".+"}'
        window = {"start": "0", "end": str(time.time() + 60)}
        parts: list[Any] = [
            self._get("series", **{"match[]": every}, **window),
            self._get("query_exemplars", query=every, **window),
            self._get("metadata"),
        ]
        return str(parts)

    def _get(self, path: str, **parameters: str) -> dict[str, Any]:
        answer = httpx.get(f"{self.url}/api/v1/{path}", params=parameters, timeout=HANG_SECONDS)
        assert answer.is_success, answer.text
        return answer.json()["data"]


def lay_out(folder: Path, targets: Mapping[str, str]) -> Path:
    """The shipped files unchanged, with addresses of ours as targets. Returns the configuration file's path."""
    (folder / "targets").mkdir(parents=True, exist_ok=True)
    shutil.copy(OTEL / "prometheus.yml", folder)
    shutil.copytree(OTEL / "rules", folder / "rules", dirs_exist_ok=True)
    for path in (OTEL / "targets").glob("*.yml"):
        address = targets.get(path.stem)
        labels = f"  labels: {{service_name: {path.stem}}}\n"  # as the shipped ones
        content = f'- targets: ["{address}"]\n{labels}' if address else "[]\n"
        (folder / "targets" / path.name).write_text(content, encoding="utf-8")
    return folder / "prometheus.yml"
