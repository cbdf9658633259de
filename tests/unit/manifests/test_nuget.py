import json

import pytest

from libraries_io_mcp.manifests import ManifestError, read_manifest

CONFIG = """<?xml version="1.0" encoding="utf-8"?>
<packages>
  <package id="Newtonsoft.Json" version="13.0.3" targetFramework="net48" />
  <package id="StyleCop" version="1.0" developmentDependency="true" />
</packages>"""
PROJECT = """<Project Sdk="Microsoft.NET.Sdk">
  <Import Project="common.props" />
  <PropertyGroup><SerilogVersion>3.1.1</SerilogVersion></PropertyGroup>
  <ItemGroup>
    <PackageReference Include="Serilog" Version="$(SerilogVersion)" />
    <PackageReference Include="Exact"><Version>[2.0.0]</Version></PackageReference>
    <PackageReference Include="Floating" Version="1.*" />
    <PackageReference Include="Open" Version="$(Nowhere)" />
    <PackageReference Include="Analyzers" Version="1.0.0" PrivateAssets="all" />
    <ProjectReference Include="..\\core\\core.csproj" />
  </ItemGroup>
  <ItemGroup Condition="'$(TargetFramework)' == 'net48'"><PackageReference Include="Old" Version="1.0" /></ItemGroup>
</Project>"""
LOCK = {
    "version": 1,
    "dependencies": {
        "net8.0": {
            "Serilog": {"type": "Direct", "requested": "[3.1.1, )", "resolved": "3.1.1", "contentHash": "x"},
            "Deep": {"type": "Transitive", "resolved": "1.0.0", "contentHash": "y"},
            "core": {"type": "Project"},
        }
    },
}


def test_packages_config():
    manifest = read_manifest(CONFIG)
    assert manifest.kind == "packages.config"
    assert [(p.name, p.version, p.kind, p.group, p.line) for p in manifest.packages] == [
        ("Newtonsoft.Json", "13.0.3", "runtime", "net48", 3),
        ("StyleCop", "1.0", "dev", None, 4),
    ]


def test_project_file():
    manifest = read_manifest(PROJECT, "Shop.csproj")
    assert [(p.name, p.requirement, p.version, p.kind) for p in manifest.packages] == [
        ("Serilog", "3.1.1", "3.1.1", "runtime"),
        ("Exact", "[2.0.0]", "2.0.0", "runtime"),
        ("Floating", "1.*", None, "runtime"),
        ("Open", "$(Nowhere)", None, "runtime"),
        ("Analyzers", "1.0.0", "1.0.0", "dev"),
        ("Old", "1.0", "1.0", "runtime"),
    ]
    assert manifest.packages[-1].marker == "'$(TargetFramework)' == 'net48'"
    assert [piece.line for piece in manifest.unread] == [2, 8, 10]


def test_packages_lock():
    manifest = read_manifest(json.dumps(LOCK))
    assert manifest.kind == "packages.lock.json"
    assert [(p.name, p.version, p.direct, p.group) for p in manifest.packages] == [
        ("Serilog", "3.1.1", True, "net8.0"),
        ("Deep", "1.0.0", False, "net8.0"),
    ]
    assert len(manifest.unread) == 1


def test_another_root_is_refused():
    with pytest.raises(ManifestError, match="<Project>"):
        read_manifest("<project/>", "a.csproj")
