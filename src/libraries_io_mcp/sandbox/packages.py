"""The routes below `/:platform/:name`: the package, its dependencies, its dependents and its score."""

from starlette.responses import Response

from libraries_io_mcp.sandbox.call import Call
from libraries_io_mcp.sandbox.catalogue import Package, Release
from libraries_io_mcp.sandbox.paging import paged
from libraries_io_mcp.sandbox.projects import Json, dependencies, project
from libraries_io_mcp.sandbox.replies import BadRequestError, NotFoundError, json_reply
from libraries_io_mcp.sandbox.repositories import by_rank, dependent_on, repository
from libraries_io_mcp.sandbox.sourcerank import sourcerank

SUBSETS = ("default", "minimum")


async def package_info(call: Call) -> Response:
    """`GET /:platform/:name`: one Project with all its versions."""
    package = call.package()
    return call.elsewhere(package) or json_reply(project(call.catalogue, package, call.now()))


async def version_dependencies(call: Call) -> Response:
    """`GET /:platform/:name/:number/dependencies`: answered under any spelling, without a redirect.

    Raises:
        BadRequestError: the subset is neither `default` nor `minimum`.
        NotFoundError: no such package or version.
    """
    subset = call.query("subset") or "default"
    if subset not in SUBSETS:
        raise BadRequestError
    package = call.package()
    release = package.release(call.parameters["number"])
    if release is None:
        raise NotFoundError
    return json_reply(dependencies_reply(call, package, release, subset))


def dependencies_reply(call: Call, package: Package, release: Release, subset: str) -> Json:
    """The body of a dependencies reply."""
    found = dependencies(call.catalogue, package.platform, release.requirements)
    answer: Json = {"dependencies_for_version": release.number, "dependencies": found}
    if subset == "minimum":
        return {"name": package.name, "platform": package.platform, **answer}
    return {**project(call.catalogue, package, call.now()), **answer}


async def dependents(call: Call) -> Response:
    """`GET /:platform/:name/dependents`: switched off, but unknown names and other spellings are still noticed."""
    message = {"message": "Disabled for performance reasons"}
    return call.elsewhere(call.package()) or json_reply(message)


async def dependent_repositories(call: Call) -> Response:
    """`GET /:platform/:name/dependent_repositories`: a page of Repositories, by rank, then stars."""
    package = call.package()
    names = by_rank(call.catalogue, dependent_on(call.catalogue, package), call.now())
    return call.elsewhere(package) or paged(call, names, lambda name: repository(call.catalogue, name, call.now()))


async def score(call: Call) -> Response:
    """`GET /:platform/:name/sourcerank`: the parts of the score."""
    package = call.package()
    return call.elsewhere(package) or json_reply(sourcerank(call.catalogue, package, call.now()))
