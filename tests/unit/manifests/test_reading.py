"""Encodings, recognition, limits, hostile texts."""

import contextlib
import json
import tracemalloc
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.own_process import in_own_process
from tests.unit.manifests.hostile import SAMPLES

from libraries_io_mcp.errors import InvalidRequestError
from libraries_io_mcp.manifests import ManifestError, Truncated, read_manifest, supported_formats

GO = "module a\r\n\r\nrequire b.io/c v1.0.0\r\n"
FILES = [
    "requirements.txt",
    "pyproject.toml",
    "setup.cfg",
    "Pipfile",
    "Pipfile.lock",
    "poetry.lock",
    "uv.lock",
    "pylock.toml",
    "package.json",
    "package-lock.json",
    "yarn.lock",
    "pnpm-lock.yaml",
    "Cargo.toml",
    "Cargo.lock",
    "go.mod",
    "Gemfile",
    "Gemfile.lock",
    "pom.xml",
    "composer.json",
    "composer.lock",
    "packages.config",
    "a.csproj",
    "packages.lock.json",
    "pubspec.yaml",
    "pubspec.lock",
    "mix.lock",
]


@pytest.mark.parametrize(
    "raw",
    [
        GO,
        "\ufeff" + GO,
        GO.replace("\r\n", "\r"),
        GO.encode(),
        b"\xef\xbb\xbf" + GO.encode(),
        GO.encode("utf-16"),
        GO.encode("utf-16-le"),
        GO.encode("utf-16-be"),
        b"\xff\xfe\x00\x00" + GO.encode("utf-32-le"),
    ],
)
def test_encodings_and_line_ends(raw: str | bytes):
    package = read_manifest(raw, "go.mod").packages[0]
    assert (package.name, package.version, package.line) == ("b.io/c", "v1.0.0", 3)


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"\xe9t\xe9", "not valid UTF-8"),
        (b"\xff\xfea", "not valid UTF-16-LE"),
        (b"a\x00b", "NUL"),
        ("a\x00b", "NUL"),
        ("\ud800", "no valid Unicode"),
    ],
)
def test_what_is_no_text(raw: str | bytes, message: str):
    with pytest.raises(ManifestError, match=message):
        read_manifest(raw, "requirements.txt")


def test_unknown_formats_name_the_known_ones():
    with pytest.raises(ManifestError, match="not known") as caught:
        read_manifest("hello world", "notes.md")
    assert isinstance(caught.value, InvalidRequestError)
    assert caught.value.error_type == "invalid_request"
    assert all(name in caught.value.next_step for name in supported_formats())


def test_the_file_name_decides_and_paths_are_fine():
    assert read_manifest("", "C:\\shop\\requirements.txt").kind == "requirements.txt"
    assert read_manifest("a", "deploy/requirements/base.txt").kind == "requirements.txt"
    assert read_manifest("requests==1\n", "deps").kind == "requirements.txt"


def test_the_size_limit_is_an_argument():
    with pytest.raises(ManifestError, match="larger than 3 bytes"):
        read_manifest("abcd", "requirements.txt", max_bytes=3)
    with pytest.raises(ManifestError, match="larger than 3 bytes"):
        read_manifest("äöü", "requirements.txt", max_bytes=3)


def test_what_is_cut_is_counted():
    manifest = read_manifest("".join(f"p{n}\n" for n in range(30)), "requirements.txt", max_packages=10)
    assert len(manifest.packages) == 10
    assert manifest.truncated == Truncated(packages=20)
    manifest = read_manifest("!\n" * 1_500, "requirements.txt")
    assert len(manifest.unread) == 1_000
    assert manifest.truncated == Truncated(unread=500)
    manifest = read_manifest("--pre\n" * 1_500, "requirements.txt")
    assert len(manifest.noted) == 1_000
    assert manifest.truncated == Truncated(noted=500)


def test_names_that_are_none_are_unread():
    text = '{"dependencies": {"a b": "1", "\\ud800": "1", "": "1", "' + "x" * 400 + '": "1"}}'
    manifest = read_manifest(text, "package.json")
    assert manifest.packages == ()
    assert len(manifest.unread) == 4
    for piece in manifest.unread:
        assert piece.text.encode() is not None


def test_a_bomb_costs_no_memory():
    names = ("pom.xml, billion laughs", "pnpm-lock, billion laughs", "pyproject, dotted key of 10 MB")
    most = in_own_process(most_bytes_of_refusing, names)
    assert {name: size for name, size in most.items() if size >= 15_000_000} == {}


def most_bytes_of_refusing(names: Sequence[str]) -> dict[str, int]:
    """Bytes that reading each hostile sample takes at most, its own text left out."""
    most = {}
    for name in names:
        filename, make = SAMPLES[name]
        text = make()
        tracemalloc.start()
        with pytest.raises(ManifestError):
            read_manifest(text, filename)
        most[name] = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    return most


LEAVES = st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=8), st.just("1.0"), st.just("npm:a@1"))
KEYS = st.sampled_from(
    [
        "dependencies",
        "devDependencies",
        "peerDependencies",
        "peerDependenciesMeta",
        "overrides",
        "packages",
        "name",
        "version",
        "resolved",
        "require",
        "require-dev",
        "repositories",
        "dist",
        "source",
        "type",
        "default",
        "develop",
        "_meta",
        "platform",
        "node_modules/a",
        "a",
        "optional",
        "dev",
        "link",
        "git",
        "path",
        "workspaces",
    ]
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=5)),
    max_leaves=20,
)


@settings(max_examples=150, deadline=None)
@given(
    document=st.dictionaries(KEYS, VALUES, max_size=6),
    filename=st.sampled_from(
        [
            "package.json",
            "package-lock.json",
            "composer.json",
            "composer.lock",
            "Pipfile.lock",
            "packages.lock.json",
            "pnpm-lock.yaml",
            "pubspec.yaml",
            "pubspec.lock",
        ]
    ),
)
def test_documents_of_any_shape_are_survived(document: dict, filename: str):
    with contextlib.suppress(ManifestError):  # YAML takes fewer characters than JSON
        read_manifest(json.dumps(document), filename)


@settings(max_examples=200, deadline=None)
@given(
    text=st.lists(
        st.sampled_from(
            [
                "gem 'a'",
                "group :x do",
                "end",
                "if a",
                "else",
                "[package]",
                "[[package]]",
                "a = ",
                "{",
                "}",
                '"',
                "'",
                "==",
                "\\",
                "\n",
                " ",
                "  specs:\n",
                "    a (1)\n",
                "GEM\n",
                "-r",
                "--x",
                "a@1:\n",
                '  version "1"\n',
                ":",
                "- ",
                "require (",
                ")",
                "//",
                "<project>",
                "</project>",
                "<a",
                ">",
                "${a}",
                "&",
                "*a",
                "!!x ",
                "#",
                ";",
                ",",
                "é",
            ]
        )
    ).map("".join),
    filename=st.sampled_from(FILES),
)
def test_rubbish_is_an_error_or_an_answer(text: str, filename: str):
    try:
        read_manifest(text, filename)
    except ManifestError as error:
        assert len(str(error)) < 400  # noqa: PT017  both outcomes are fine
