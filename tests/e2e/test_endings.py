"""All combinations of the ends of a server; the fast tests have each way to end, state and transport once."""

from pathlib import Path

import pytest
from tests.support.collectors import STATES
from tests.support.endings import ENDINGS, assert_it_ends
from tests.support.endings_under_load import assert_http_loses_nothing, assert_stdio_loses_nothing

WAYS = [(transport, how) for transport, endings in ENDINGS.items() for how in endings]


@pytest.mark.parametrize(("transport", "how"), WAYS)
@pytest.mark.parametrize("state", STATES)
def test_it_ends(state: str, transport: str, how: str, tmp_path: Path):
    assert_it_ends(state, transport, how, tmp_path)


@pytest.mark.parametrize(("transport", "how"), WAYS)
@pytest.mark.parametrize("package", ["good", "hang"])
def test_calls_in_flight_are_answered_or_refused_and_counted(transport: str, how: str, package: str, tmp_path: Path):
    if transport == "stdio":
        assert_stdio_loses_nothing(how, package, tmp_path)
    else:
        assert_http_loses_nothing(how, package, tmp_path)
