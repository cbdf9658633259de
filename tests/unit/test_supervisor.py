"""What keeps the server's parts running: whatever ends one is said, and it is started again after a pause."""

import asyncio

import pytest

from libraries_io_mcp.supervisor import LONGEST_PAUSE_SECONDS, WELL_SECONDS, Supervisor

pytestmark = pytest.mark.anyio


class PanicError(BaseException):
    """What a foreign library throws that is no Exception."""


class Stage:
    """A supervisor on a clock of its own; it keeps a part that fails with each of the errors in turn, then rests."""

    def __init__(self, *errors: BaseException) -> None:
        self.now = 0.0
        self.pauses: list[float] = []
        self.errors = list(errors)
        self.resting = asyncio.Event()
        self.supervisor = Supervisor(monotonic=lambda: self.now, sleep=self.sleep)

    async def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds

    async def work(self) -> None:
        if self.errors:
            raise self.errors.pop(0)
        self.resting.set()
        await asyncio.Event().wait()

    async def run(self) -> None:
        task = asyncio.create_task(self.supervisor.keep("the part", self.work))
        await asyncio.wait_for(self.resting.wait(), 30)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


@pytest.mark.parametrize("error", [ValueError(), PanicError(), asyncio.CancelledError(), SystemExit(1)])
async def test_whatever_ends_a_part_it_is_started_again(error: BaseException, caplog: pytest.LogCaptureFixture):
    stage = Stage(error)
    await stage.run()
    assert stage.supervisor.problems == (f"the part failed 1 s ago ({type(error).__name__})",)
    assert f"the part failed ({type(error).__name__}); again in 1 s" in caplog.text
    stage.now += WELL_SECONDS
    assert stage.supervisor.problems == ()


async def test_pauses_grow_while_it_fails_again_and_again():
    stage = Stage(*(ValueError() for _ in range(8)))
    await stage.run()
    assert stage.pauses == [1, 2, 4, 8, 16, 32, 60, LONGEST_PAUSE_SECONDS]


async def test_a_part_that_has_come_to_its_end_is_left_alone():
    supervisor = Supervisor()

    async def done() -> None:
        """Nothing more to do."""

    await supervisor.keep("the part", done)
    assert supervisor.problems == ()
