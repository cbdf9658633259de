"""The rank: every signal of the service has its words, and their sum is the rank."""

import pytest
from tests.support.in_process import reply, tools_on

from libraries_io_mcp.librariesio.models import Sourcerank
from libraries_io_mcp.tools.standing import SIGNALS

pytestmark = pytest.mark.anyio
ALL = dict.fromkeys(Sourcerank.model_fields, 1)


def test_every_signal_is_explained():
    assert set(SIGNALS) == set(Sourcerank.model_fields)


@pytest.mark.parametrize(
    ("signals", "rank"),
    [
        (ALL, 19),
        (ALL | {"is_removed": -5, "is_deprecated": -5, "stars": 0}, 6),
        (dict.fromkeys(ALL, -5), 0),
    ],
)
async def test_the_rank_is_the_sum_and_not_below_zero(signals: dict[str, int], rank: int):
    async with tools_on(lambda _: reply(signals)) as client:
        answer = await client.call_tool("get_sourcerank", {"platform": "npm", "name": "x"})
    facts = answer.structured_content
    assert (facts["rank"], facts["unknown"]) == (rank, [])
    assert {signal["name"] for signal in facts["signals"]} == set(ALL)
    assert f"SourceRank {rank}" in answer.content[0].text
