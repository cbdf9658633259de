"""The doctor against the real Collector, Prometheus and Alertmanager: well, and with one of them gone."""

import json
from pathlib import Path
from typing import Any, Final

import pytest
from tests.servers.stack import Stack
from tests.support.collectors import unused_port
from tests.support.command import run_command
from tests.support.stand_in import CANARY

EXAMINATIONS: Final = 3
"""On a busy machine a server may need longer for an answer than the doctor waits: then it is asked again."""


def doctor(folder: Path, warnings: set[str], **variables: str) -> dict[str, dict[str, Any]]:
    """Its findings by name, as soon as it warns of these and nothing else."""
    for _ in range(EXAMINATIONS):
        done = run_command("doctor", "--json", folder=folder, LIBRARIES_IO_API_KEY=CANARY, **variables)
        assert (done.returncode, done.stderr) == (0, "")
        found = {finding["name"]: finding for finding in json.loads(done.stdout)["findings"]}
        warned = {name for name, said in found.items() if said["state"] == "warning"}
        if warned == warnings:
            return found
    raise AssertionError(f"warned of {[found[name] for name in warned]}")


def test_the_real_servers_are_found_well(stack: Stack, sandbox_url: str, tmp_path: Path):
    found = doctor(
        tmp_path,
        set(),
        LIBRARIES_IO_BASE_URL=sandbox_url,
        OTEL_EXPORTER_OTLP_ENDPOINT=stack.collector.endpoint,
        PROMETHEUS_URL=stack.prometheus.url,
        ALERTMANAGER_URL=stack.alertmanager.url,
    )
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
        found = doctor(tmp_path, {name}, LIBRARIES_IO_BASE_URL=sandbox_url, **given)
    assert "connection refused" in found[name]["found"]
