"""The cache's bound is one of memory: what is kept takes no more than it says, and not much less."""

import gc
import json
import tracemalloc

import pytest
from tests.unit.librariesio.service import answer, client

from libraries_io_mcp.librariesio import endpoints
from libraries_io_mcp.librariesio.decoder import decoder
from libraries_io_mcp.librariesio.weight import ENTRY_BYTES, memory_of


def _versions(count, start=0):
    return [
        {
            "number": f"1.{number}.0",
            "published_at": f"2020-01-01T00:{number % 60:02}:{number // 60 % 60:02}.{start % 1000:03}Z",
            "spdx_expression": "MIT",
            "original_license": "MIT",
            "researched_at": None,
            "repository_sources": ["NPM"],
        }
        for number in range(start, start + count)
    ]


def _tree(depth):
    return {
        "version": {"number": f"1.{depth}"},
        "requirements": "^1.0",
        "dependency": {"platform": "NPM", "project_name": f"name-{depth}", "kind": "runtime"},
        "normalized_licenses": ["MIT"],
        "dependencies": [_tree(depth - 1)] * 4 if depth else [],
    }


DEPENDENCY = {
    "project_name": "debug",
    "name": "debug",
    "platform": "NPM",
    "requirements": "^4.4.0",
    "latest_stable": "4.4.1",
    "latest": "4.4.1",
    "deprecated": False,
    "outdated": False,
    "filepath": None,
    "kind": "runtime",
    "optional": False,
    "normalized_licenses": ["MIT"],
}
LOGIN = {
    "github_id": "1",
    "login": "somebody",
    "user_type": "User",
    "created_at": "2016-01-01T00:00:00.000Z",
    "updated_at": "2024-01-01T00:00:00.000Z",
    "name": "Some Body",
    "company": None,
    "blog": "https://somebody.example",
    "location": "Somewhere",
    "hidden": False,
    "last_synced_at": "2024-01-01T00:00:00.000Z",
    "email": None,
    "bio": None,
    "uuid": "1",
    "host_type": "GitHub",
}
KINDS = {
    "project": (endpoints.PROJECT, {"name": "x", "platform": "NPM", "versions": _versions(300)}),
    "tree": (endpoints.TREE, _tree(4)),
    "dependencies": (
        endpoints.DEPENDENCIES,
        {"name": "x", "platform": "NPM", "dependencies_for_version": "1", "dependencies": [DEPENDENCY] * 50},
    ),
    "contributors": (endpoints.CONTRIBUTORS, [LOGIN] * 30),
}


@pytest.mark.parametrize("kind", list(KINDS))
def test_the_estimate_is_never_short_and_at_most_the_double(kind):
    endpoint, data = KINDS[kind]
    content, decode = json.dumps(data, separators=(",", ":")).encode(), decoder(endpoint.model).validate_json
    decode(content)
    taken = _growth(lambda: [decode(content) for _ in range(20)]) / 20
    assert taken <= memory_of(content) - ENTRY_BYTES <= 2 * taken


async def test_what_is_kept_takes_no_more_memory_than_the_setting_says():
    most = 4_000_000
    replies = iter(range(10_000))

    def service(_request):
        number = next(replies)
        return answer({"name": f"p{number}", "platform": "NPM", "versions": _versions(200, start=number)})

    api = client(service, cache_ttl_seconds=None, cache_max_bytes=most, limit=10_000)
    await api.project("npm", "warm")
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for number in range(60):
        await api.project("npm", f"p{number}")
    gc.collect()
    taken = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert api.vitals.cache().entries < 60, "it was filled and emptied"
    assert most / 2 < taken < most
    await api.aclose()


def _growth(make):
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    kept = make()
    taken = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert kept
    return taken
