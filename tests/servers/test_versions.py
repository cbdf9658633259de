"""What is tested is what is shipped: every place that names a version says what `otel/versions.env` says."""

import re

import pytest
import yaml
from tests.servers.binaries import OTEL, ROOT, versions

PINS = versions()
MODULES = {
    "prometheus": ("github.com/prometheus/prometheus", PINS["PROMETHEUS_MODULE"]),
    "alertmanager": ("github.com/prometheus/alertmanager", PINS["ALERTMANAGER_VERSION"]),
    "jaeger": ("github.com/jaegertracing/jaeger", PINS["JAEGER_MODULE"]),
    "influxdb": ("github.com/influxdata/influxdb/v2", f"v{PINS['INFLUXDB_VERSION']}"),
    "builder": ("go.opentelemetry.io/collector/cmd/builder", f"v{PINS['COLLECTOR_VERSION']}"),
}


def test_compose_defaults_to_the_pins() -> None:
    text = (ROOT / "docker-compose.observability.yml").read_text(encoding="utf-8")
    defaults = dict(re.findall(r"\$\{(\w+_VERSION):-([^}]+)\}", text))
    assert defaults == {name: value for name, value in PINS.items() if name.endswith("_VERSION")}


def test_the_dockerfile_defaults_to_the_pin() -> None:
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    assert re.findall(r"^ARG PYTHON_VERSION=(.+)$", text, re.MULTILINE) == [PINS["PYTHON_VERSION"]]


def test_the_builder_takes_every_component_at_the_pin_and_the_lock_has_it() -> None:
    manifest = yaml.safe_load((OTEL / "builder-config.yaml").read_text(encoding="utf-8"))
    assert manifest["dist"]["version"] == PINS["COLLECTOR_VERSION"]
    kinds = manifest.keys() - {"dist", "replaces"}
    modules = {kind: dict(entry["gomod"].split() for entry in manifest[kind]) for kind in kinds}
    lock = (ROOT / "scripts" / "servers.d" / "collector" / "go.mod").read_text(encoding="utf-8")
    assert {f"{module} {version}" for found in modules.values() for module, version in found.items()} <= {
        line.strip().removesuffix(" // indirect") for line in lock.splitlines()
    }
    assert set(modules.pop("providers").values()) == {PINS["COLLECTOR_PROVIDERS"]}
    assert {version for found in modules.values() for version in found.values()} == {f"v{PINS['COLLECTOR_VERSION']}"}


@pytest.mark.parametrize("server", MODULES)
def test_the_locked_modules_are_at_the_pins(server: str) -> None:
    module, version = MODULES[server]
    lock = (ROOT / "scripts" / "servers.d" / server / "go.mod").read_text(encoding="utf-8")
    assert re.findall(rf"^\s*(?:require )?{re.escape(module)} (\S+)", lock, re.MULTILINE) == [version]
