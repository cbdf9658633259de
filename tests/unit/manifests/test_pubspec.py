from libraries_io_mcp.manifests import read_manifest

PUBSPEC = """\
name: shop
environment:
  sdk: ">=3.0.0 <4.0.0"
dependencies:
  flutter:
    sdk: flutter
  http: ^1.2.0
  path: 1.10.0
  any_version:
  hosted:
    hosted: https://pub.dev
    version: ^2.0.0
  near:
    path: ../near
dev_dependencies:
  test: any
dependency_overrides:
  http: 1.1.0
"""
LOCK = """\
packages:
  http:
    dependency: "direct main"
    description:
      name: http
    source: hosted
    version: "1.2.0"
  meta:
    dependency: transitive
    source: hosted
    version: "1.11.0"
  flutter:
    dependency: "direct main"
    source: sdk
    version: "0.0.0"
sdks:
  dart: ">=3.0.0"
"""


def test_pubspec():
    manifest = read_manifest(PUBSPEC)
    assert manifest.kind == "pubspec.yaml"
    assert [(p.name, p.requirement, p.version, p.kind) for p in manifest.packages] == [
        ("http", "^1.2.0", None, "runtime"),
        ("path", "1.10.0", "1.10.0", "runtime"),
        ("any_version", None, None, "runtime"),
        ("hosted", "^2.0.0", None, "runtime"),
        ("test", "any", None, "dev"),
    ]
    assert [piece.path for piece in manifest.unread] == [
        "dependencies.flutter",
        "dependencies.near",
    ]
    assert [piece.path for piece in manifest.noted] == ["dependency_overrides.http"]


def test_pubspec_lock():
    manifest = read_manifest(LOCK)
    assert manifest.kind == "pubspec.lock"
    assert [(p.name, p.version, p.kind, p.direct) for p in manifest.packages] == [
        ("http", "1.2.0", "runtime", True),
        ("meta", "1.11.0", "locked", False),
    ]
    assert [piece.path for piece in manifest.unread] == ["packages.flutter"]
