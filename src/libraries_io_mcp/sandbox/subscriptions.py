"""Subscriptions: kept in memory, per key. `include_prerelease` is accepted and has no effect, as at the service."""

from dataclasses import dataclass

from starlette.responses import Response

from libraries_io_mcp.sandbox.call import Call
from libraries_io_mcp.sandbox.catalogue import Package
from libraries_io_mcp.sandbox.clock import timestamp
from libraries_io_mcp.sandbox.paging import paged
from libraries_io_mcp.sandbox.projects import Json, project
from libraries_io_mcp.sandbox.replies import ServiceError, json_reply


@dataclass(frozen=True)
class Subscription:
    """What a key follows. `created_at` is None for one that was not saved."""

    package: Package
    created_at: float | None


class Subscriptions:
    """The five calls. Callers are known by their key, which the routes have checked."""

    def __init__(self) -> None:
        self._by_key: dict[tuple[str | None, str, str], Subscription] = {}

    async def listed(self, call: Call) -> Response:
        mine = [subscription for (key, *_), subscription in self._by_key.items() if key == call.key]
        return paged(call, mine, lambda subscription: _shape(call, subscription))

    async def shown(self, call: Call) -> Response:
        """The subscription, or the body `null`."""
        package = call.package()
        found = self._by_key.get(_place(call, package))
        return call.elsewhere(package) or json_reply(found and _shape(call, found))

    async def created(self, call: Call) -> Response:
        """200, not 201; a second time nothing is saved and the timestamps are null."""
        package = call.package()
        if (elsewhere := call.elsewhere(package)) is not None:
            return elsewhere
        if _place(call, package) in self._by_key:
            return json_reply(_shape(call, Subscription(package, None)))
        subscription = self._by_key[_place(call, package)] = Subscription(package, call.now())
        return json_reply(_shape(call, subscription))

    async def changed(self, call: Call) -> Response:
        """Changes nothing.

        Raises:
            ServiceError: not subscribed.
        """
        package = call.package()
        return call.elsewhere(package) or json_reply(_shape(call, self._existing(call, package)))

    async def removed(self, call: Call) -> Response:
        """204 without body.

        Raises:
            ServiceError: not subscribed.
        """
        package = call.package()
        if (elsewhere := call.elsewhere(package)) is not None:
            return elsewhere
        self._existing(call, package)
        del self._by_key[_place(call, package)]
        return Response(status_code=204)

    def _existing(self, call: Call, package: Package) -> Subscription:
        found = self._by_key.get(_place(call, package))
        if found is None:
            raise ServiceError
        return found


def _place(call: Call, package: Package) -> tuple[str | None, str, str]:
    return call.key, package.platform, package.name


def _shape(call: Call, subscription: Subscription) -> Json:
    created_at = subscription.created_at
    time = None if created_at is None else timestamp(created_at)
    fields = project(call.catalogue, subscription.package, call.now())
    return {"include_prerelease": True, "created_at": time, "updated_at": time, "project": fields}
