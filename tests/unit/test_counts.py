"""What a call, a record and a scrape take, in functions called: exactly what was written down."""

import json
import sys

import pytest
from benchmarks.counts import BASELINE, PYTHON, run


@pytest.mark.skipif(not sys.version.startswith(f"{PYTHON}."), reason=f"the counts are those of Python {PYTHON}")
def test_a_change_says_what_it_costs():
    """A change that costs more, or less, renews the counts (`make counts`) in its own commit, to be judged there."""
    assert run() == json.loads(BASELINE.read_text(encoding="utf-8"))
