"""The tool that writes: what the key's owner is told about by Libraries.io. Off unless TOOLSETS names it."""

from typing import Annotated, Final, Literal

from mcp_types import ToolAnnotations
from pydantic import Field

from libraries_io_mcp.answer import CursorPage, PagedAnswer, Part, Provenance, Tools
from libraries_io_mcp.answer.arguments import PackageName, PlatformName, find_platform
from libraries_io_mcp.answer.model import counted, lines, more_pages
from libraries_io_mcp.errors import InvalidRequestError
from libraries_io_mcp.librariesio.client import LibrariesIOClient
from libraries_io_mcp.librariesio.models import Project, Subscription
from libraries_io_mcp.librariesio.reply import Reply

GUIDE = "Updates: track_package_updates subscribes the key's owner to a package's new versions (this writes)."
PER_PAGE: Final = 30
Action = Literal["list", "status", "subscribe", "unsubscribe"]


class Subscribed(Part):
    """One subscription."""

    platform: str | None
    name: str | None
    latest_stable: str | None
    since: str | None


class SubscriptionsAnswer(PagedAnswer):
    """What was done, and what the key's owner is subscribed to."""

    listed = "subscriptions"

    action: Action
    changed: Annotated[bool, Field(description="Whether this call changed anything.")]
    subscribed: Annotated[bool | None, Field(description="Whether the package is subscribed to now.")]
    subscriptions: tuple[Subscribed, ...]

    def text(self) -> str:
        """What happened, and one line a subscription."""
        many = f"{counted(len(self.subscriptions), 'subscription')} on page {self.page}"
        listed = many if self.subscriptions or self.page > 1 else "no subscriptions"
        state = {True: "subscribed", False: "not subscribed", None: listed}[self.subscribed]
        head = f"{self.action}: {state}{', changed now' if self.changed else ''}"
        return lines(head, then=(f"{each.platform}/{each.name} {each.latest_stable}" for each in self.subscriptions))


async def track_package_updates(
    client: LibrariesIOClient,
    action: Annotated[Action, Field(description="`list` needs no package; the others do.")],
    platform: PlatformName | None = None,
    name: PackageName | None = None,
    page: CursorPage = 1,
) -> SubscriptionsAnswer:
    """See or change what the API key's owner is notified about by Libraries.io. Subscribing writes to that account.

    Asking twice does no harm. Costs one request for `list`, two for `status`, three for a change. Whether
    pre-releases are included can't be chosen: Libraries.io ignores it.
    """
    if action == "list":
        return _listing(client, await client.subscriptions(page=page, per_page=PER_PAGE), page)
    if platform is None or name is None:
        raise InvalidRequestError(f"The action {action} needs the arguments `platform` and `name`.")
    # A write under another spelling would be redirected, so the stored name is found first.
    project = await client.project(await find_platform(client, platform), name)
    now = await client.subscription(project.data.platform, project.data.name)
    wanted = {"subscribe": True, "unsubscribe": False}.get(action)
    if wanted is None or wanted == (now.data is not None):
        return _answer(client, action, project, now)
    if wanted:
        made = await client.subscribe(project.data.platform, project.data.name)
        return _answer(client, action, project, made, now, changed=True)
    ended = await client.unsubscribe(project.data.platform, project.data.name)
    return _answer(client, action, project, ended, now, changed=True)


def _answer(
    client: LibrariesIOClient,
    action: Action,
    project: Reply[Project],
    reply: Reply[Subscription] | Reply[Subscription | None] | Reply[None],
    *before: Reply[Subscription | None],
    changed: bool = False,
) -> SubscriptionsAnswer:
    since = f"{reply.data.created_at:%Y-%m-%d}" if reply.data and reply.data.created_at else None
    here = Subscribed(
        platform=project.data.platform,
        name=project.data.name,
        latest_stable=project.data.latest_stable_release_number,
        since=since,
    )
    return SubscriptionsAnswer(
        action=action,
        changed=changed,
        subscribed=reply.data is not None,
        subscriptions=(here,) if reply.data else (),
        page=1,
        per_page=PER_PAGE,
        total=1 if reply.data else 0,
        has_more=False,
        provenance=Provenance.of(client, reply, project, *before),
    )


def _listing(client: LibrariesIOClient, reply: Reply[tuple[Subscription, ...]], page: int) -> SubscriptionsAnswer:
    return SubscriptionsAnswer(
        action="list",
        changed=False,
        subscribed=None,
        subscriptions=tuple(
            Subscribed(
                platform=each.project.platform if each.project else None,
                name=each.project.name if each.project else None,
                latest_stable=each.project.latest_stable_release_number if each.project else None,
                since=f"{each.created_at:%Y-%m-%d}" if each.created_at else None,
            )
            for each in reply.data
        ),
        page=page,
        per_page=PER_PAGE,
        total=reply.total,
        has_more=more_pages(len(reply.data), page, PER_PAGE, reply.total),
        provenance=Provenance.of(client, reply),
    )


def register(tools: Tools) -> None:
    """Add the tools of this domain."""
    tools.add(
        "Track updates",
        track_package_updates,
        annotations=ToolAnnotations(
            read_only_hint=False, destructive_hint=True, idempotent_hint=True, open_world_hint=True
        ),
    )
