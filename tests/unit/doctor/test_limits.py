import resource

import pytest

from libraries_io_mcp.doctor.limits import examine_limits
from libraries_io_mcp.settings import LimitSettings, load_settings, variable


@pytest.fixture(autouse=True)
def _own_place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_limits_in_force_are_told(monkeypatch):
    monkeypatch.setenv("MCP_MAX_CONNECTIONS", "10")
    (finding,) = examine_limits(load_settings(transport="http"))
    assert finding.state == "ok"
    assert "12000000 bytes a request" in finding.found
    assert "10 connections" in finding.found


def test_every_limit_is_told(monkeypatch):
    fields = LimitSettings.model_fields.items()
    numbers = dict.fromkeys((name for name, field in fields if field.annotation in (int, float)), 0)
    for index, name in enumerate(numbers):
        # Each one another, in the range of nearly all of them, and the sizes of bodies in their order.
        numbers[name] = {"max_json_depth": 64, "max_held_bytes": 90_000}.get(name, 30_000 + index)
        monkeypatch.setenv(variable(LimitSettings, name), str(numbers[name]))
    (finding,) = examine_limits(load_settings(transport="http"))
    assert [name for name, number in numbers.items() if f"{number} " not in f"{finding.found} "] == []


def test_too_few_open_files_are_a_warning(monkeypatch):
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if hard == resource.RLIM_INFINITY or hard > 100_000:
        pytest.skip("this machine allows more than any setting asks for")
    monkeypatch.setenv("MCP_MAX_CONNECTIONS", str(hard))
    (finding,) = examine_limits(load_settings(transport="http"))
    assert finding.state == "warning"
    assert "ulimit -n" in finding.what_to_do


def test_stdio_has_no_limits():
    (finding,) = examine_limits(load_settings(transport="stdio"))
    assert finding.state == "skipped"
