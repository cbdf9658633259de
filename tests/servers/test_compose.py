"""What the compose file may not do: reach beyond this machine, float, show a secret, run with needless rights."""

import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.servers.binaries import ROOT

FILE = ROOT / "docker-compose.observability.yml"
TEXT = FILE.read_text(encoding="utf-8")
STACK: Mapping[str, Any] = yaml.safe_load(TEXT)
SERVICES: Mapping[str, Mapping[str, Any]] = STACK["services"]
PUBLISHED = {
    "libraries-io-mcp": {8000},
    "proxy": {8001},
    "otel-collector": {4317, 4318},
    "prometheus": {9090},
    "alertmanager": {9093},
    "influxdb": {8086},
    "jaeger": {16686},
    "grafana": {3000},
}
SERVERS = {name: each for name, each in SERVICES.items() if (each.get("command") or [""])[0] == "serve"}
SERIES = {"HAPROXY_VERSION", "BUSYBOX_VERSION", "PYTHON_VERSION"}
"""Pinned to a series, within which corrections come by themselves; all others are pinned to one release."""
SECRET_NAME = re.compile(r"(?i)(password|secret|token|api_?key|credential)")


@pytest.fixture(params=SERVICES)
def service(request: pytest.FixtureRequest) -> Mapping[str, Any]:
    """Each service."""
    return SERVICES[request.param]


def test_it_is_valid_by_the_compose_specification() -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(FILE)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_ports_are_published_on_loopback_only() -> None:
    published = {name: set(each["ports"]) for name, each in SERVICES.items() if "ports" in each}
    assert published == {name: {f"127.0.0.1:{port}:{port}" for port in ports} for name, ports in PUBLISHED.items()}


def test_no_service_leaves_its_network(service: Mapping[str, Any]) -> None:
    assert service.get("network_mode", "none") == "none"
    assert not {"privileged", "pid", "ipc", "devices", "userns_mode"} & set(service)


def test_images_are_pinned(service: Mapping[str, Any]) -> None:
    if "build" in service:
        assert service["image"] == "libraries-io-mcp:local"
    else:
        assert re.fullmatch(r"[a-z/-]+:\$\{[A-Z]+_VERSION:-[v\d][^}]*\}(-alpine)?", service["image"])
        assert "latest" not in service["image"]
    for name, version in re.findall(r"\$\{([A-Z]+_VERSION):-([^}]+)\}", str(service)):
        release = r"v?\d+\.\d+(-\w+)?" if name in SERIES else r"v?\d+\.\d+\.\d+"
        assert re.fullmatch(release, version), name


def test_no_secret_in_plain_sight(service: Mapping[str, Any]) -> None:
    environment = service.get("environment", {})
    for name, value in environment.items():
        assert not SECRET_NAME.search(name) or re.fullmatch(r"/run/[a-z-]+/[a-z_]+", str(value)), name
    assert not re.search(r"\b[0-9a-f]{32,}\b", TEXT)
    assert "env_file" not in service


def test_services_have_few_rights(service: Mapping[str, Any]) -> None:
    assert service["cap_drop"] == ["ALL"]
    assert set(service.get("cap_add", [])) <= {"CHOWN", "DAC_OVERRIDE"}
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["read_only"] or service is SERVICES["init"]
    assert service is SERVICES["init"] or "build" in service or not service["user"].startswith("0")


def test_services_are_bounded(service: Mapping[str, Any]) -> None:
    assert service["deploy"]["resources"]["limits"]["memory"]
    assert service["logging"]["options"]["max-size"]
    assert service["restart"] in {"unless-stopped", "no"}


def test_long_running_services_say_whether_they_are_well(service: Mapping[str, Any]) -> None:
    dockerfile_has_one = "build" in service
    assert "healthcheck" in service or dockerfile_has_one or service["restart"] == "no"


def test_everything_that_is_mounted_is_there(service: Mapping[str, Any]) -> None:
    for volume in service.get("volumes", []):
        source, target, *mode = volume.split(":")
        if source.startswith("./"):
            assert (ROOT / source).exists(), source
            assert mode == ["ro"], target
        else:
            assert source in STACK["volumes"]


def test_secrets_are_read_only_but_where_they_are_made() -> None:
    writers = {"init", "influxdb-setup"}
    for name, service in SERVICES.items():
        for volume in service.get("volumes", []):
            if volume.split(":")[0].endswith("-secrets"):
                assert name in writers or volume.endswith(":ro"), f"{name}: {volume}"


def test_shell_scripts_are_executable_and_readable_by_all() -> None:
    for path in (ROOT / "otel").rglob("*.sh"):
        assert path.read_text(encoding="utf-8").startswith("#!/bin/sh\n")
        assert Path(path).stat().st_mode & 0o004


def test_it_reads_what_the_documents_say_can_be_set() -> None:
    page = (ROOT / "docs" / "stack.md").read_text(encoding="utf-8")
    table = re.search(r"### What can be set\n.*?\n((?:\|[^\n]*\n)+)", page, re.DOTALL)
    assert table
    named = {name for row in table[1].splitlines() for name in re.findall(r"`([A-Z_]+)`", row.split("|")[1])}
    read = set(re.findall(r"\$\{(\w+)", TEXT))
    assert named == {name for name in read if not name.endswith("_VERSION")}


def hosts(path: Path) -> list[str]:
    """The services that a file of targets names, all on the server's port."""
    found = [target.split(":") for group in yaml.safe_load(path.read_text()) for target in group["targets"]]
    assert {port for _host, port in found} == {"8000"}
    return [host for host, _port in found]


def test_whichever_profile_is_on_all_servers_act_as_one() -> None:
    """Another one with the same key would spend quota that the others do not see, and tell of alerts beside them."""
    assert len(SERVERS) == 4
    assert {each["environment"]["REDIS_URL"] for each in SERVERS.values()} == {"redis://valkey:6379/0"}
    assert all("valkey" in each["depends_on"] for each in SERVERS.values())
    assert "profiles" not in SERVICES["valkey"]


def test_prometheus_asks_every_server_once_and_none_that_is_not_there() -> None:
    always, replicas = (ROOT / "otel" / "targets" / name for name in ("libraries-io-mcp.yml", "replicas"))
    with_profile = replicas / "libraries-io-mcp.yml"
    assert hosts(always) == [name for name, each in SERVERS.items() if "profiles" not in each]
    assert hosts(with_profile) == [name for name, each in SERVERS.items() if each.get("profiles") == ["replicas"]]
    for name, each in SERVERS.items():
        assert name in each["environment"]["MCP_ALLOWED_HOSTS"].split(",")
    brings = SERVICES["replica-targets"]
    assert brings["profiles"] == ["replicas"]
    source, target = brings["command"][1:]
    assert f"./{with_profile.relative_to(ROOT)}:{source}:ro" in brings["volumes"]
    volume = next(each.split(":")[0] for each in brings["volumes"] if target.startswith(each.split(":")[1] + "/"))
    assert f"{volume}:/etc/prometheus/replicas:ro" in SERVICES["prometheus"]["volumes"]
    assert f"rm -f {volume}/*.yml" in (ROOT / "otel" / "init.sh").read_text(encoding="utf-8")
    (job,) = (
        each
        for each in yaml.safe_load((ROOT / "otel" / "prometheus.yml").read_text(encoding="utf-8"))["scrape_configs"]
        if each["job_name"] == "libraries-io-mcp-route"
    )
    assert job["file_sd_configs"] == [{"files": ["targets/libraries-io-mcp.yml", "replicas/*.yml"]}]
