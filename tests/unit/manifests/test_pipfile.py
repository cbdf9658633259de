import json

from libraries_io_mcp.manifests import read_manifest

PIPFILE = """
[[source]]
url = "https://pypi.org/simple"
[packages]
flask = "*"
gunicorn = {version = "==21.2.0", markers = "sys_platform != 'win32'", extras = ["gevent"]}
mine = {editable = true, path = "."}
[dev-packages]
pytest = ">=8"
[docs]
sphinx = "*"
[requires]
python_version = "3.12"
"""
LOCK = {
    "_meta": {"hash": {"sha256": "00"}, "pipfile-spec": 6},
    "default": {"flask": {"version": "==3.0.2", "hashes": ["sha256:00"]}, "tool": {"git": "https://x/y", "ref": "a"}},
    "develop": {"pytest": {"version": "==8.0.0"}, "odd": 1},
}


def test_pipfile():
    manifest = read_manifest(PIPFILE)
    assert manifest.kind == "Pipfile"
    assert [(p.name, p.kind, p.group, p.version) for p in manifest.packages] == [
        ("flask", "runtime", None, None),
        ("gunicorn", "runtime", None, "21.2.0"),
        ("pytest", "dev", None, None),
        ("sphinx", "dev", "docs", None),
    ]
    assert [piece.path for piece in manifest.unread] == ["packages.mine"]


def test_pipfile_lock():
    manifest = read_manifest(json.dumps(LOCK))
    assert manifest.kind == "Pipfile.lock"
    assert [(p.name, p.kind, p.version, p.direct) for p in manifest.packages] == [
        ("flask", "runtime", "3.0.2", None),
        ("pytest", "dev", "8.0.0", None),
    ]
    assert [piece.path for piece in manifest.unread] == ["default.tool", "develop.odd"]
