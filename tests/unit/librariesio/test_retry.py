import httpx
import pytest
from tests.unit.librariesio.service import FakeClock, client, instruments

from libraries_io_mcp import errors
from libraries_io_mcp.librariesio.question import EXTENSION, Question
from libraries_io_mcp.librariesio.retry import MAX_ATTEMPTS, RetryTransport


class Script(httpx.AsyncBaseTransport):
    """Answers in the order given; the last outcome repeats."""

    def __init__(self, clock, *outcomes):
        self.clock, self.outcomes, self.sent = clock, list(outcomes), []

    async def handle_async_request(self, request):
        self.sent.append((self.clock.time, request.extensions[EXTENSION].resends))
        outcome = self.outcomes.pop(0) if len(self.outcomes) > 1 else self.outcomes[0]
        if isinstance(outcome, Exception):
            raise outcome
        return outcome


async def _send(clock, script, *, deadline=100.0, repeatable=True):
    retry = RetryTransport(script, instruments=instruments(), now=clock.now, sleep=clock.sleep)
    question = Question("/platforms", "platforms", clock.time + deadline, repeatable=repeatable)
    return await retry.handle_async_request(httpx.Request("GET", "https://h/", extensions={EXTENSION: question}))


@pytest.mark.parametrize(
    "fault", [httpx.Response(502), httpx.Response(503), httpx.ReadError("x"), httpx.ConnectError("x")]
)
async def test_passing_faults_are_sent_again(fault):
    clock = FakeClock()
    script = Script(clock, fault, httpx.Response(200))
    assert (await _send(clock, script)).status_code == 200
    assert [resends for _, resends in script.sent] == [0, 1]
    assert script.sent[1][0] - script.sent[0][0] <= 1.0


@pytest.mark.parametrize("status", [200, 302, 400, 403, 404, 500, 501])
async def test_other_replies_are_final(status):
    clock = FakeClock()
    script = Script(clock, httpx.Response(status))
    assert (await _send(clock, script)).status_code == status
    assert len(script.sent) == 1


@pytest.mark.parametrize("error", [httpx.ReadTimeout("x"), errors.QuotaExceededError("x"), RuntimeError("x")])
async def test_other_exceptions_are_final(error):
    clock = FakeClock()
    script = Script(clock, error)
    with pytest.raises(type(error)):
        await _send(clock, script)
    assert len(script.sent) == 1


async def test_what_changes_something_is_sent_once():
    clock = FakeClock()
    script = Script(clock, httpx.Response(503))
    assert (await _send(clock, script, repeatable=False)).status_code == 503
    assert len(script.sent) == 1


async def test_it_gives_up_with_the_last_outcome():
    clock = FakeClock()
    script = Script(clock, httpx.ReadError("x"))
    with pytest.raises(httpx.ReadError):
        await _send(clock, script)
    assert len(script.sent) == MAX_ATTEMPTS


async def test_retry_after_is_waited_for():
    clock = FakeClock()
    script = Script(clock, httpx.Response(503, headers={"retry-after": "30"}), httpx.Response(200))
    await _send(clock, script)
    assert script.sent[1][0] - script.sent[0][0] >= 30


async def test_a_wait_past_the_deadline_is_not_begun():
    clock = FakeClock()
    start = clock.time
    script = Script(clock, httpx.Response(503, headers={"retry-after": "30"}))
    assert (await _send(clock, script, deadline=29)).status_code == 503
    assert clock.time == start


async def test_a_429_that_fits_the_deadline_is_waited_out_in_the_quota():
    clock = FakeClock()
    replies = [httpx.Response(429, headers={"retry-after": "17"}), httpx.Response(200, headers=_json(), content=b"[]")]
    start = clock.time
    await client(lambda _: replies.pop(0), clock).platforms()
    assert 17 <= clock.time - start < 18


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (httpx.Response(429, headers={"retry-after": "3"}), "was refused by the quota, repeats in 3.0 s"),
        (httpx.Response(429), "was refused by the quota, repeats in the next window"),
        (
            httpx.Response(503, headers={"retry-after": "9"}),
            "failed with status 503 (upstream_error), repeats in 9.0 s",
        ),
        (httpx.ConnectError("http://x/?api_key=k"), "failed (unreachable), repeats in "),
    ],
)
async def test_a_repeat_is_logged_as_it_begins(fault, said, caplog):
    clock = FakeClock()
    script = Script(clock, fault, httpx.Response(200))
    await _send(clock, script)
    (record,) = [record for record in caplog.records if record.levelname == "WARNING"]
    assert record.getMessage().startswith(f"GET /platforms {said}")
    assert record.getMessage().endswith("as attempt 2 of 4 at most")
    assert vars(record)["http.request.resend_count"] == 1
    assert vars(record)["error.type"] in {"quota_exceeded", "upstream_error", "unreachable"}
    assert "api_key" not in str(vars(record))


async def test_a_429_that_does_not_fit_is_told_at_once():
    clock = FakeClock()
    start = clock.time
    api = client(lambda _: httpx.Response(429, headers={"retry-after": "50"}), clock)
    with pytest.raises(errors.QuotaExceededError) as caught:
        await api.platforms()
    assert (caught.value.retry_after, clock.time) == (50, start)


@pytest.mark.parametrize(
    ("fault", "expected"),
    [(httpx.Response(503), errors.UpstreamFaultError), (httpx.ReadError("x"), errors.UpstreamUnreachableError)],
)
async def test_without_quota_for_a_repeat_the_fault_itself_is_told(fault, expected):
    def service(_request):
        if isinstance(fault, Exception):
            raise fault
        return fault

    with pytest.raises(expected):
        await client(service, limit=1).platforms()


def _json():
    return {"content-type": "application/json"}
