"""Puts one question: from the cache or to the service, decoded, under the stored spelling, and recorded."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, TypeVar, cast

from libraries_io_mcp.errors import CallError, InvalidReplyError, KeyMissingError
from libraries_io_mcp.librariesio.ask import Ask
from libraries_io_mcp.librariesio.cache import NEGATIVE_SECONDS, Cache, Fetched
from libraries_io_mcp.librariesio.call_record import CallRecord
from libraries_io_mcp.librariesio.decoder import NONE, decode
from libraries_io_mcp.librariesio.deviations import DeviationCounter
from libraries_io_mcp.librariesio.endpoints import Endpoint
from libraries_io_mcp.librariesio.expenses import Expenses
from libraries_io_mcp.librariesio.paths import names_in
from libraries_io_mcp.librariesio.question import OnWait, Priority, Question
from libraries_io_mcp.librariesio.reply import Reply
from libraries_io_mcp.librariesio.sending import Sender
from libraries_io_mcp.librariesio.shared_answers import RawAnswer, SharedAnswers
from libraries_io_mcp.librariesio.spellings import Spellings
from libraries_io_mcp.librariesio.vitals import Contacts
from libraries_io_mcp.librariesio.weight import memory_of
from libraries_io_mcp.telemetry.instruments import Instruments
from libraries_io_mcp.telemetry.semconv import CacheResult
from libraries_io_mcp.telemetry.waits import Waits

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Manner:
    """How a caller asks: how urgently, whether it wants to hear about waits, and who pays.

    Attributes:
        timeout_seconds: the usual limit of a question.
        limit_seconds: the caller's own limit, which holds for every question.
    """

    timeout_seconds: float
    limit_seconds: float | None = None
    priority: Priority = "interactive"
    on_wait: OnWait | None = None
    expenses: Expenses | None = None


class Asker:
    """Asks through the cache and the sender.

    `now` is epoch seconds, for what is told and kept; `monotonic` never jumps, for how long something may take.
    """

    def __init__(
        self,
        sender: Sender,
        *,
        instruments: Instruments,
        cache: Cache,
        shared: SharedAnswers,
        waits: Waits,
        longest_keep_seconds: float | None,
        contacts: Contacts,
        now: Callable[[], float],
        monotonic: Callable[[], float],
        caller: Callable[[], str],
    ) -> None:
        self._contacts = contacts
        self.deviations = DeviationCounter(instruments)
        """What of the replies could not be read since the start."""
        self._caller = caller
        self._sender = sender
        self._instruments = instruments
        self._cache = cache
        self._shared = shared
        self._waits = waits
        self._longest_keep = longest_keep_seconds
        self._now = now
        self._monotonic = monotonic
        self._spellings = Spellings(monotonic)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._sender.aclose()
        await self._shared.aclose()

    async def ask(self, ask: Ask[T], manner: Manner) -> Reply[T]:
        """The answer, from the cache or the service; counted, timed and logged.

        Raises:
            CallError: one of its subclasses, whatever goes wrong.
        """
        start = self._monotonic()
        record = CallRecord(ask, self._instruments)
        result: CacheResult = "miss"
        try:
            outcome, result = await self._answer(ask, manner, start)
        except CallError as error:
            outcome = error
        except asyncio.CancelledError:
            record.end(self._monotonic() - start, "miss", "cancelled")
            raise
        seconds = self._monotonic() - start
        if isinstance(outcome, CallError):
            record.end(seconds, result, outcome.error_type)
            # The frames below hold the reply's body, and one error may be for many who asked the same.
            raise outcome.with_traceback(None)
        record.end(seconds, result)
        return outcome

    def seed(self, ask: Ask[T], reply: Reply[T], size: int) -> None:
        """Keep an answer that came with another one, as if `ask` had been put; it takes about `size` bytes of memory.

        Raises:
            CallError: no request could carry that question.
        """
        _ = ask.identity
        self._cache.put(self._spellings.stored(ask).identity, Fetched(reply, size, self._keep_seconds(ask.endpoint)))

    async def _answer(self, asked: Ask[T], manner: Manner, start: float) -> tuple[Reply[T] | CallError, CacheResult]:
        endpoint = asked.endpoint
        if endpoint.needs_key and not self._sender.key_present:
            raise KeyMissingError("Libraries.io answers this question only to callers with an API key.")
        # Also the check of the arguments: what no request could carry is neither looked up nor kept.
        _ = asked.identity
        ask = self._spellings.stored(asked)
        question = self._question(ask, manner, start)

        def fetch() -> Awaitable[Fetched]:
            if manner.expenses is not None:
                manner.expenses.add(question)
            return self._fetch(ask, question)

        if not endpoint.shareable:
            return _as_asked((await fetch()).reply, asked, ask), "miss"
        outcome, result = await self._cache.get(
            endpoint.template,
            ask.identity,
            fetch,
            traveller=question,
            timeout_seconds=question.deadline - start,
            negative_seconds=min(NEGATIVE_SECONDS, self._keep_seconds(endpoint)),
        )
        return _as_asked(outcome, asked, ask), result

    def _question(self, ask: Ask[Any], manner: Manner, start: float) -> Question:
        seconds = manner.limit_seconds or manner.timeout_seconds * ask.endpoint.patience
        return Question(
            ask.endpoint.template,
            ask.endpoint.group,
            start + min(seconds, ask.endpoint.timeout_seconds),
            dict(ask.names),
            method=ask.endpoint.method,
            repeatable=ask.endpoint.repeatable,
            priority=manner.priority,
            on_wait=manner.on_wait,
            caller=self._caller(),
        )

    def _keep_seconds(self, endpoint: Endpoint[Any]) -> float:
        return endpoint.keep_seconds if self._longest_keep is None else min(endpoint.keep_seconds, self._longest_keep)

    async def _fetch(self, ask: Ask[Any], question: Question) -> Fetched:
        keep = self._keep_seconds(ask.endpoint)
        if not keep:
            raw, reply = await self._fetch_new(ask, question)
            self._spellings.learn(ask, raw.path)
            return Fetched(reply, memory_of(raw.content), keep)
        # Half of the time, so that there is enough left to ask oneself, should the other process get no answer. Another
        # process may also be set to keep answers for longer than this one.
        patience = (question.deadline - self._monotonic()) / 2
        identity = self._shared_identity(ask)
        waiting = self._waits.replica(ask.endpoint.template)
        async with self._shared.turn(identity, lambda found: self._age(found) < keep, patience, waiting) as shared:
            if shared is not None:
                reply = self._decode(ask, shared).kept("cache", self._now())
                fetched = Fetched(reply, memory_of(shared.content), keep - self._age(shared))
                return self._under_the_stored_name(ask, fetched, shared)
            raw, reply = await self._fetch_new(ask, question)
            await self._shared.put(identity, raw, keep)
            if stored := self._spellings.learn(ask, raw.path):
                await self._shared.put(self._shared_identity(stored), raw, keep)
        return self._under_the_stored_name(ask, Fetched(reply, memory_of(raw.content), keep), raw)

    def _shared_identity(self, ask: Ask[Any]) -> tuple[object, ...]:
        return self._sender.service, ask.identity

    def _under_the_stored_name(self, ask: Ask[Any], fetched: Fetched, raw: RawAnswer) -> Fetched:
        """Keep an answer about another spelling as that about the stored one: from now on that is looked up."""
        stored = self._spellings.learn(ask, raw.path)
        if stored is None:
            return fetched
        self._cache.put(stored.identity, replace(fetched, reply=replace(fetched.reply, canonical_name=None)))
        return replace(fetched, keep_seconds=0.0)

    def _age(self, raw: RawAnswer) -> float:
        return max(self._now() - raw.fetched_at, 0.0)

    async def _fetch_new(self, ask: Ask[T], question: Question) -> tuple[RawAnswer, Reply[T]]:
        try:
            raw = await self._sender.send(ask, question)
            reply = self._decode(ask, raw)
        except CallError as error:
            self._contacts.note(error, sent=question.sent)
            raise
        self._contacts.note(None, sent=True)
        return raw, reply

    def _decode(self, ask: Ask[T], raw: RawAnswer) -> Reply[T]:
        try:
            data, deviations = decode(ask.endpoint.model, raw.content)
            fits = True
        except ValueError:
            data, deviations, fits = None, NONE, False
        if not fits:
            # Raised out here: the exception shows the body, which belongs in no message and no traceback.
            raise InvalidReplyError("Libraries.io's answer does not have the promised form.")
        if deviations:
            self.deviations.record(ask.endpoint.template, deviations)
        final = names_in(ask.endpoint.template, raw.path) or {}

        def stored(key: str) -> str | None:
            spelling = getattr(data, key, None) or final.get(key)
            return cast("str | None", spelling) if key in ask.names and spelling != ask.names[key] else None

        return Reply(
            data=cast("T", data),
            endpoint=ask.endpoint.template,
            fetched_at=datetime.fromtimestamp(raw.fetched_at, UTC),
            canonical_platform=stored("platform"),
            canonical_name=stored("name"),
            total=raw.total,
            deviations=deviations,
        )


def _as_asked(outcome: Reply[T] | CallError, asked: Ask[T], ask: Ask[T]) -> Reply[T] | CallError:
    """The answer for who asked by another spelling than the stored one."""
    if asked is ask or isinstance(outcome, CallError) or outcome.canonical_name is not None:
        return outcome
    return replace(outcome, canonical_name=ask.names["name"])
