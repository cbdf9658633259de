import pytest
from tests.unit.librariesio.service import client

from libraries_io_mcp.errors import InvalidRequestError
from libraries_io_mcp.librariesio.arguments import (
    bulk_size,
    given,
    host_names,
    list_parameters,
    page_parameters,
    shallow_page_parameters,
)


def test_lists_are_joined_and_empty_ones_left_out():
    assert list_parameters(platforms=["npm", "pypi"], languages=[]) == {"platforms": "npm,pypi"}
    assert given(sort="rank", order=None) == {"sort": "rank"}


def test_a_comma_would_make_two_values_of_one():
    with pytest.raises(InvalidRequestError, match="keywords"):
        list_parameters(keywords=["a,b"])


@pytest.mark.parametrize(("page", "per_page"), [(0, 1), (1, 0), (1, 101), (10**7, 1)])
def test_pages_have_bounds(page, per_page):
    with pytest.raises(InvalidRequestError):
        page_parameters(page, per_page)


@pytest.mark.parametrize(("page", "per_page"), [(301, 1), (101, 100)])
def test_search_ends_early(page, per_page):
    page_parameters(page, per_page)
    with pytest.raises(InvalidRequestError):
        shallow_page_parameters(page, per_page)


def test_hosts_are_three():
    assert host_names("GitHub", login="x") == {"host": "github", "login": "x"}
    with pytest.raises(InvalidRequestError):
        host_names("sourcehut", login="x")
    with pytest.raises(InvalidRequestError):
        host_names("github", owner="a.b", name="x")


@pytest.mark.parametrize("count", [0, 1001])
def test_bulk_questions_have_bounds(count):
    with pytest.raises(InvalidRequestError):
        bulk_size(count)


@pytest.mark.parametrize("query", ["\ud800", "x" * 10_000, "é" * 1_000])
async def test_a_query_that_no_url_could_carry_is_refused(query):
    with pytest.raises(InvalidRequestError):
        await client(lambda _: pytest.fail("sent")).search(query)
