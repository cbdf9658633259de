"""The hostile manifests that take a second or more to read: each ends, in memory that is bounded."""

from tests.support.own_process import in_own_process
from tests.unit.manifests.hostile import SLOW, costs, too_much


def test_the_slow_ones_end_and_take_little_memory():
    found = in_own_process(costs, sorted(SLOW))
    assert set(found) == SLOW
    assert too_much(found) == {}
