"""One greedy caller and nine modest ones share a key: the modest ones hardly notice. Over processes: tests/e2e."""

from tests.support.greedy import BOUND_SECONDS, Run


async def test_modest_callers_wait_no_longer_than_documented():
    run = Run(ahead=17.0)
    late = await run.to_the_end()
    assert set(run.failed) == {"greedy"}
    assert late[-1] <= BOUND_SECONDS
