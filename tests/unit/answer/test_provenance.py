"""Where facts are from, in one line; of several replies the oldest counts."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from libraries_io_mcp.answer.provenance import Provenance
from libraries_io_mcp.librariesio.reply import Reply

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("source", "age", "line"),
    [
        ("network", 0.0, "[fresh; 7 requests left]"),
        ("cache", 61.2, "[cached 61 s ago; 7 requests left]"),
        ("cache", 600.0, "[cached 10 minutes ago; 7 requests left]"),
        (
            "stale",
            7200.0,
            "[STALE: Libraries.io can't be asked now; these facts are 2 hours old; 7 requests left]",
        ),
        ("stale", 864_000.0, "[STALE: Libraries.io can't be asked now; these facts are 10 days old; 7 requests left]"),
    ],
)
def test_in_one_line(source: str, age: float, line: str):
    provenance = Provenance(endpoint="/search", fetched_at=NOW, source=source, age_seconds=age, quota_remaining=7)
    assert provenance.text() == line


def test_of_several_replies_the_oldest_counts():
    client = SimpleNamespace(quota=lambda: SimpleNamespace(remaining=3))
    fresh = Reply(data=1, endpoint="/a", fetched_at=NOW)
    stale = Reply(data=2, endpoint="/b", fetched_at=NOW - timedelta(hours=1), source="stale", age_seconds=3600.0)
    kept = Reply(data=2, endpoint="/c", fetched_at=NOW - timedelta(minutes=1), source="cache", age_seconds=60.0)
    provenance = Provenance.of(client, fresh, kept, stale)
    assert (provenance.endpoint, provenance.source, provenance.age_seconds) == ("/a", "stale", 3600.0)
    assert provenance.fetched_at == stale.fetched_at
    assert Provenance.of(client, fresh, kept).source == "cache"
    assert Provenance.of(client, fresh).source == "network"
