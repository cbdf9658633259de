"""Nothing vanishes: each line of a line-based manifest is a package, or is reported with its number and a reason."""

from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from libraries_io_mcp.manifests import Manifest, read_manifest

ODD = "abz019 '\"()<>=!~,.;:@[]|&*%$?^-_/"
"""Of what lines nobody foresaw are made; signs that begin a comment or a block are left out."""


@dataclass(frozen=True)
class Format:
    """What a format's lines look like: `{n}` is the number of the line.

    Attributes:
        frames: what begins and what ends a block; neither has to be reported.
        members: lines that have to be reported, within any block and without.
        margin: what stands before a member.
    """

    filename: str
    frames: tuple[tuple[str, str], ...]
    members: tuple[str, ...]
    margin: str = ""


FORMATS = (
    Format(
        "requirements.txt",
        (("", ""),),
        (
            "pkg-{n}==1.{n}",
            "pkg-{n}[x]>=1; python_version > '3.{n}'",
            "pkg-{n} @ https://example.org/{n}.whl",
            "pkg-{n}==1 --hash=sha256:{n}",
            "--index-url https://example.org/{n}",
            "-r more-{n}.txt",
            "-e ./dir-{n}",
            "./dir-{n}",
        ),
    ),
    Format(
        "setup.cfg",
        (
            ("[options]\ninstall_requires =", ""),
            ("[options]\nsetup_requires=", ""),
            ("[options.extras_require]\nx =", ""),
        ),
        ("pkg-{n}>=1", "file: more-{n}.txt", "pkg-{n}; python_version > '3'"),
        margin="    ",
    ),
    Format(
        "go.mod",
        (("", ""), ("require (", ")"), ("exclude (", ")"), ("replace (", ")"), ("retract (", ")")),
        (
            "require a.io/m{n} v1.0.{n}",
            "a.io/n{n} v1.0.{n} // indirect",
            "module a.io/own{n}",
            "go 1.{n}",
            "toolchain go1.{n}",
            "replace a.io/m{n} => ../m{n}",
        ),
    ),
    Format(
        "Gemfile",
        (
            ("", ""),
            ("group :test do", "end"),
            ("if ENV['X']", "end"),
            ("git 'https://example.org/x.git' do", "end"),
            ("v = case x\nwhen 1", "end"),
            ("while x do", "end # of it"),
            ("source 'https://example.org' do |s|", "end"),
            ("install_if -> {{ true }} do", "end"),
            ("group(:test) {{", "}}"),
        ),
        (
            "gem 'g{n}'",
            'gem "g{n}", "~> {n}.0", require: false',
            "gem('g{n}')",
            "gem 'g{n}' if true",
            "if true then gem 'g{n}' end",
            "if a; gem 'g{n}'; end",
            "group(:test) {{ gem 'g{n}' }}",
            "unless a then git 'u{n}' do gem 'g{n}' end end",
            "%w[g{n}].each {{ |g| gem g }}",
            "source 'https://example.org/{n}'",
            "ruby '3.{n}'",
            "gemspec name: 'g{n}'",
            "puts 'the end of {n} do {{'",
        ),
        margin="  ",
    ),
    Format(
        "Gemfile.lock",
        (("GEM\n  remote: https://rubygems.org/\n  specs:", ""), ("PATH\n  remote: .\n  specs:", "")),
        ("g{n} (1.{n})", "g{n}", "g{n} (1.{n}) what", "g{n} (1.0, 1.{n})"),
        margin="    ",
    ),
    Format("mix.lock", (("", ""), ("%{{", "}}")), ('"p{n}": {{:hex, :p{n}, "1.{n}"}},', '"p{n}": {{:git, "u"}},')),
)


def reported(manifest: Manifest) -> set[int | None]:
    """The lines of which anything is said."""
    return {one.line for one in (*manifest.packages, *manifest.unread, *manifest.noted)}


def written(format_: Format, blocks: list[tuple[tuple[str, str], list[str]]]) -> tuple[str, dict[int, str]]:
    """The manifest, and its lines that have to be reported by their numbers."""
    lines: list[str] = []
    due: dict[int, str] = {}
    for (begin, end), members in blocks:
        lines += begin.format().splitlines()
        for member in members:
            lines.append(format_.margin + member.format(n=len(lines) + 1))
            due[len(lines)] = lines[-1]
        lines += end.format().splitlines()
    return "\n".join(lines) + "\n", due


@pytest.mark.parametrize("format_", FORMATS, ids=lambda format_: format_.filename)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_each_line_is_a_package_or_reported(format_: Format, data: st.DataObject):
    odd = st.builds("{}{}{{n}}".format, st.sampled_from("?x-'(="), st.text(ODD, max_size=12))
    members = st.lists(st.one_of(st.sampled_from(format_.members), odd), max_size=5)
    blocks = data.draw(st.lists(st.tuples(st.sampled_from(format_.frames), members), max_size=4))
    text, due = written(format_, blocks)
    manifest = read_manifest(text, format_.filename)
    said = reported(manifest)
    assert {number: line for number, line in due.items() if number not in said} == {}
    assert manifest.truncated is None


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_each_block_of_a_gemfile_ends_where_it_ends(data: st.DataObject):
    format_ = next(one for one in FORMATS if one.filename == "Gemfile")
    members = st.lists(st.sampled_from(format_.members), max_size=5)
    blocks = data.draw(st.lists(st.tuples(st.sampled_from(format_.frames), members), max_size=4))
    text, _ = written(format_, blocks)
    last = read_manifest(f"{text}gem 'last'\n", "Gemfile").packages[-1]
    assert (last.name, last.group, last.marker) == ("last", None, None)


@settings(max_examples=60, deadline=None)
@given(versions=st.lists(st.sampled_from(['  version "1.{n}"', "  resolved x", "", "    version 3"]), max_size=6))
def test_each_entry_of_a_yarn_lock_is_reported(versions: list[str]):
    lines = "".join(f"a{n}@^1:\n{detail.format(n=n)}\n" for n, detail in enumerate(versions))
    assert reported(read_manifest(f"# yarn lockfile v1\n{lines}", "yarn.lock")) == {
        2 + 2 * n for n in range(len(versions))
    }
