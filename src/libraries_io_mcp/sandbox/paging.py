"""Pages of a list: the parameters as Ruby reads them, and the headers Total, Per-Page and Link."""

import re
from collections.abc import Callable, Sequence
from typing import TypeVar
from urllib.parse import urlencode

from starlette.responses import Response

from libraries_io_mcp.sandbox.call import Call
from libraries_io_mcp.sandbox.replies import NotFoundError, json_reply

DEFAULT_PER_PAGE = 30
LARGEST_OFFSET = 2**63

Item = TypeVar("Item")


def positive(text: str | None, default: int) -> int:
    """The leading digits as Ruby's `to_i` reads them; the default for what is not a number above 0."""
    match = re.match(r"\s*\+?(\d{1,40})", text or "")
    return int(match[1]) or default if match else default


def paged(call: Call, items: Sequence[Item], shape: Callable[[Item], object]) -> Response:
    """One page of the list, by the call's `page` and `per_page`.

    Raises:
        NotFoundError: the page lies beyond what a database can count.
    """
    page, per_page = positive(call.query("page"), 1), positive(call.query("per_page"), DEFAULT_PER_PAGE)
    if page * per_page >= LARGEST_OFFSET:
        raise NotFoundError
    shown = items[(page - 1) * per_page : page * per_page]
    return json_reply([shape(item) for item in shown], headers=_headers(call, len(items), page, per_page))


def _headers(call: Call, total: int, page: int, per_page: int) -> dict[str, str]:
    last = max(1, -(-total // per_page))
    pages = {"first": 1, "prev": page - 1} if page > 1 else {}
    if page < last:
        pages |= {"last": last, "next": page + 1}
    headers = {"total": str(total), "per-page": str(per_page)}
    if pages:
        headers["link"] = ", ".join(f'<{_page_url(call, number)}>; rel="{rel}"' for rel, number in pages.items())
    return headers


def _page_url(call: Call, number: int) -> str:
    """The caller's own URL with another page: it holds the caller's key, as the service's does."""
    query = {**dict(call.request.query_params), "page": str(number)}
    return f"{call.base_url}{call.path}?{urlencode(sorted(query.items()))}"
