from libraries_io_mcp.manifests import read_manifest

PEP_621 = """
[project]
name = "shop"
dynamic = ["version", "optional-dependencies"]
dependencies = ["httpx>=0.28", "acme", "local @ file:///tmp/local", 7]

[project.optional-dependencies]
redis = ["redis[hiredis]==5.0.1; sys_platform != 'win32'"]

[build-system]
requires = ["hatchling>=1.27"]

[dependency-groups]
dev = ["ruff", {include-group = "Typing"}, {include-group = "gone"}, {other = 1}]
typing = ["mypy>=1"]
a = [{include-group = "b"}]
b = [{include-group = "a"}, "pluggy"]

[tool.uv]
dev-dependencies = ["pytest"]
override-dependencies = ["werkzeug==2.3.0"]
[tool.uv.sources]
acme = { workspace = true }
[tool.uv.workspace]
members = ["packages/*"]
[tool.pdm.dev-dependencies]
lint = ["flake8"]
[tool.hatch.envs.docs]
dependencies = ["mkdocs"]
"""
POETRY = """
[tool.poetry.dependencies]
python = "^3.11"
django = "^4.2"
celery = { version = "5.3.6", extras = ["redis"], optional = true, markers = "os_name == 'posix'" }
mine = { path = "../mine" }
numpy = [{ version = "^1.24", python = "<3.12" }, { version = "^1.26", python = ">=3.12" }]
odd = 3
[tool.poetry.dev-dependencies]
black = "*"
[tool.poetry.group.docs.dependencies]
sphinx = ">=7"
"""


def test_pep_621_groups_and_tools():
    manifest = read_manifest(PEP_621, "pyproject.toml")
    assert [(p.name, p.kind, p.group, p.requirement, p.version) for p in manifest.packages] == [
        ("httpx", "runtime", None, ">=0.28", None),
        ("redis", "optional", "redis", "==5.0.1", "5.0.1"),
        ("ruff", "dev", "dev", None, None),
        ("mypy", "dev", "typing", ">=1", None),
        ("pluggy", "dev", "b", None, None),
        ("hatchling", "build", None, ">=1.27", None),
        ("pytest", "dev", None, None, None),
        ("flake8", "dev", "lint", None, None),
        ("mkdocs", "dev", "docs", None, None),
    ]
    assert manifest.packages[1].optional


def test_what_pep_621_leaves_unread():
    manifest = read_manifest(PEP_621)
    reasons = {piece.path: piece.reason for piece in manifest.unread}
    assert "workspace" in reasons["project.dependencies[1]"]
    assert "direct reference" in reasons["project.dependencies[2]"]
    assert "requirement is expected" in reasons["project.dependencies[3]"]
    assert "dynamic" in reasons["project.dynamic"]
    assert "does not exist" in reasons["dependency-groups.dev[2]"]
    assert "neither" in reasons["dependency-groups.dev[3]"]
    assert "circle" in reasons["dependency-groups.a[0]"]
    assert "circle" in reasons["dependency-groups.b[0]"]
    assert "tool.uv.workspace" in reasons
    assert {"tool.uv.sources.acme", "tool.uv.override-dependencies"} == {piece.path for piece in manifest.noted}


def test_poetry():
    manifest = read_manifest(POETRY, "pyproject.toml")
    assert [(p.name, p.kind, p.group, p.requirement, p.version, p.optional, p.marker) for p in manifest.packages] == [
        ("django", "runtime", None, "^4.2", None, False, None),
        ("celery", "runtime", None, "5.3.6", "5.3.6", True, "os_name == 'posix'"),
        ("numpy", "runtime", None, "^1.24", None, False, "python <3.12"),
        ("numpy", "runtime", None, "^1.26", None, False, "python >=3.12"),
        ("black", "dev", None, "*", None, False, None),
        ("sphinx", "dev", "docs", ">=7", None, False, None),
    ]
    assert [piece.path for piece in manifest.unread] == [
        "tool.poetry.dependencies.mine",
        "tool.poetry.dependencies.odd",
    ]
    assert [piece.path for piece in manifest.noted] == ["tool.poetry.dependencies.python"]


def test_wrong_types_are_said_and_not_fatal():
    text = "[project]\ndependencies = {a = 1}\noptional-dependencies = [1]\n[tool]\npoetry = 1\nuv = []\n"
    manifest = read_manifest(text, "pyproject.toml")
    assert manifest.packages == ()
    assert len(manifest.unread) == 4
