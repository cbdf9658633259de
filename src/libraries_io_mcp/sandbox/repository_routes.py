"""The routes below `/:host_type/:owner/:name`."""

from collections.abc import Callable

from starlette.responses import Response

from libraries_io_mcp.sandbox.call import Call
from libraries_io_mcp.sandbox.catalogue import Package, newest_requirements
from libraries_io_mcp.sandbox.paging import paged
from libraries_io_mcp.sandbox.projects import Json, dependencies, project
from libraries_io_mcp.sandbox.replies import NotFoundError, ServiceError, json_reply
from libraries_io_mcp.sandbox.repositories import readme, repository
from libraries_io_mcp.sandbox.sourcerank import rank

HOST = "github"
"""The only host that the catalogue has repositories on."""

# Columns of repositories that packages do not have: sorting packages by them fails in the database.
FOREIGN_COLUMNS = frozenset(
    {
        "stargazers_count",
        "forks_count",
        "open_issues_count",
        "subscribers_count",
        "contributions_count",
        "size",
        "pushed_at",
    }
)


async def repository_info(call: Call) -> Response:
    """`GET /:host_type/:owner/:name`, with `include_readme`."""
    return _reply(call, _full_name(call, f"{call.parameters['owner']}/{call.parameters['repository']}"))


async def repository_by_query(call: Call) -> Response:
    """`GET /:host_type/repository?owner=&name=`: 400 names what is missing."""
    missing = {field: ["is required"] for field in ("owner", "name") if not call.query(field)}
    if missing:
        return json_reply(missing, status=400)
    return _reply(call, _full_name(call, f"{call.query('owner')}/{call.query('name')}"))


async def repository_dependencies(call: Call) -> Response:
    """`GET .../dependencies`: what the latest versions of the published packages need."""
    full_name = _full_name(call, f"{call.parameters['owner']}/{call.parameters['repository']}")
    found = _dependencies(call, full_name)
    return json_reply({**repository(call.catalogue, full_name, call.now()), "dependencies": found})


async def shields_dependencies(call: Call) -> Response:
    """`GET .../shields_dependencies`: two counts."""
    found = _dependencies(call, _full_name(call, f"{call.parameters['owner']}/{call.parameters['repository']}"))
    return json_reply(
        {
            "deprecated_count": sum(dependency["deprecated"] is True for dependency in found),
            "outdated_count": sum(dependency["outdated"] is True for dependency in found),
        }
    )


async def repository_projects(call: Call) -> Response:
    """`GET .../projects`: a page of the published packages.

    Raises:
        ServiceError: `sort` names a column that packages do not have.
    """
    packages = _packages(call, f"{call.parameters['owner']}/{call.parameters['repository']}")
    sort = call.query("sort") or ""
    if sort in FOREIGN_COLUMNS:
        raise ServiceError
    keys: dict[str, Callable[[Package], float]] = {
        "rank": lambda package: rank(call.catalogue, package, call.now()),
        "created_at": lambda package: min((release.published_at for release in package.releases), default=0.0),
    }
    if sort in keys:
        packages = sorted(packages, key=keys[sort], reverse=call.query("order") != "asc")
    return paged(call, packages, lambda package: project(call.catalogue, package, call.now()))


def _full_name(call: Call, asked: str) -> str:
    found = call.catalogue.find_repository(asked) if call.parameters["host"].lower() == HOST else None
    if found is None:
        raise NotFoundError
    return found


def _packages(call: Call, asked: str) -> list[Package]:
    return list(call.catalogue.repositories[_full_name(call, asked)])


def _reply(call: Call, full_name: str) -> Response:
    body = repository(call.catalogue, full_name, call.now())
    if call.query("include_readme") in ("true", "1"):
        body["readme_html_body"] = readme(full_name, call.catalogue.repositories[full_name][0])
    return json_reply(body)


def _dependencies(call: Call, full_name: str) -> list[Json]:
    return [
        dependency
        for package in call.catalogue.repositories[full_name]
        for dependency in dependencies(call.catalogue, package.platform, newest_requirements(package))
    ]
