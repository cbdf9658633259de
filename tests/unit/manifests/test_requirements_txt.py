from libraries_io_mcp.manifests import Declared, read_manifest

REQUIREMENTS = """\
# pinned by pip-compile
--index-url https://user:s3cret@pypi.example.org/simple?token=abc
-r base.txt
-c constraints.txt
requests[socks,security] >= 2.31, < 3 ; python_version < "3.13"  # the client
urllib3==2.2.1 \\
    --hash=sha256:aaaa \\
    --hash=sha256:bbbb
-e git+https://github.com/acme/tool.git#egg=tool
acme @ https://example.org/acme-1.0.tar.gz
https://example.org/other-1.0.whl
./vendor/local
Django
not a requirement!
;
"""


def test_requirements_with_their_lines():
    manifest = read_manifest(REQUIREMENTS, "requirements.txt")
    assert manifest.kind == "requirements.txt"
    assert manifest.packages == (
        Declared(
            "Pypi",
            "requests",
            ">= 2.31, < 3",
            extras=("security", "socks"),
            marker='python_version < "3.13"',
            line=5,
        ),
        Declared("Pypi", "urllib3", "==2.2.1", "2.2.1", line=6),
        Declared("Pypi", "Django", line=13),
    )
    assert manifest.truncated is None


def test_everything_else_is_said_with_line_and_reason():
    manifest = read_manifest(REQUIREMENTS, "requirements.txt")
    unread = {piece.line: piece for piece in manifest.unread}
    assert sorted(unread) == [3, 4, 9, 10, 11, 12, 14, 15]
    assert [(piece.line, piece.reason) for piece in manifest.noted] == [(2, "an option of pip, not a package")]
    assert "include" in unread[3].reason
    assert "editable" in unread[9].reason
    assert "no released version" in unread[10].reason
    assert "PEP 508" in unread[14].reason


def test_credentials_do_not_get_out():
    manifest = read_manifest(REQUIREMENTS, "requirements.txt")
    texts = " ".join(piece.text for piece in (*manifest.unread, *manifest.noted))
    assert "s3cret" not in texts
    assert "abc" not in texts


def test_the_file_name_tells_what_it_is_for():
    assert read_manifest("pytest", "requirements-dev.txt").packages[0].kind == "dev"
    assert read_manifest("pytest", "requirements/test.txt").packages[0].kind == "test"
    assert read_manifest("pytest<9", "constraints.txt").packages[0].kind == "constraint"


def test_a_comment_line_ends_a_continuation():
    manifest = read_manifest("a==1 \\\n# comment \\\nb==2\n\n\n\nc", "requirements.txt")
    assert [(package.name, package.line) for package in manifest.packages] == [("a", 1), ("b", 3), ("c", 7)]


def test_exact_repeats_are_counted():
    manifest = read_manifest("a==1\na==1\na==2\n", "requirements.txt")
    assert [package.version for package in manifest.packages] == ["1", "2"]
    assert manifest.repeated == 1
