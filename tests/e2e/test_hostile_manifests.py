"""Hostile manifests: each ends in an answer or an error, soon, and in memory that is bounded."""

import time

import pytest
from tests.support.own_process import in_own_process
from tests.unit.manifests.hostile import SAMPLES, SLOW, costs, too_much

from libraries_io_mcp.manifests import ManifestError, read_manifest


@pytest.mark.parametrize("name", [name for name in SAMPLES if name not in SLOW])
def test_each_ends_soon(name: str):
    filename, make = SAMPLES[name]
    text = make()
    start = time.perf_counter()
    try:
        manifest = read_manifest(text, filename or None)
    except ManifestError as error:
        assert str(error).endswith(".")  # noqa: PT017  both outcomes are fine
    else:
        assert len(manifest.packages) <= 10_000
        assert len(manifest.unread) <= 1_000
    # Generous, for a busy machine: hostile.py prints the real figures.
    assert time.perf_counter() - start < 60


def test_they_take_little_memory():
    found = in_own_process(costs, [name for name in SAMPLES if name not in SLOW])
    assert too_much(found) == {}


def test_the_slow_ones_end_and_take_little_memory():
    found = in_own_process(costs, sorted(SLOW))
    assert set(found) == SLOW
    assert too_much(found) == {}
