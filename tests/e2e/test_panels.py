"""Every query of every panel, variables filled in, asked of the real servers: before anything was asked, and after."""

from collections.abc import Iterator, Mapping

import pytest
from tests.e2e.panels import Target, filled, targets
from tests.e2e.scenario import SOUGHT, Done, product_environment
from tests.servers.stack import Stack, running_stack
from tests.support.command import HTTP, Running
from tests.support.polling import poll_until

ARRIVAL_SECONDS = 240.0
TARGETS = [pytest.param(target, id=target.name.replace(" ", "_")) for target in targets()]
GOOD_DAY = {
    "Not delivered by the server",
    "Refused by a back end",
    "Queues that were full",
    "Told by the server itself",
    "Alerts firing",
}
"""Panels about series that begin with the first loss."""


@pytest.fixture(scope="module")
def fresh(sandbox_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack just brought up, with a server that nobody has asked anything."""
    folder = tmp_path_factory.mktemp("fresh")
    with running_stack(folder / "stack") as stack:
        given = product_environment(stack.collector.endpoint, sandbox_url, "fresh")
        with Running(*HTTP, folder=folder / "product", **given) as server:
            assert server.url
            yield stack


@pytest.mark.parametrize("target", TARGETS)
def test_every_panel_draws_before_anything_was_asked(fresh: Stack, target: Target) -> None:
    """Or says 0, or how something can be asked."""
    if not target.empty:
        poll_until(lambda: target.rows(fresh), f"rows for {target.name}", ARRIVAL_SECONDS)
    elif not target.rows(fresh):
        assert target.empty == "0" or "--profile traffic" in target.empty


@pytest.mark.parametrize("target", TARGETS)
def test_every_panel_draws(stack: Stack, played: Mapping[str, Done], report: list[str], target: Target) -> None:
    found = poll_until(lambda: target.rows(stack), f"rows for {target.name}", ARRIVAL_SECONDS)
    if target.may_be_nothing and target.panel not in GOOD_DAY:
        found = poll_until(
            lambda: target.rows(stack, bare=True), f"rows for {target.name} without the 0 for nothing", ARRIVAL_SECONDS
        )
    report.append(f"{target.name} | {found}")


def test_a_trace_id_chooses_its_log_records(stack: Stack, played: Mapping[str, Done]) -> None:
    (records,) = (target for target in targets() if target.panel == "Recent records")
    sought = {"libraries_io.package": SOUGHT["http"][1]}
    (trace,) = poll_until(lambda: stack.jaeger.traces(sought), "the trace in Jaeger", ARRIVAL_SECONDS)
    query = filled(records.asked["query"].replace("$trace", trace["traceID"]))
    rows = poll_until(lambda: stack.influxdb.flux(query), "its log records", ARRIVAL_SECONDS)
    assert {row["trace_id"] for row in rows} == {trace["traceID"]}
