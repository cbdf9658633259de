"""All combinations of the ends of a server; the fast tests have each way to end, state and transport once."""

from pathlib import Path

import pytest
from tests.support.collectors import STATES
from tests.support.endings import ENDINGS, assert_it_ends
from tests.support.endings_under_load import FORMS, assert_http_loses_nothing, assert_stdio_loses_nothing

WAYS = [(transport, how) for transport, endings in ENDINGS.items() for how in endings]


@pytest.mark.parametrize(("transport", "how"), WAYS)
@pytest.mark.parametrize("state", STATES)
def test_it_ends(state: str, transport: str, how: str, tmp_path: Path):
    assert_it_ends(state, transport, how, tmp_path)


@pytest.mark.parametrize("how", ENDINGS["stdio"])
@pytest.mark.parametrize("package", ["good", "hang"])
def test_calls_in_flight_on_stdio_are_answered_or_refused_and_counted(how: str, package: str, tmp_path: Path):
    assert_stdio_loses_nothing(how, package, tmp_path)


@pytest.mark.parametrize("how", ENDINGS["http"])
@pytest.mark.parametrize("package", ["good", "hang"])
@pytest.mark.parametrize("form", FORMS)
def test_calls_in_flight_over_http_are_answered_or_refused_and_counted(
    how: str, package: str, form: str, tmp_path: Path
):
    assert_http_loses_nothing(how, package, form, tmp_path)
