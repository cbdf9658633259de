"""What is set for the whole interpreter: nothing is collected while it loads, and what is built then is left alone."""

import gc
import sys

from tests.support.own_process import in_own_process

from libraries_io_mcp import interpreter


def test_what_is_built_by_now_is_never_looked_through_again():
    while_loading, collects, built_is_looked_through, cycles_are_collected = in_own_process(_a_life)
    assert (while_loading, collects) == (False, True)
    assert not built_is_looked_through
    assert cycles_are_collected


def _a_life() -> tuple[bool, bool, bool, bool]:
    interpreter.loading()
    while_loading = gc.isenabled()
    built: list[object] = [[]]
    interpreter.serving()
    looked_through = any(each is built for each in gc.get_objects())
    before = gc.get_stats()[0]["collected"]
    for _ in range(2 * interpreter.YOUNG_OBJECTS):
        cycle: list[object] = []
        cycle.append(cycle)
    return while_loading, gc.isenabled(), looked_through, gc.get_stats()[0]["collected"] > before


def test_threads_give_way_soon():
    assert in_own_process(_switch_interval) < sys.getswitchinterval()


def _switch_interval() -> float:
    interpreter.serving()
    return sys.getswitchinterval()
