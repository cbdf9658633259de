"""The models against the sample replies of the service, when they lie beside the checkout."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.unit.librariesio.calls import Call
from tests.unit.librariesio.service import client

from libraries_io_mcp import errors
from libraries_io_mcp.librariesio import endpoints
from libraries_io_mcp.librariesio.decoder import decoder
from libraries_io_mcp.librariesio.faults import fault_of_reply

SAMPLES = Path(__file__).parents[3] / "shared" / "libraries-io-samples"
MODELS = {
    "platforms": endpoints.PLATFORMS,
    "project": endpoints.PROJECT,
    "project_scoped": endpoints.PROJECT,
    "project_minimal": endpoints.PROJECT,
    "dependencies": endpoints.DEPENDENCIES,
    "dependencies_minimum": endpoints.DEPENDENCIES,
    "dependent_repositories": endpoints.DEPENDENT_REPOSITORIES,
    "contributors": endpoints.CONTRIBUTORS,
    "sourcerank": endpoints.SOURCERANK,
    "search": endpoints.SEARCH,
    "search_without_versions": endpoints.SEARCH,
    "search_empty": endpoints.SEARCH,
    "github_repository": endpoints.REPOSITORY,
    "github_repository_with_readme": endpoints.REPOSITORY,
    "github_repository_dependencies": endpoints.REPOSITORY_DEPENDENCIES,
    "github_repository_projects": endpoints.REPOSITORY_PROJECTS,
    "github_repository_shields_dependencies": endpoints.REPOSITORY_SHIELDS,
    "user": endpoints.OWNER,
    "organisation": endpoints.OWNER,
    "user_repositories": endpoints.OWNER_REPOSITORIES,
    "user_projects": endpoints.OWNER_PROJECTS,
    "user_project_contributions": endpoints.OWNER_PROJECT_CONTRIBUTIONS,
    "user_repository_contributions": endpoints.OWNER_REPOSITORY_CONTRIBUTIONS,
    "user_dependencies": endpoints.OWNER_DEPENDENCIES,
    "subscriptions": endpoints.SUBSCRIPTIONS,
    "subscription": endpoints.SUBSCRIPTION,
    "subscription_not_subscribed": endpoints.SUBSCRIPTION,
    "subscription_already_exists": endpoints.SUBSCRIBE,
    "tree": endpoints.TREE,
    "check": endpoints.CHECK,
    "projects_dependencies_bulk": endpoints.BULK_DEPENDENCIES,
}
NO_ANSWERS = {"check_request", "projects_dependencies_bulk_request", "exchanges", "dependents"}

pytestmark = pytest.mark.skipif(not SAMPLES.is_dir(), reason="the samples are not beside the checkout")


ERRORS: dict[str, type[errors.CallError]] = {
    "400_missing_repository_param.json": errors.InvalidRequestError,
    "403_invalid_api_key.txt": errors.KeyRejectedError,
    "403_key_required_or_not_permitted.json": errors.ForbiddenError,
    "404_empty.txt": errors.InvalidRequestError,
    "404_not_found.json": errors.NotFoundError,
    "404_unrouted.html": errors.InvalidReplyError,
    "406_not_acceptable.json": errors.InvalidRequestError,
    "422_unprocessable.json": errors.InvalidRequestError,
    "429_rate_limited.txt": errors.QuotaExceededError,
    "500_internal.json": errors.UpstreamFaultError,
    "502_gateway.html": errors.UpstreamFaultError,
    "503_read_only.json": errors.UpstreamFaultError,
}
TYPES = {".json": "application/json; charset=utf-8", ".html": "text/html", ".txt": "text/plain"}
EXCHANGES: dict[str, tuple[Call, type[errors.CallError] | None]] = {
    "list reply with pagination": (lambda api: api.contributors("npm", "example", page=2), None),
    "single object": (lambda api: api.project("npm", "base62"), None),
    # The client never sends If-None-Match: a 304 would cost as much as an answer.
    "conditional GET, unchanged": (lambda api: api.project("npm", "base62"), errors.InvalidReplyError),
    # The same reply again and again is a circle.
    "name not in canonical form": (lambda api: api.project("pypi", "flask_cors"), errors.InvalidReplyError),
    "anonymous": (lambda api: api.project("npm", "base62"), None),
    "rate limited with a key": (lambda api: api.project("npm", "base62"), errors.QuotaExceededError),
    "rate limited without a key": (lambda api: api.project("npm", "base62"), errors.QuotaExceededError),
    "unknown or revoked key": (lambda api: api.project("npm", "base62"), errors.KeyRejectedError),
    "key required, none sent": (lambda api: api.search("grunt"), errors.ForbiddenError),
    "unknown project, platform, user, repository or version": (
        lambda api: api.project("npm", "no-such-package-example"),
        errors.NotFoundError,
    ),
    "slash in the name not encoded, Accept */*": (
        lambda api: api.project("npm", "@babel/core"),
        errors.InvalidReplyError,
    ),
    "search window passed": (lambda api: api.search("ruby"), errors.UpstreamFaultError),
    "slow query cut off by the load balancer": (
        lambda api: api.dependent_repositories("npm", "express"),
        errors.UpstreamFaultError,
    ),
    # Not a question that the client puts; as the answer to another one it is none.
    "dependents switched off": (lambda api: api.project("npm", "base62"), errors.InvalidReplyError),
    "not subscribed": (lambda api: api.subscription("npm", "base62"), None),
    "unsubscribed": (lambda api: api.unsubscribe("npm", "base62"), None),
}


def _exchanges() -> dict[str, dict[str, Any]]:
    return {one["case"]: one for one in json.loads((SAMPLES / "exchanges.json").read_text(encoding="utf-8"))}


def test_no_sample_is_forgotten():
    assert {path.stem for path in SAMPLES.glob("*.json")} - NO_ANSWERS == set(MODELS)
    assert {path.name for path in (SAMPLES / "errors").iterdir()} == set(ERRORS)
    assert set(_exchanges()) == set(EXCHANGES)
    assert {path.name for path in SAMPLES.iterdir()} - {"errors", "README.md"} == {
        f"{name}.json" for name in NO_ANSWERS | set(MODELS)
    }


@pytest.mark.parametrize("name", list(ERRORS))
def test_an_error_has_its_type(name):
    status, kind = int(name[:3]), TYPES[Path(name).suffix]
    content = (SAMPLES / "errors" / name).read_bytes()
    reply = httpx.Response(status, headers={"content-type": kind} if content else {}, content=content)
    assert type(fault_of_reply(reply, key_present=True)) is ERRORS[name]


@pytest.mark.parametrize("case", list(EXCHANGES))
async def test_an_exchange_ends_as_it_should(case):
    exchange, (call, expected) = _exchanges()[case], EXCHANGES[case]
    body = (SAMPLES / exchange["body_file"]).read_bytes() if exchange["body_file"] else b""
    reply = httpx.Response(exchange["status"], headers=exchange["headers"], content=body)
    api = client(lambda _: reply, base_url="https://libraries.io/api")
    if expected is None:
        answer = await call(api)
        total = exchange["headers"].get("Total")
        assert answer.total == (total and int(total))
    else:
        with pytest.raises(expected) as caught:
            await call(api)
        assert type(caught.value) is expected
        wait = exchange["headers"].get("Retry-After")
        assert caught.value.retry_after == (wait and float(wait))
    if exchange["status"] == 200 and "X-RateLimit-Limit" in exchange["headers"]:
        assert api.quota().limit == int(exchange["headers"]["X-RateLimit-Limit"])
    await api.aclose()


@pytest.mark.parametrize("sample", list(MODELS))
def test_a_sample_is_decoded(sample):
    decoder(MODELS[sample].model).validate_json((SAMPLES / f"{sample}.json").read_bytes())
