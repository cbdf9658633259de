"""The doctor against the real Collector, Prometheus and Alertmanager: well, and with one of them gone."""

import json
from pathlib import Path
from typing import Any

import pytest
from tests.servers.stack import Stack
from tests.support.collectors import unused_port
from tests.support.command import run_command
from tests.support.stand_in import CANARY


def doctor(folder: Path, **variables: str) -> tuple[int, dict[str, dict[str, Any]]]:
    """Its exit code and its findings by name."""
    done = run_command("doctor", "--json", folder=folder, LIBRARIES_IO_API_KEY=CANARY, **variables)
    assert done.stderr == ""
    return done.returncode, {finding["name"]: finding for finding in json.loads(done.stdout)["findings"]}


def test_the_real_servers_are_found_well(stack: Stack, sandbox_url: str, tmp_path: Path):
    code, found = doctor(
        tmp_path,
        LIBRARIES_IO_BASE_URL=sandbox_url,
        OTEL_EXPORTER_OTLP_ENDPOINT=stack.collector.endpoint,
        PROMETHEUS_URL=stack.prometheus.url,
        ALERTMANAGER_URL=stack.alertmanager.url,
    )
    assert code == 0
    for name in ("collector", "prometheus", "alertmanager", "rules", "upstream", "key", "clock"):
        assert found[name]["state"] == "ok", found[name]
    assert "all of our" in found["prometheus"]["found"]


@pytest.mark.parametrize("name", ["collector", "prometheus", "alertmanager"])
def test_one_that_is_gone_is_named(stack: Stack, sandbox_url: str, tmp_path: Path, name: str):
    addresses = {
        "collector": ("OTEL_EXPORTER_OTLP_ENDPOINT", stack.collector.endpoint),
        "prometheus": ("PROMETHEUS_URL", stack.prometheus.url),
        "alertmanager": ("ALERTMANAGER_URL", stack.alertmanager.url),
    }
    with unused_port() as port:
        given = {
            variable: f"http://127.0.0.1:{port}" if each == name else url for each, (variable, url) in addresses.items()
        }
        code, found = doctor(tmp_path, LIBRARIES_IO_BASE_URL=sandbox_url, **given)
    assert code == 0
    assert {each for each, said in found.items() if said["state"] == "warning"} == {name}
    assert "connection refused" in found[name]["found"]
