import pytest

from libraries_io_mcp.manifests import ManifestError, read_manifest

POM = """<?xml version="1.0" encoding="UTF-8"?>
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <parent><groupId>org.acme</groupId><artifactId>parent</artifactId><version>3.0</version></parent>
  <artifactId>shop</artifactId>
  <properties><jackson.version>2.16.1</jackson.version><jv>${jackson.version}</jv></properties>
  <dependencyManagement><dependencies>
    <dependency><groupId>org.slf4j</groupId><artifactId>slf4j-api</artifactId><version>2.0.11</version></dependency>
  </dependencies></dependencyManagement>
  <dependencies>
    <dependency><groupId>com.fasterxml</groupId><artifactId>jackson</artifactId><version>${jv}</version></dependency>
    <dependency><groupId>org.slf4j</groupId><artifactId>slf4j-api</artifactId></dependency>
    <dependency><groupId>${project.groupId}</groupId><artifactId>core</artifactId>
      <version>${project.version}</version></dependency>
    <dependency><groupId>junit</groupId><artifactId>junit</artifactId><version>[4.13,5)</version>
      <scope>test</scope><optional>true</optional></dependency>
    <dependency><groupId>a</groupId><artifactId>open</artifactId><version>${revision}</version></dependency>
    <dependency><groupId>a</groupId><artifactId>sys</artifactId><scope>system</scope></dependency>
    <dependency><groupId>${unknown}</groupId><artifactId>x</artifactId></dependency>
  </dependencies>
  <modules><module>web</module></modules>
  <build><plugins><plugin><artifactId>maven-surefire-plugin</artifactId><version>3.2.5</version></plugin></plugins>
  </build>
  <profiles><profile><id>native</id><dependencies>
    <dependency><groupId>p</groupId><artifactId>n</artifactId><version>[1.0]</version></dependency>
  </dependencies></profile></profiles>
</project>
"""


def test_pom():
    manifest = read_manifest(POM)
    assert manifest.kind == "pom.xml"
    assert [(p.name, p.requirement, p.version, p.kind, p.marker) for p in manifest.packages] == [
        ("org.acme:parent", "3.0", "3.0", "parent", None),
        ("com.fasterxml:jackson", "2.16.1", "2.16.1", "runtime", None),
        ("org.slf4j:slf4j-api", "2.0.11", "2.0.11", "runtime", None),
        ("org.acme:core", "3.0", "3.0", "runtime", None),
        ("junit:junit", "[4.13,5)", None, "test", None),
        ("a:open", "${revision}", None, "runtime", None),
        ("org.slf4j:slf4j-api", "2.0.11", "2.0.11", "managed", None),
        ("org.apache.maven.plugins:maven-surefire-plugin", "3.2.5", "3.2.5", "build", None),
        ("p:n", "[1.0]", "1.0", "runtime", "profile native"),
    ]
    assert manifest.packages[1].line == 11
    assert [(piece.text, piece.line) for piece in manifest.unread] == [
        ("a:open ${revision}", 17),
        ("a:sys", 18),
        ("${unknown}:x", 19),
        ("web", 21),
    ]


def test_another_root_is_refused():
    with pytest.raises(ManifestError, match="<project>"):
        read_manifest("<html/>", "pom.xml")
