import pytest

from libraries_io_mcp.sandbox.version_order import follows_semver, is_stable, version_key


def test_order_is_by_number_not_by_text():
    numbers = ["1.10.0", "1.9.0", "2.0.0-rc.1", "2.0.0", "2.0.0-alpha.2", "2.0.0.post1", "v0.1.0"]
    ordered = ["v0.1.0", "1.9.0", "1.10.0", "2.0.0-alpha.2", "2.0.0-rc.1", "2.0.0", "2.0.0.post1"]
    assert sorted(numbers, key=version_key) == ordered


@pytest.mark.parametrize(
    ("number", "stable"),
    [
        ("1.0.0", True),
        ("33.4.8-jre", True),
        ("0.0.post12", True),
        ("1.0.0rc2", False),
        ("5.9.0-beta", False),
        ("7.0.0-0", False),
        ("0.55b1", False),
    ],
)
def test_stable(number: str, stable: bool):
    assert is_stable(number) is stable


def test_semver():
    assert follows_semver("1.2.3-rc.1")
    assert follows_semver("v1.2.3")
    assert not follows_semver("1.2")
