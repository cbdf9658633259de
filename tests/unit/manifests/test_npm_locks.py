import json

from libraries_io_mcp.manifests import read_manifest

LOCK_V3 = {
    "name": "shop",
    "lockfileVersion": 3,
    "packages": {
        "": {"dependencies": {"a": "^1", "alias": "npm:real@^2"}},
        "node_modules/a": {"version": "1.2.0"},
        "node_modules/a/node_modules/@s/b": {"version": "3.0.0", "dev": True},
        "node_modules/alias": {"name": "real", "version": "2.0.0"},
        "node_modules/git": {"version": "1.0.0", "resolved": "git+ssh://git@github.com/a/b.git#1"},
        "node_modules/member": {"resolved": "packages/member", "link": True},
        "packages/member": {"version": "0.1.0"},
        "node_modules/opt": {"version": "1.0.0", "optional": True},
    },
}
LOCK_V1 = {
    "lockfileVersion": 1,
    "dependencies": {
        "a": {"version": "1.0.0", "dependencies": {"b": {"version": "2.0.0", "dev": True}}},
        "al": {"version": "npm:real@3.0.0"},
        "g": {"version": "github:a/b#1"},
        "x": 1,
    },
}
YARN_1 = """\
# yarn lockfile v1


"@babel/core@^7.0.0", "@babel/core@^7.1.0":
  version "7.23.9"
  resolved "https://registry.yarnpkg.com/@babel/core/-/core-7.23.9.tgz"
  dependencies:
    semver "^6.3.1"

old@npm:lodash@^3.0.0:
  version "3.10.1"

fork@acme/fork:
  version "1.0.0"
"""
YARN_BERRY = """\
__metadata:
  version: 8

"@babel/core@npm:^7.0.0, @babel/core@npm:^7.1.0":
  version: 7.23.9
  resolution: "@babel/core@npm:7.23.9"
  linkType: hard

"shop@workspace:.":
  version: 0.0.0-use.local
  resolution: "shop@workspace:."
"""
PNPM_9 = """\
lockfileVersion: '9.0'
importers:
  .:
    dependencies:
      a:
        specifier: ^1.0
        version: 1.10.0(peer@2.0.0)
    devDependencies:
      alias:
        specifier: npm:real@2
        version: real@2.0.0
packages:
  a@1.10.0:
    resolution: {integrity: sha512-x}
  real@2.0.0:
    resolution: {integrity: sha512-y}
  '@s/b@3.0.0':
    resolution: {integrity: sha512-z}
  dir@file:../dir:
    resolution: {directory: ../dir, type: directory}
"""
PNPM_5 = """\
lockfileVersion: 5.4
dependencies:
  a: 1.0.0_peer@2.0.0
packages:
  /a/1.0.0_peer@2.0.0:
    dev: false
  /@s/b/2.0.0:
    dev: true
"""


def test_package_lock_3():
    manifest = read_manifest(json.dumps(LOCK_V3))
    assert manifest.kind == "package-lock.json"
    assert [(p.name, p.version, p.kind, p.direct) for p in manifest.packages] == [
        ("a", "1.2.0", "runtime", True),
        ("@s/b", "3.0.0", "dev", False),
        ("real", "2.0.0", "runtime", True),
        ("opt", "1.0.0", "optional", False),
    ]
    assert [piece.path for piece in manifest.unread] == [
        "packages.node_modules/git",
        "packages.node_modules/member",
        "packages.packages/member",
    ]


def test_package_lock_1():
    manifest = read_manifest(json.dumps(LOCK_V1), "npm-shrinkwrap.json")
    assert [(p.name, p.version, p.kind) for p in manifest.packages] == [
        ("a", "1.0.0", "runtime"),
        ("real", "3.0.0", "runtime"),
        ("b", "2.0.0", "dev"),
    ]
    assert [piece.path for piece in manifest.unread] == ["dependencies.g", "dependencies.x"]


def test_yarn_1():
    manifest = read_manifest(YARN_1)
    assert manifest.kind == "yarn.lock"
    assert [(p.name, p.requirement, p.version, p.line) for p in manifest.packages] == [
        ("@babel/core", "^7.0.0, ^7.1.0", "7.23.9", 4),
        ("lodash", "^3.0.0", "3.10.1", 10),
    ]
    assert [piece.line for piece in manifest.unread] == [13]


def test_yarn_berry():
    manifest = read_manifest(YARN_BERRY)
    assert manifest.kind == "yarn.lock"
    assert [(p.name, p.requirement, p.version) for p in manifest.packages] == [
        ("@babel/core", "^7.0.0, ^7.1.0", "7.23.9")
    ]
    assert [piece.path for piece in manifest.unread] == ["shop@workspace:."]


def test_pnpm():
    manifest = read_manifest(PNPM_9)
    assert manifest.kind == "pnpm-lock.yaml"
    assert [(p.name, p.version, p.kind, p.direct) for p in manifest.packages] == [
        ("a", "1.10.0", "runtime", True),
        ("real", "2.0.0", "dev", True),
        ("@s/b", "3.0.0", "locked", False),
    ]
    assert [piece.text for piece in manifest.unread] == ["dir@file:../dir"]
    assert [(p.name, p.version, p.kind, p.direct) for p in read_manifest(PNPM_5).packages] == [
        ("a", "1.0.0", "runtime", True),
        ("@s/b", "2.0.0", "dev", False),
    ]
