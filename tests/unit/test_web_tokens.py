"""The issuer's keys: asked for when a name is new, but not again and again; kept while they can't be had."""

import json
from collections.abc import AsyncIterator

import httpx
import pytest
from fastmcp.server.auth import TokenVerificationError

from libraries_io_mcp.authentication.web_tokens import ASK_SECONDS, MOST_BYTES, RENEW_SECONDS, KeySet

URI = "https://issuer.example/jwks.json"
Answer = bytes | int | Exception


def keys(*names: str) -> bytes:
    return json.dumps({"keys": [{"kid": name, "kty": "RSA"} for name in names]}).encode()


class Asked:
    """A key set whose issuer gives these answers, the last of them for good."""

    def __init__(self, *answers: Answer) -> None:
        self.count = 0
        self.now = 0.0
        self._answers = list(answers)
        self.set = KeySet(URI, network=httpx.MockTransport(self._answer), monotonic=lambda: self.now)

    async def _answer(self, _request: httpx.Request) -> httpx.Response:
        self.count += 1
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(answer) if isinstance(answer, int) else httpx.Response(200, content=_sent(answer))


async def _sent(answer: bytes) -> AsyncIterator[bytes]:
    yield answer


async def test_a_name_that_is_known_costs_nothing_until_the_keys_are_old():
    asked = Asked(keys("a"), keys("b"))
    assert await asked.set.knows("a")
    assert await asked.set.knows(None)
    assert asked.count == 1
    asked.now += RENEW_SECONDS
    assert not await asked.set.knows("a")
    assert await asked.set.knows("b")


async def test_a_name_that_is_not_known_asks_now_and_then():
    asked = Asked(keys("a"), keys("a", "b"))
    assert await asked.set.knows("a")
    assert not await asked.set.knows("b")
    assert asked.count == 1
    asked.now += ASK_SECONDS
    assert await asked.set.knows("b")
    assert json.loads((await asked.set.get(URI)).content)["keys"][1]["kid"] == "b"


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (500, "status 500"),
        (302, "status 302"),
        (b"<html>", "an answer that is no set of keys"),
        (b'{"keys": 5}', "an answer that is no set of keys"),
        (b'{"keys": [5]}', "an answer that is no set of keys"),
        (b" " * (MOST_BYTES + 1), f"more than {MOST_BYTES} bytes"),
        (httpx.ConnectTimeout(""), "ConnectTimeout"),
        (ConnectionRefusedError(111, "refused"), "connection refused"),
    ],
    ids=["500", "elsewhere", "no JSON", "no list", "no keys", "too much", "no answer", "refused"],
)
async def test_keys_that_can_not_be_had(answer: Answer, why: str):
    asked = Asked(answer)
    with pytest.raises(TokenVerificationError):
        await asked.set.knows("a")
    assert why.lower() in (asked.set.error or "").lower()
    assert not asked.set.is_there
    with pytest.raises(TokenVerificationError):
        await asked.set.knows("a")
    assert asked.count == 1


async def test_the_last_keys_stay_and_a_new_name_may_be_one_of_those_that_can_not_be_had():
    asked = Asked(keys("a"), 500, keys("b"))
    assert await asked.set.knows("a")
    asked.now += RENEW_SECONDS
    assert await asked.set.knows("a")
    assert asked.set.error == "status 500"
    with pytest.raises(TokenVerificationError):
        await asked.set.knows("b")
    asked.now += ASK_SECONDS
    assert await asked.set.knows("b")
    assert asked.set.error is None
