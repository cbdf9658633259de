"""The check of the keys that sign JSON Web Tokens: asks for them while they are not there."""

import pytest

from libraries_io_mcp.health.checks.sign_in import sign_in


class Keys:
    """Those of an issuer that answers, or does not."""

    def __init__(self, *, error: str | None, is_there: bool, comes: bool) -> None:
        self.error = error
        self.is_there = is_there
        self.asked = 0
        self._comes = comes

    async def renew(self) -> None:
        self.asked += 1
        self.error = None if self._comes else "status 500"
        self.is_there = self.is_there or self._comes


@pytest.mark.parametrize(
    ("keys", "status", "asked"),
    [
        (Keys(error=None, is_there=True, comes=False), "healthy", 0),
        (Keys(error=None, is_there=False, comes=True), "healthy", 1),
        (Keys(error="status 500", is_there=True, comes=True), "healthy", 1),
        (Keys(error="status 500", is_there=True, comes=False), "degraded", 1),
        (Keys(error=None, is_there=False, comes=False), "unhealthy", 1),
    ],
    ids=["there", "first look", "back", "old ones", "none"],
)
async def test_sign_in(keys: Keys, status: str, asked: int):
    outcome = await sign_in(keys)()
    assert (outcome.status, keys.asked) == (status, asked)
    assert (outcome.what_to_do is None) == (status == "healthy")
