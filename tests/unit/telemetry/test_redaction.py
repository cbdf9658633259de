"""A known secret never survives; a text without one comes back as it is."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libraries_io_mcp.telemetry.redaction import MASK, Redactor

SECRETS = st.text(string.ascii_letters + string.digits + "\"'\\{}:,&=-_.", min_size=8, max_size=40)
TEXTS = st.text(max_size=80)


@given(st.lists(SECRETS, min_size=1, max_size=4), st.lists(TEXTS, min_size=2, max_size=6), st.data())
def test_a_planted_secret_never_survives(secrets: list[str], texts: list[str], data: st.DataObject):
    text = data.draw(st.sampled_from(secrets)).join(texts)
    redacted = Redactor(secrets).text(text)
    assert not [secret for secret in secrets if secret in redacted]


@given(st.text("abc xyz=&?", max_size=80))
def test_a_text_without_a_secret_is_the_same_object(text: str):
    assert Redactor(["0123456789"]).text(text) is text


@given(st.recursive(SECRETS | st.integers() | st.none(), lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner)))
def test_values_keep_their_shape(value: object):
    assert Redactor().value(value) == value


@given(SECRETS)
def test_a_secret_inside_a_value_never_survives(secret: str):
    value = {"a": [f"x{secret}", (secret, 1)], "b": {"c": f"{secret}y"}}
    redacted = Redactor([secret]).value(value)
    assert redacted == {"a": [f"x{MASK}", (MASK, 1)], "b": {"c": f"{MASK}y"}}


def test_a_secret_that_holds_another_one_goes_as_a_whole():
    assert Redactor(["abc", "abcdef"]).text("abcdef abc") == f"{MASK} {MASK}"


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("http://x/api?api_key=unknown&page=2", "http://x/api?api_key=***&page=2"),
        ("http://x/api?page=2&API_KEY=unknown", "http://x/api?page=2&API_KEY=***"),
        ('<a href="http://x/?api_key=unknown">', '<a href="http://x/?api_key=***">'),
        ("http://x/?api_key=", "http://x/?api_key="),
        ("Set LIBRARIES_IO_API_KEY first.", "Set LIBRARIES_IO_API_KEY first."),
    ],
)
def test_a_key_in_an_address_goes_though_nobody_knows_it(text: str, redacted: str):
    assert Redactor().text(text) == redacted


def test_empty_secrets_are_none():
    assert Redactor(["", ""]).text("text") == "text"


def test_its_repr_shows_no_secret():
    assert "hush-hush" not in repr(Redactor(["hush-hush"]))
