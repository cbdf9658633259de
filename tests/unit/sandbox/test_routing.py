import pytest

from libraries_io_mcp.sandbox.routing import find_route
from libraries_io_mcp.sandbox.table import routes


@pytest.mark.parametrize(
    ("method", "path", "template"),
    [
        ("GET", "/api/platforms", "/api/platforms"),
        ("HEAD", "/api/platforms/", "/api/platforms"),
        ("GET", "/api/npm/socket.io", "/api/{platform}/{name}"),
        ("GET", "/api/npm/a/1.0.0-rc.1+b%7E2/dependencies", "/api/{platform}/{name}/{number}/dependencies"),
        ("GET", "/api/npm/a/1.0~2/dependencies", None),
        ("GET", "/api/n.p.m/a", None),
        ("GET", "/api/GitHub/a", "/api/{host}/{login}"),
        ("GET", "/api/github/a.b", "/api/{platform}/{name}"),
        ("GET", "/api/github/a/b.c", "/api/{host}/{owner}/{repository}"),
        ("GET", "/api/github/a/dependencies", "/api/{host}/{login}/dependencies"),
        ("GET", "/api/github/a/b/dependencies", "/api/{host}/{owner}/{repository}/dependencies"),
        ("GET", "/api/github/repository", "/api/{host}/repository"),
        ("DELETE", "/api/subscriptions/npm/a", "/api/subscriptions/{platform}/{name}"),
        ("DELETE", "/api/npm/a", None),
    ],
)
def test_table(method: str, path: str, template: str | None):
    match = find_route(routes(), method, path)
    assert (match.route.template if match else None) == template


def test_variables_are_decoded_once():
    match = find_route(routes(), "GET", "/api/npm/a%2520b+c")
    assert match.parameters == {"platform": "npm", "name": "a%20b+c"}
