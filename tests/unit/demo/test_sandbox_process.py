"""The second program waits for the right moment as the replies tell it, and spends exactly what is left."""

import httpx
import pytest

from libraries_io_mcp.demo.failure import DemoError, tail
from libraries_io_mcp.demo.sandbox_process import EARLY, Budget, Sandbox


class Replies:
    """Answers with (remaining, reset) pairs in order, and notes how long was slept."""

    def __init__(self, *budgets: tuple[int, int]) -> None:
        self.budgets = list(budgets)
        self.slept: list[float] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        assert request.url.params["api_key"] == "key"
        remaining, reset = self.budgets.pop(0)
        return httpx.Response(200, headers={"X-RateLimit-Remaining": str(remaining), "X-RateLimit-Reset": str(reset)})

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


def sandbox(answer) -> Sandbox:
    http = httpx.AsyncClient(transport=httpx.MockTransport(answer))
    return Sandbox("http://127.0.0.1:1/api", "key", http, getattr(answer, "sleep", None))


async def test_it_waits_for_the_middle_of_a_window_and_spends_the_rest():
    replies = Replies((9, 2), (19, 5), (18, 4), (2, 4), (1, 4), (0, 4))
    asking = sandbox(replies)
    assert await asking.use_up() == Budget(remaining=0, reset=4)
    assert replies.slept == [2, 1]
    assert asking.spent == 6
    assert replies.budgets == []


async def test_a_window_that_ends_meanwhile_is_no_good():
    replies = Replies((1, 3), (0, 2), (19, 4), (0, 4))
    assert (await sandbox(replies).use_up()).reset == 4
    assert replies.slept == []


async def test_a_fresh_window_is_recognised():
    replies = Replies((9, 1), (19, 5))
    assert (await sandbox(replies).at(EARLY)).reset == 5
    assert replies.slept == [1]


async def test_requests_are_counted_by_the_sandbox_itself():
    rows = [{"status": 200, "count": 5}, {"status": 429, "count": 2}]
    asking = sandbox(lambda _request: httpx.Response(200, json={"answers": rows}))
    assert await asking.answered() == 7
    assert await asking.answered(429) == 2
    assert await asking.answered(404) == 0


async def test_replies_without_a_budget_are_no_use():
    with pytest.raises(DemoError, match="answered 500 without saying what is left"):
        await sandbox(lambda _request: httpx.Response(500)).use_up()


async def test_a_sandbox_that_is_gone_is_named():
    def gone(_request):
        raise httpx.ConnectError("no")

    with pytest.raises(DemoError, match="the sandbox does not answer: ConnectError"):
        await sandbox(gone).use_up()


def test_the_tail_of_a_log(tmp_path):
    log = tmp_path / "log"
    assert tail(log) == "(nothing)"
    log.write_text("".join(f"line {number}\n" for number in range(30)))
    assert tail(log, 2) == "line 28\nline 29"
