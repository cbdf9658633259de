import pytest

from libraries_io_mcp.sandbox.keys import KNOWN_KEY, mask_keys


def test_the_known_key_has_the_form_of_a_key():
    assert len(KNOWN_KEY) == 32
    assert set(KNOWN_KEY) <= set("0123456789abcdef")


@pytest.mark.parametrize(
    ("query", "masked"),
    [
        ("api_key=secret&page=2", "api_key=***&page=2"),
        ("page=2&api%5Fkey=secret", "page=2&api%5Fkey=***"),
        ("q=api_key", "q=api_key"),
    ],
)
def test_mask(query: str, masked: str):
    assert mask_keys(query) == masked
