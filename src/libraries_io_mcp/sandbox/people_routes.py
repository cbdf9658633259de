"""The routes below `/:host_type/:login`, and the contributors of a package."""

from collections import Counter
from collections.abc import Iterable

from starlette.responses import Response

from libraries_io_mcp.sandbox.call import Call
from libraries_io_mcp.sandbox.catalogue import Package, newest_requirements
from libraries_io_mcp.sandbox.paging import paged, positive
from libraries_io_mcp.sandbox.people import contributed_to, contributors, find_login, is_user, owned_by, person
from libraries_io_mcp.sandbox.projects import project
from libraries_io_mcp.sandbox.replies import NotFoundError, ServiceError, json_reply
from libraries_io_mcp.sandbox.repositories import by_stars, repository
from libraries_io_mcp.sandbox.repository_routes import HOST
from libraries_io_mcp.sandbox.search import LAST_PAGE
from libraries_io_mcp.sandbox.sourcerank import rank


async def package_contributors(call: Call) -> Response:
    """`GET /:platform/:name/contributors`: a page of Users, empty without a repository."""
    package = call.package()
    logins = contributors(call.catalogue, package.repository) if package.repository else []
    return call.elsewhere(package) or paged(call, logins, person)


async def login_info(call: Call) -> Response:
    """`GET /:host_type/:login`: a User or an Organisation."""
    return json_reply(person(_login(call)))


async def login_repositories(call: Call) -> Response:
    return _repositories(call, owned_by(call.catalogue, _login(call)))


async def login_projects(call: Call) -> Response:
    """A page of the packages from the login's repositories; `keywords` keeps those with any of them."""
    keywords = {word for word in (call.query("keywords") or "").split(",") if word}
    packages = _published(call, owned_by(call.catalogue, _login(call)))
    return _projects(call, [package for package in packages if not keywords or keywords & set(package.keywords)])


async def project_contributions(call: Call) -> Response:
    """Packages a user contributed to.

    Raises:
        ServiceError: the login is an organisation's.
    """
    return _projects(call, _published(call, contributed_to(call.catalogue, _user(call))))


async def repository_contributions(call: Call) -> Response:
    """Repositories a user contributed to.

    Raises:
        ServiceError: the login is an organisation's.
    """
    return _repositories(call, contributed_to(call.catalogue, _user(call)))


async def login_dependencies(call: Call) -> Response:
    """Packages that the login's packages need, the most needed first; `platform` keeps one platform.

    Raises:
        NotFoundError: the page is above 300.
    """
    login = _login(call)
    if positive(call.query("page"), 1) > LAST_PAGE:
        raise NotFoundError
    platform = call.query("platform")
    needed = Counter(
        target
        for package in _published(call, owned_by(call.catalogue, login))
        for requirement in newest_requirements(package)
        if platform is None or package.platform.lower() == platform.lower()
        if (target := call.catalogue.find(package.platform, requirement.name)) is not None
    )
    ordered = sorted(needed, key=lambda package: (needed[package], _rank(call, package)), reverse=True)
    return paged(call, ordered, lambda package: project(call.catalogue, package, call.now()))


def _login(call: Call) -> str:
    on_host = call.parameters["host"].lower() == HOST
    login = find_login(call.catalogue, call.parameters["login"]) if on_host else None
    if login is None:
        raise NotFoundError
    return login


def _user(call: Call) -> str:
    login = _login(call)
    if not is_user(login):
        raise ServiceError
    return login


def _published(call: Call, repositories: Iterable[str]) -> list[Package]:
    return [package for name in repositories for package in call.catalogue.repositories[name]]


def _rank(call: Call, package: Package) -> int:
    return rank(call.catalogue, package, call.now())


def _repositories(call: Call, names: list[str]) -> Response:
    ordered = by_stars(call.catalogue, names, call.now())
    return paged(call, ordered, lambda name: repository(call.catalogue, name, call.now()))


def _projects(call: Call, packages: list[Package]) -> Response:
    ordered = sorted(packages, key=lambda package: _rank(call, package), reverse=True)
    return paged(call, ordered, lambda package: project(call.catalogue, package, call.now()))
