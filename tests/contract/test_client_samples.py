"""The models against the sample replies of the service, when they lie beside the checkout."""

from pathlib import Path

import pytest

from libraries_io_mcp.librariesio import endpoints
from libraries_io_mcp.librariesio.models import decoder

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


def test_no_sample_is_forgotten():
    assert {path.stem for path in SAMPLES.glob("*.json")} - NO_ANSWERS == set(MODELS)


@pytest.mark.parametrize("sample", list(MODELS))
def test_a_sample_is_decoded(sample):
    decoder(MODELS[sample].model).validate_json((SAMPLES / f"{sample}.json").read_bytes())
