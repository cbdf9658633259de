import resource

import pytest

from libraries_io_mcp.doctor.limits import examine_limits
from libraries_io_mcp.settings import load_settings


@pytest.fixture(autouse=True)
def _own_place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_limits_in_force_are_told(monkeypatch):
    monkeypatch.setenv("MCP_MAX_CONNECTIONS", "10")
    (finding,) = examine_limits(load_settings(transport="http"))
    assert finding.state == "ok"
    assert "12000000 bytes a request" in finding.found
    assert "10 connections" in finding.found


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
