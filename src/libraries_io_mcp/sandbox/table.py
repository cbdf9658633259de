"""Every route of the API, in the order in which they are tried."""

from functools import wraps

from starlette.responses import Response

from libraries_io_mcp.sandbox import packages, people_routes, repository_routes
from libraries_io_mcp.sandbox.bulk import bulk_dependencies, check
from libraries_io_mcp.sandbox.call import Call, Handler
from libraries_io_mcp.sandbox.platforms import platforms
from libraries_io_mcp.sandbox.replies import not_permitted, web_page
from libraries_io_mcp.sandbox.routing import Route
from libraries_io_mcp.sandbox.search import search
from libraries_io_mcp.sandbox.subscriptions import Subscriptions
from libraries_io_mcp.sandbox.tree import tree

PACKAGE = "/api/{platform}/{name}"
LOGIN = "/api/{host}/{login}"
REPOSITORY = "/api/{host}/{owner}/{repository}"


def routes() -> tuple[Route, ...]:
    """The whole table, with subscriptions of its own. Fixed names come before variables, logins before repositories."""
    return (
        Route("GET", "/api", _documentation),
        Route("GET", "/api/platforms", platforms),
        Route("GET", "/api/search", needs_key(search)),
        Route("POST", "/api/check", needs_key(check)),
        Route("POST", "/api/projects/dependencies", bulk_dependencies),
        *_subscription_routes(Subscriptions()),
        *_internal_routes(),
        *_login_routes(),
        *_repository_routes(),
        *_package_routes(),
    )


def needs_key(handler: Handler) -> Handler:
    """The handler, behind a check that the caller has a key."""

    @wraps(handler)
    async def checked(call: Call) -> Response:
        return await handler(call) if call.key else not_permitted()

    return checked


def _subscription_routes(subscriptions: Subscriptions) -> list[Route]:
    calls: dict[str, Handler] = {
        "GET": subscriptions.shown,
        "POST": subscriptions.created,
        "PUT": subscriptions.changed,
        "DELETE": subscriptions.removed,
    }
    return [
        Route("GET", "/api/subscriptions", needs_key(subscriptions.listed)),
        *(
            Route(method, f"/api/{spelling}/{{platform}}/{{name}}", needs_key(handler), dot_ends_name=True)
            for spelling in ("subscriptions", "subscription")
            for method, handler in calls.items()
        ),
    ]


def _internal_routes() -> list[Route]:
    """Routes for the service's own keys, which the sandbox has none of."""
    paths = (
        "/api/versions",
        "/api/projects/updated",
        "/api/repository/projects",
        f"{REPOSITORY}/sync",
        f"{PACKAGE}/sync",
    )
    return [Route("GET", path, _internal) for path in paths]


async def _documentation(_: Call) -> Response:
    """The service shows its documentation here, as a page."""
    return web_page("Documentation")


async def _internal(_: Call) -> Response:
    return not_permitted()


def _login_routes() -> list[Route]:
    return [
        Route("GET", "/api/{host}/repository", repository_routes.repository_by_query),
        Route("GET", LOGIN, people_routes.login_info),
        Route("GET", f"{LOGIN}/repositories", people_routes.login_repositories),
        Route("GET", f"{LOGIN}/projects", people_routes.login_projects),
        Route("GET", f"{LOGIN}/project-contributions", people_routes.project_contributions),
        Route("GET", f"{LOGIN}/repository-contributions", people_routes.repository_contributions),
        Route("GET", f"{LOGIN}/dependencies", people_routes.login_dependencies),
    ]


def _repository_routes() -> list[Route]:
    return [
        Route("GET", REPOSITORY, repository_routes.repository_info),
        Route("GET", f"{REPOSITORY}/dependencies", repository_routes.repository_dependencies),
        Route("GET", f"{REPOSITORY}/shields_dependencies", repository_routes.shields_dependencies),
        Route("GET", f"{REPOSITORY}/projects", repository_routes.repository_projects),
    ]


def _package_routes() -> list[Route]:
    return [
        Route("GET", PACKAGE, packages.package_info),
        Route("GET", f"{PACKAGE}/dependents", packages.dependents),
        Route("GET", f"{PACKAGE}/dependent_repositories", packages.dependent_repositories),
        Route("GET", f"{PACKAGE}/contributors", people_routes.package_contributors),
        Route("GET", f"{PACKAGE}/sourcerank", packages.score),
        Route("GET", f"{PACKAGE}/tree", needs_key(tree)),
        Route("GET", f"{PACKAGE}/{{number}}/tree", needs_key(tree)),
        Route("GET", f"{PACKAGE}/{{number}}/dependencies", packages.version_dependencies),
    ]
