from libraries_io_mcp.manifests import read_manifest

GO_MOD = """\
module example.org/shop

go 1.22

require github.com/pkg/errors v0.9.1
require (
	"golang.org/x/net" v0.20.0
	github.com/acme/fork v0.0.0-20240101000000-abcdefabcdef // indirect
	broken
)
replace github.com/acme/fork => ../fork
exclude (
	github.com/old/one v1.0.0
)
"""


def test_go_mod():
    manifest = read_manifest(GO_MOD)
    assert manifest.kind == "go.mod"
    assert [(p.name, p.version, p.kind, p.direct, p.line) for p in manifest.packages] == [
        ("github.com/pkg/errors", "v0.9.1", "runtime", True, 5),
        ("golang.org/x/net", "v0.20.0", "runtime", True, 7),
        ("github.com/acme/fork", "v0.0.0-20240101000000-abcdefabcdef", "indirect", False, 8),
    ]
    assert [piece.line for piece in manifest.unread] == [9, 11]
    assert [piece.line for piece in manifest.noted] == [1, 3, 13]
