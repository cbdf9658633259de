import json

import pytest

from libraries_io_mcp.manifests import read_manifest
from libraries_io_mcp.manifests.npm_spec import NpmSpec, npm_spec

PACKAGE = {
    "name": "shop",
    "dependencies": {
        "react": "^18.2.0",
        "@types/node": "20.11.5",
        "old": "npm:lodash@^3.0.0",
        "ours": "workspace:*",
        "fork": "acme/fork#v2",
        "odd": {"version": "1"},
    },
    "devDependencies": {"jest": "latest"},
    "peerDependencies": {"vue": ">=3", "svelte": "*"},
    "peerDependenciesMeta": {"svelte": {"optional": True}},
    "optionalDependencies": {"fsevents": "~2.3.3"},
    "overrides": {"semver": "7.5.4"},
    "workspaces": ["packages/*"],
}


def test_package_json():
    manifest = read_manifest(json.dumps(PACKAGE))
    assert manifest.kind == "package.json"
    assert [(p.name, p.kind, p.requirement, p.version, p.optional) for p in manifest.packages] == [
        ("react", "runtime", "^18.2.0", None, False),
        ("@types/node", "runtime", "20.11.5", "20.11.5", False),
        ("lodash", "runtime", "^3.0.0", None, False),
        ("jest", "dev", "latest", None, False),
        ("vue", "peer", ">=3", None, False),
        ("svelte", "peer", "*", None, True),
        ("fsevents", "optional", "~2.3.3", None, True),
    ]
    assert [piece.path for piece in manifest.unread] == [
        "dependencies.ours",
        "dependencies.fork",
        "dependencies.odd",
        "workspaces",
    ]
    assert [piece.path for piece in manifest.noted] == ["overrides"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("npm:@scope/real@1.2.3", NpmSpec("@scope/real", "1.2.3", "1.2.3")),
        ("npm:@scope/real", NpmSpec("@scope/real", None)),
        ("npm:^1.0.0", NpmSpec("name", "^1.0.0")),
        ("=v1.2.3-rc.1", NpmSpec("name", "=v1.2.3-rc.1", "1.2.3-rc.1")),
        ("", NpmSpec("name", None)),
    ],
)
def test_npm_spec(text: str, expected: NpmSpec):
    assert npm_spec("name", text) == expected


@pytest.mark.parametrize(
    "text",
    ["file:../a", "link:a", "git+ssh://git@x/y.git", "github:a/b", "a/b", "https://x/y.tgz", "catalog:", "patch:a@1"],
)
def test_what_is_not_of_the_registry(text: str):
    assert npm_spec("name", text).problem
