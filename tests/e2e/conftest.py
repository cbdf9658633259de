"""The five real servers and the product, started once for all end-to-end tests."""

from collections.abc import Iterator, Mapping
from typing import Final

import pytest
from tests.e2e.scenario import TRANSPORTS, Done, play
from tests.servers.stack import Stack, running_stack


def pytest_configure(config: pytest.Config) -> None:
    """Name the tests that take a quarter of an hour."""
    config.addinivalue_line("markers", "outage: kills real servers for two minutes each (make e2e-outages)")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What is kept is searched last, when all other tests have put theirs into it."""
    items.sort(key=lambda item: item.path.name == "test_secrets.py")


LINES: Final = pytest.StashKey[list[str]]()


@pytest.fixture(scope="session")
def report(request: pytest.FixtureRequest) -> list[str]:
    """Lines of a table that is printed below the results."""
    return request.config.stash.setdefault(LINES, [])


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print what the tests have counted."""
    for line in config.stash.get(LINES, []):
        terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The servers, back ends first; their logs and data stay in the temporary folder."""
    with running_stack(tmp_path_factory.mktemp("stack")) as stack:
        yield stack


@pytest.fixture(scope="session")
def played(stack: Stack, sandbox_url: str, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Done]:
    """What the product was asked, by transport; both servers have ended."""
    folder = tmp_path_factory.mktemp("product")
    newest = "count_over_time(libraries_io_retries_total[6h]) >= 3"  # of what is asked last

    asked_first = f'gen_ai_tool_name="get_package_info",deployment_environment_name="{Done("http").environment_name}"'
    counts = ("mcp_server_operation_duration_seconds_count", "traces_span_metrics_calls_total")

    def begun() -> bool:
        return all(stack.prometheus.query(f"last_over_time({name}{{{asked_first}}}[6h])") for name in counts)

    def drawn() -> bool:
        return bool(stack.prometheus.query(newest))

    endpoint = stack.collector.endpoint
    return {each: play(each, folder / each, endpoint, sandbox_url, begun, drawn) for each in TRANSPORTS}


@pytest.fixture(params=TRANSPORTS)
def done(request: pytest.FixtureRequest, played: Mapping[str, Done]) -> Done:
    """What was done over each transport."""
    return played[request.param]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Show the servers' last words beside a failure."""
    report = yield
    stack = getattr(item, "funcargs", {}).get("stack")
    if report.failed and stack is not None:
        report.sections.append(("the real servers", stack.last_words()))
    return report
