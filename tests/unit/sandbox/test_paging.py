import pytest

from libraries_io_mcp.sandbox.paging import positive


@pytest.mark.parametrize(
    ("text", "number"),
    [("7", 7), ("12abc", 12), (" 3", 3), ("0", 30), ("-4", 30), ("abc", 30), ("", 30), (None, 30), ("1e3", 1)],
)
def test_numbers_as_ruby_reads_them(text: str | None, number: int):
    assert positive(text, 30) == number
