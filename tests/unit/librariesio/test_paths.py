import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from libraries_io_mcp.errors import InvalidRequestError
from libraries_io_mcp.librariesio.paths import MAX_NAME_BYTES, encode_segment, expand, names_in

UNRESERVED = set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._")


@pytest.mark.parametrize(
    ("name", "segment"),
    [
        ("@babel/core", "%40babel%2Fcore"),
        ("github.com/gin-gonic/gin", "github.com%2Fgin-gonic%2Fgin"),
        ("1.0~rc1", "1.0%7Erc1"),
        ("1!2.0+local", "1%212.0%2Blocal"),
        ("%2F", "%252F"),
        ("../x", "..%2Fx"),
        ("é", "%C3%A9"),
    ],
)
def test_a_name_is_one_segment(name, segment):
    assert encode_segment(name) == segment


@pytest.mark.parametrize(
    "name", ["", "  ", ".", "..", "a\nb", "a\x00", "\x7f", "\x85", "\ud800", "x" * 513, "é" * 257, "x" * 1_000_000]
)
def test_what_is_no_name_is_refused(name):
    with pytest.raises(InvalidRequestError, match="version"):
        encode_segment(name, argument="version")


@given(st.text(max_size=600) | st.text(alphabet="./%@~!?#\\:é \x00", max_size=20))
def test_no_name_can_change_the_path(name):
    try:
        segment = encode_segment(name)
    except InvalidRequestError:
        return
    assert set(segment) <= UNRESERVED | {"%"}
    assert segment not in {"", ".", ".."}
    url = httpx.URL("https://h/api").copy_with(raw_path=f"/api/npm/{segment}?x=1".encode())
    assert url.raw_path == f"/api/npm/{segment}?x=1".encode()
    assert httpx.URL(str(url)).raw_path == url.raw_path
    assert names_in("/{platform}/{name}", f"/npm/{segment}") == {"platform": "npm", "name": name}
    assert len(name.encode()) <= MAX_NAME_BYTES


def test_templates_are_filled_and_read_back():
    names = {"platform": "npm", "name": "@a/b", "version": "1"}
    path = expand("/{platform}/{name}/{version}/dependencies", names)
    assert path == "/npm/%40a%2Fb/1/dependencies"
    assert names_in("/{platform}/{name}/{version}/dependencies", path) == names


@pytest.mark.parametrize("path", ["/npm", "/npm/a/b", "/npm/a/1/elsewhere", ""])
def test_other_paths_do_not_fit(path):
    assert names_in("/{platform}/{name}/{version}/dependencies", path) is None
