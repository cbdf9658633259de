import json

from libraries_io_mcp.manifests import read_manifest

COMPOSER = {
    "require": {"php": ">=8.1", "ext-json": "*", "monolog/monolog": "^3.0", "acme/exact": "v1.2.3", "a/b": 1},
    "require-dev": {"phpunit/phpunit": "^10"},
    "repositories": [{"type": "vcs", "url": "https://github.com/acme/x"}],
}
LOCK = {
    "content-hash": "00",
    "packages": [
        {"name": "monolog/monolog", "version": "3.5.0"},
        {"name": "acme/branch", "version": "dev-main"},
        {"name": "acme/near", "version": "1.0", "dist": {"type": "path"}},
    ],
    "packages-dev": [{"name": "phpunit/phpunit", "version": "10.5.9"}, 3],
    "platform": {"php": ">=8.1"},
    "platform-dev": [],
}


def test_composer_json():
    manifest = read_manifest(json.dumps(COMPOSER))
    assert manifest.kind == "composer.json"
    assert [(p.name, p.requirement, p.version, p.kind) for p in manifest.packages] == [
        ("monolog/monolog", "^3.0", None, "runtime"),
        ("acme/exact", "v1.2.3", "v1.2.3", "runtime"),
        ("phpunit/phpunit", "^10", None, "dev"),
    ]
    assert [piece.path for piece in manifest.unread] == ["require.a/b"]
    assert [piece.path for piece in manifest.noted] == ["require.php", "require.ext-json", "repositories"]


def test_composer_lock():
    manifest = read_manifest(json.dumps(LOCK))
    assert manifest.kind == "composer.lock"
    assert [(p.name, p.version, p.kind) for p in manifest.packages] == [
        ("monolog/monolog", "3.5.0", "runtime"),
        ("acme/branch", None, "runtime"),
        ("phpunit/phpunit", "10.5.9", "dev"),
    ]
    assert len(manifest.unread) == 2
    assert [piece.path for piece in manifest.noted] == ["platform"]
