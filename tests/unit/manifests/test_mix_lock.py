from libraries_io_mcp.manifests import read_manifest

LOCK = """%{
  "jason": {:hex, :jason, "1.4.1", "af1504e3", [:mix], [{:decimal, "~> 1.0"}], "hexpm", "fbb01ecd"},
  "fork": {:git, "https://github.com/acme/fork.git", "abc", []},
}
"""


def test_mix_lock():
    manifest = read_manifest(LOCK)
    assert manifest.kind == "mix.lock"
    assert [(p.platform, p.name, p.version, p.line) for p in manifest.packages] == [("Hex", "jason", "1.4.1", 2)]
    assert [piece.line for piece in manifest.unread] == [3]
