import pytest

from libraries_io_mcp.errors import InvalidRequestError
from libraries_io_mcp.librariesio.ask import Ask
from libraries_io_mcp.librariesio.endpoints import SEARCH


@pytest.mark.parametrize(
    ("parameters", "named"),
    [({"q": "http", "keywords": "k" * 5_000}, "shorten keywords"), ({"q": "é" * 1_000}, "shorten query")],
)
def test_arguments_that_are_too_long_together_name_the_longest(parameters: dict[str, str], named: str):
    with pytest.raises(InvalidRequestError, match=named):
        _ = Ask(SEARCH, parameters=parameters).query
