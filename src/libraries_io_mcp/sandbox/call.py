"""One request to the API as the handlers see it."""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

from libraries_io_mcp.sandbox.catalogue import Catalogue, Package
from libraries_io_mcp.sandbox.clock import Clock
from libraries_io_mcp.sandbox.replies import BadRequestError, NotFoundError


@dataclass(frozen=True)
class Call:
    """A request that has found its route.

    Attributes:
        request: the request itself, for its body.
        catalogue: what the service knows.
        now: seconds since the epoch.
        path: the path as it was sent, still percent-encoded.
        template: the route's path, with its variables in braces.
        parameters: the path's variables, decoded.
        key: the caller's key, None without one.
    """

    request: Request
    catalogue: Catalogue
    now: Clock
    path: str
    template: str
    parameters: Mapping[str, str]
    key: str | None

    def query(self, name: str) -> str | None:
        return self.request.query_params.get(name)

    @property
    def base_url(self) -> str:
        """Scheme and host as the caller knows them."""
        return f"{self.request.url.scheme}://{self.request.url.netloc}"

    def package(self) -> Package:
        """The package of the path, in any spelling.

        Raises:
            NotFoundError: there is none.
        """
        package = self.catalogue.find(self.parameters["platform"], self.parameters["name"])
        if package is None:
            raise NotFoundError
        return package

    def elsewhere(self, package: Package) -> Response | None:
        """A redirect to the stored name, if the path spells it otherwise."""
        if self.parameters["name"] == package.name:
            return None
        segments = self.path.split("/")
        segments[self.template.split("/").index("{name}")] = quote(package.name, safe="@:")
        location = f"{self.base_url}{'/'.join(segments)}{self._unescaped_query()}"
        return Response(status_code=302, headers={"location": location})

    def _unescaped_query(self) -> str:
        """The query with its values unescaped once, so that `&` or `%` in one breaks it, as at the service."""
        pairs = self.request.query_params.multi_items()
        text = "&".join(f"{name}={quote(value, safe='&%=+/:,@')}" for name, value in pairs)
        return f"?{text}" if text else ""

    async def json_object(self) -> Mapping[str, object]:
        """The body, which must be a JSON object.

        Raises:
            BadRequestError: it is not.
        """
        try:
            body = json.loads(await self.request.body())
        except ValueError as error:
            raise BadRequestError from error
        if not isinstance(body, dict):
            raise BadRequestError
        return body


Handler = Callable[[Call], Awaitable[Response]]
