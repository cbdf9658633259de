"""Looking up in pieces: what is asked, what is halved, and what becomes of a piece that fails."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import pytest

from libraries_io_mcp.errors import (
    CallError,
    CircuitOpenError,
    ForbiddenError,
    KeyRejectedError,
    NotFoundError,
    ReplyTooLargeError,
    UpstreamFaultError,
    UpstreamTimeoutError,
)
from libraries_io_mcp.judging.lookup import PIECE, Found, look_up
from libraries_io_mcp.librariesio.models import CheckedProject
from libraries_io_mcp.librariesio.reply import Reply

pytestmark = pytest.mark.anyio
NOW = datetime(2026, 6, 1, tzinfo=UTC)
Piece = Sequence[tuple[str, str]]


class Service:
    """Answers `check` by a rule: an error to raise, or the names it knows."""

    def __init__(self, rule: Callable[[Piece], CallError | None]) -> None:
        self.rule = rule
        self.asked: list[int] = []

    async def check(self, packages: Piece) -> Reply[tuple[CheckedProject, ...]]:
        self.asked.append(len(packages))
        if (error := self.rule(packages)) is not None:
            raise error
        known = [(platform, name) for platform, name in packages if not name.startswith("no-")]
        found = tuple(CheckedProject(platform=platform, name=name) for platform, name in known)
        return Reply(found, "/check", NOW)


def names(count: int, platform: str = "NPM") -> list[tuple[str, str]]:
    return [(platform, f"p{number}") for number in range(count)]


async def looked_up(service: Service, wanted: Piece) -> tuple[Found, int]:
    """What came of it, and how many packages were told to be done."""
    done: list[int] = []
    found = await look_up(service, wanted, done.append)
    every = [*found.projects, *found.missing, *found.unasked]
    assert sorted(every) == sorted(set(wanted))
    return found, sum(done)


async def test_pieces_of_a_hundred_and_no_package_twice():
    service = Service(lambda _: None)
    found, done = await looked_up(service, [*names(250), *names(250), ("NPM", "no-such")])
    assert sorted(service.asked) == [51, PIECE, PIECE]
    assert done == 251
    assert found.missing == [("NPM", "no-such")]
    assert found.as_of() == NOW


async def test_a_reply_that_is_too_large_is_asked_for_in_ever_smaller_pieces():
    service = Service(lambda piece: ReplyTooLargeError("large") if ("NPM", "p7") in piece else None)
    found, done = await looked_up(service, names(100))
    assert list(found.unasked) == [("NPM", "p7")]
    assert "reply_too_large" in found.unasked["NPM", "p7"]
    assert len(found.projects) == 99
    assert done == 100


@pytest.mark.parametrize("error", [UpstreamTimeoutError("slow"), UpstreamFaultError("502")])
async def test_a_piece_that_takes_too_long_is_halved_once(error: CallError):
    service = Service(lambda piece: error if len(piece) > PIECE // 2 else None)
    found, _ = await looked_up(service, names(100))
    assert service.asked == [100, 50, 50]
    assert not found.unasked


async def test_a_service_that_is_down_is_an_error_after_few_requests():
    service = Service(lambda _: UpstreamFaultError("down"))
    with pytest.raises(UpstreamFaultError):
        await look_up(service, names(100))
    assert service.asked == [100, 50, 50]


async def test_a_piece_that_fails_is_noted_and_the_others_stand():
    service = Service(lambda piece: CircuitOpenError("open") if ("NPM", "p150") in piece else None)
    found, done = await looked_up(service, names(300))
    assert len(found.unasked) == 100
    assert "circuit_open" in found.unasked["NPM", "p150"]
    assert len(found.projects) == 200
    assert done == 300


@pytest.mark.parametrize("error", [KeyRejectedError("key"), ForbiddenError("no")])
async def test_a_refused_key_costs_one_request(error: CallError):
    service = Service(lambda _: error)
    with pytest.raises(type(error)):
        await look_up(service, names(900))
    assert service.asked == [100]


async def test_a_platform_that_the_service_does_not_know_spoils_no_other():
    service = Service(lambda piece: NotFoundError("x") if any(platform == "Julia" for platform, _ in piece) else None)
    found, done = await looked_up(service, [*names(3), *names(2, "Julia"), *names(2, "Go")])
    assert service.asked == [7, 3, 2, 2]
    assert set(found.unasked) == set(names(2, "Julia"))
    assert "platform Julia" in found.unasked["Julia", "p0"]
    assert done == 7


async def test_no_platform_known_at_all_is_an_error():
    with pytest.raises(NotFoundError):
        await look_up(Service(lambda _: NotFoundError("x")), names(3))


async def test_another_letter_case_is_not_missing():
    found = Found()
    found.take([("NPM", "JSONStream")], Reply((CheckedProject(platform="NPM", name="jsonstream"),), "/check", NOW))
    assert ("NPM", "JSONStream") in found.projects
