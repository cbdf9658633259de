"""Figures over time: a row a slice, all tools together, an hour at most."""

from opentelemetry.sdk.metrics import MeterProvider

from libraries_io_mcp.telemetry.distribution import Distribution
from libraries_io_mcp.telemetry.instruments import Instruments
from libraries_io_mcp.telemetry.recent import Recent
from libraries_io_mcp.telemetry.series import SLICES, Series, rows_of
from libraries_io_mcp.telemetry.summary import Summary


def distribution(count: int, seconds: float, failures: int = 0) -> Distribution:
    return Distribution((1.0,), (count, 0), count * seconds, seconds, seconds, failures)


class Stage:
    """A summary with a series behind it, and a clock that is told to move."""

    def __init__(self) -> None:
        self.time = 0.0
        provider = MeterProvider(shutdown_on_exit=False)
        self.instruments = Instruments(provider.get_meter("test"))
        self.series = Series()
        self.summary = Summary(Recent(provider).collect, monotonic=lambda: self.time, on_slice=self.series.add)

    def call(self, tool: str, seconds: float = 0.1, **more: str) -> None:
        self.instruments.operation(seconds, {"mcp.method.name": "tools/call", "gen_ai.tool.name": tool, **more})

    def pass_slices(self, count: int) -> None:
        for _ in range(count):
            self.time += 15
            self.summary.gather()


def test_rows_have_the_tools_together():
    rows = rows_of(
        {
            ("operations", "tools/call one"): distribution(3, 0.2),
            ("operations", "tools/call two"): distribution(1, 0.4, failures=1),
            ("operations", "tools/list"): distribution(9, 0.9),
            ("libraries_io_calls", "/search"): distribution(2, 0.5),
        }
    )
    assert rows["operations"]["tools/call one"] == (3, 0, 0.2, 0.2, 0.2)
    assert rows["operations"]["tools/call"][:2] == (4, 1)
    assert rows["libraries_io_calls"]["/search"][0] == 2


def test_without_calls_of_tools_there_is_no_row_of_them_all():
    assert "tools/call" not in rows_of({("operations", "tools/list"): distribution(1, 0.1)})["operations"]
    assert rows_of({}) == {}


def test_a_finished_slice_is_told_once_the_next_begins():
    stage = Stage()
    stage.call("one")
    assert stage.series.since(-1) == ([], -1)
    stage.summary.gather()
    stage.pass_slices(1)
    ((slice_,), number) = stage.series.since(-1)
    assert (slice_["number"], slice_["operations"]["tools/call one"][0], number) == (0, 1, 0)
    stage.pass_slices(2)
    assert [each["number"] for each in stage.series.since(number)[0]] == [1, 2]


def test_the_slice_that_goes_on_is_told_apart():
    stage = Stage()
    stage.pass_slices(2)
    stage.time += 5
    stage.call("one")
    latest = stage.summary.latest()
    assert (latest.number, latest.seconds, list(latest.operations)) == (2, 5.0, [("operations", "tools/call one")])


def test_all_tools_of_the_last_minutes():
    stage = Stage()
    assert stage.summary.latest().tools is None
    stage.call("one", 0.1)
    stage.call("two", 0.3, **{"error.type": "tool_error"})
    found = stage.summary.latest().tools
    assert found is not None
    assert (found["count"], found["failures"], found["max"]) == (2, 1, 0.3)
    stage.pass_slices(30)
    assert stage.summary.latest().tools is None


def test_an_hour_is_kept():
    stage = Stage()
    stage.pass_slices(SLICES + 100)
    slices, _ = stage.series.since(-1)
    assert len(slices) == SLICES
    assert stage.series.facts() == {"slice_seconds": 15.0, "most_slices": SLICES}
