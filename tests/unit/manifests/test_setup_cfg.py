from libraries_io_mcp.manifests import read_manifest

SETUP = """\
[metadata]
name = shop

[options]
packages = find:
install_requires =
    requests>=2
    # a comment
    attrs==23.1.0; python_version < "3.12"
setup_requires = wheel
[options.extras_require]
test = pytest
docs =
    file: docs.txt
[flake8]
ignore = E501
"""


def test_setup_cfg():
    manifest = read_manifest(SETUP)
    assert manifest.kind == "setup.cfg"
    assert [(p.name, p.version, p.kind, p.group, p.line) for p in manifest.packages] == [
        ("requests", None, "runtime", None, 7),
        ("attrs", "23.1.0", "runtime", None, 9),
        ("wheel", None, "build", None, 10),
        ("pytest", None, "optional", "test", 12),
    ]
    assert [(piece.line, "another file" in piece.reason) for piece in manifest.unread] == [(14, True)]
    assert [piece.line for piece in manifest.noted] == [1, 5, 15]
