"""A known secret, a key-shaped value, an e-mail address never survive; a clean text comes back as it is."""

import base64
import json
import string
from collections.abc import Callable
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libraries_io_mcp.telemetry.redaction import LONGEST_TEXT, MASK, Redactor, cut

SECRETS = st.text(string.ascii_letters + string.digits + "\"'\\{}:,&=-_.", min_size=8, max_size=40)
TEXTS = st.text(max_size=80)
WORDS = st.text(string.ascii_letters + string.digits, min_size=6, max_size=30)


@given(st.lists(SECRETS, min_size=1, max_size=4), st.lists(TEXTS, min_size=2, max_size=6), st.data())
def test_a_planted_secret_never_survives(secrets: list[str], texts: list[str], data: st.DataObject):
    text = data.draw(st.sampled_from(secrets)).join(texts)
    redacted = Redactor(secrets).text(text)
    assert not [secret for secret in secrets if secret in redacted]
    dumped = Redactor(secrets).text(json.dumps([text], ensure_ascii=False))
    assert not [secret for secret in secrets if json.dumps(secret, ensure_ascii=False)[1:-1] in dumped]


@given(st.text("abc xyz=&/.-_0123", max_size=80))
def test_a_text_without_anything_to_hide_is_the_same_object(text: str):
    assert Redactor(["0123456789"]).text(text) is text or "0123456789" in text


@given(st.recursive(WORDS | st.integers() | st.none(), lambda inner: st.lists(inner) | st.dictionaries(WORDS, inner)))
def test_values_without_anything_to_hide_are_the_same_object(value: object):
    redactor = Redactor(["!never!"])
    if not redactor.suspicious(str(value)):
        assert redactor.value(value) is value


@given(SECRETS)
def test_a_secret_inside_a_value_never_survives(secret: str):
    value = {"a": [f"x{secret}", (secret, 1)], "b": {"c": f"{secret}y"}}
    (first, second), inner = Redactor([secret]).value(value).values()
    assert secret not in str((first, inner))
    assert second == (MASK, 1)


@given(st.emails(), TEXTS)
def test_an_e_mail_address_never_survives(address: str, text: str):
    assert address not in Redactor().text(f"{text} <{address}>")


@given(st.emails())
def test_an_e_mail_address_inside_an_address_never_survives(address: str):
    for quoted in (quote(address, safe=""), quote(quote(address, safe=""), safe="")):
        assert quoted not in Redactor().text(f"http://host/api/NPM/{quoted}/dependents")


@pytest.mark.parametrize(
    "form",
    [
        "http://x/api?api_key={}&page=2",
        "Authorization: Bearer {}",
        "{{'authorization': 'Basic {}'}}",
        '{{"token": "{}"}}',
        "bearer {}",
        "LIBRARIES_IO_API_KEY={} in the environment",
        "redis://user:{}@host:6379/0",
        "redis://:{}@host:6379/0",
        "https://{}@github.com/a/b",
        "https://host/search?q={}",
        "/search?q={}&page=3",
        "search://packages?q={}",
        "client_secret: {}",
        "password={};",
    ],
)
@given(WORDS)
def test_what_nobody_told_us_is_secret_never_survives(form: str, value: str):
    assert value not in Redactor().text(form.format(value)).replace(form.replace("{}", ""), "") or value in form


def test_a_value_under_a_telling_name_goes_as_a_whole():
    clean = Redactor().attributes({"http.request.header.authorization": "x y", "api_key": "abc", "input_tokens": 5})
    assert clean == {"http.request.header.authorization": MASK, "api_key": MASK, "input_tokens": 5}


def test_a_secret_that_holds_another_one_goes_as_a_whole():
    assert Redactor(["abc", "abcdef"]).text("abcdef abc") == f"{MASK} {MASK}"


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("http://x/api?api_key=unknown&page=2", "http://x/api?api_key=***&page=2"),
        ("http://x/api?page=2&API_KEY=unknown", "http://x/api?page=2&API_KEY=***"),
        ('<a href="http://x/?api_key=unknown">', '<a href="http://x/?api_key=***">'),
        ("http://x/?api_key=", "http://x/?api_key="),
        ("mail a.b@c.example.org!", "mail ***!"),
        ("http://x/api/NPM/a.b%40example.org", "http://x/api/NPM/***"),
        ("http://x/api/NPM/a.b%2540example.org/dependents", "http://x/api/NPM/***/dependents"),
    ],
)
def test_what_becomes_of_a_text(text: str, redacted: str):
    assert Redactor().text(text) == redacted


@pytest.mark.parametrize(
    "text",
    [
        "Set LIBRARIES_IO_API_KEY first.",
        "0af7651916cd43dd8448eb211c80319c",
        "https://libraries.io/api/search?page=2&per_page=30&sort=rank",
        "did you mean npm? yes",
        "@babel/core and left-pad@1.3.0",
        "lodash@4.17.21",
        "react@18.3.0-canary.1",
        "http://x/api/NPM/%40babel%2Fcore",
        "http://x/api/NPM/100%25",
        "tokens: 5, tokenizers 0.22",
        "tools/call get_quota_status completed in 1.2 ms",
    ],
)
def test_harmless_texts_are_the_same_object(text: str):
    assert Redactor(["hush-hush"]).text(text) is text


def test_empty_and_tiny_secrets_are_none():
    assert Redactor(["", "a", "ab"]).text("a text about ab") == "a text about ab"


def test_its_repr_shows_no_secret():
    assert "hush-hush" not in repr(Redactor(["hush-hush"]))


@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
@given(
    before=st.binary(max_size=7), after=st.binary(max_size=7), secret=st.text(string.printable, min_size=6, max_size=40)
)
def test_a_secret_inside_base64_never_survives(
    encode: Callable[[bytes], bytes], before: bytes, after: bytes, secret: str
):
    encoded = encode(before + secret.encode() + after).decode()
    redacted = Redactor([secret]).text(f"Proxy-Authenticate {encoded}")
    assert MASK in redacted
    assert encoded not in redacted


@pytest.mark.parametrize(
    "unit", ["a", "a?", "=/", "a://", "@", "%25", "token ", "api_key=", "x@a.", "\x1b", "secret: "]
)
@pytest.mark.parametrize("length", [9_000, 1_000_000])
def test_of_a_long_text_patterns_see_a_bounded_part(unit: str, length: int):
    text = (unit * (length // len(unit) + 1))[:length] + " ?token=hush-hush"
    redacted = Redactor().text(text)
    assert len(redacted) < LONGEST_TEXT + 100
    assert "characters cut" in redacted
    assert "hush-hush" not in redacted


def test_a_secret_on_the_edge_of_a_cut_never_survives():
    secret = "0123456789abcdef" * 2
    for place in range(LONGEST_TEXT // 2 - 40, LONGEST_TEXT // 2 + 8):
        text = "x" * place + secret + " y" * LONGEST_TEXT
        assert "0123456789" not in Redactor([secret]).text(text)


def test_half_of_a_value_that_only_its_name_gives_away_never_survives_a_cut():
    value = "v" * 3 * LONGEST_TEXT
    assert "vvvv" not in Redactor().text(f"{'word ' * 700}api_key={value} {'word ' * 700}")


def test_a_cut_text_says_how_much_is_missing_and_keeps_both_ends():
    clean = cut("first " + "x " * 10_000 + "last")
    assert clean.startswith("first ")
    assert clean.endswith(" last")
    missing = int(clean.partition("[... ")[2].partition(" ")[0])
    assert len(clean) - len(f"[... {missing} characters cut ...]") + missing == len("first " + "x " * 10_000 + "last")
