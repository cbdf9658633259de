"""A function in a process of its own: for what is counted or weighed over a whole interpreter."""

import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from typing import TypeVar

Result = TypeVar("Result")
HANG_SECONDS = 300.0


def in_own_process(function: Callable[..., Result], *arguments: object) -> Result:
    """What `function`, of a module's top level, returns in a new interpreter; what it raises is raised here.

    The tests of one worker share its threads, its garbage and its caches: a figure of the whole interpreter would
    be theirs too.
    """
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(function, *arguments).result(HANG_SECONDS)
