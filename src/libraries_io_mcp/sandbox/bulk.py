"""The requests about many packages: `POST /check` and `POST /projects/dependencies`."""

from collections.abc import Mapping
from dataclasses import dataclass

from starlette.responses import Response

from libraries_io_mcp.sandbox.call import Call
from libraries_io_mcp.sandbox.packages import SUBSETS, dependencies_reply
from libraries_io_mcp.sandbox.projects import Json, checked_project
from libraries_io_mcp.sandbox.replies import BadRequestError, NotFoundError, json_reply

NOT_FOUND = "Error 404, project or project version not found."


@dataclass(frozen=True)
class Asked:
    """One package of the request's list."""

    platform: str
    name: str
    version: str


async def check(call: Call) -> Response:
    """The packages that are found, grouped by platform; the others are left out without a word.

    Raises:
        BadRequestError: the body is not as it should be.
        NotFoundError: a platform is unknown.
    """
    asked = _asked(await call.json_object())
    if any(call.catalogue.stored_platform(one.platform) is None for one in asked):
        raise NotFoundError
    found = [(call.catalogue.find(one.platform, one.name), one.name) for one in asked]
    grouped = sorted(
        ((package, name) for package, name in found if package is not None), key=lambda pair: pair[0].platform
    )
    return json_reply([checked_project(call.catalogue, package, name, call.now()) for package, name in grouped])


async def bulk_dependencies(call: Call) -> Response:
    """One answer with a status of its own per package, in the order of the request.

    Raises:
        BadRequestError: the body is not as it should be.
    """
    body = await call.json_object()
    subset = body.get("subset", "default")
    if subset not in SUBSETS:
        raise BadRequestError
    return json_reply([_dependencies(call, one, str(subset)) for one in _asked(body)])


def _dependencies(call: Call, asked: Asked, subset: str) -> Json:
    package = call.catalogue.find(asked.platform, asked.name)
    release = package.release(asked.version) if package else None
    if package is None or release is None:
        missing = {"platform": asked.platform, "name": asked.name, "dependencies_for_version": asked.version}
        return {"status": 404, "body": {"error": NOT_FOUND, **missing}}
    body = dependencies_reply(call, package, release, subset)
    return {"status": 200, "body": body if package.fetched else {**body, "dependencies": None}}


def _asked(body: Mapping[str, object]) -> list[Asked]:
    projects = body.get("projects")
    if not isinstance(projects, list):
        raise BadRequestError
    return [_one(project) for project in projects]


def _one(project: object) -> Asked:
    if not isinstance(project, dict):
        raise BadRequestError
    platform, name, version = project.get("platform"), project.get("name"), project.get("version") or "latest"
    if not (isinstance(platform, str) and isinstance(name, str) and isinstance(version, str)):
        raise BadRequestError
    return Asked(platform, name, version)
