"""One odd value costs that value, never the whole reply; and what was lost is told."""

import json
from typing import Any

import pytest

from libraries_io_mcp.librariesio.decoder import decode
from libraries_io_mcp.librariesio.models import BulkEntry, CheckedProject, Project, Sourcerank, TreeNode

PROJECT = {
    "name": "left-pad",
    "platform": "NPM",
    "stars": 7,
    "keywords": ["pad", "string"],
    "versions": [
        {"number": "1.0.0", "published_at": "2018-04-09T01:29:44.000Z"},
        {"number": "1.1.0", "published_at": "2019-04-09T01:29:44.000Z"},
    ],
}


def read(model: Any, value: Any) -> tuple[Any, dict[str, int]]:
    data, deviations = decode(model, json.dumps(value).encode())
    return data, dict(deviations)


def test_a_reply_as_promised_is_read_whole():
    data, deviations = read(Project, PROJECT)
    assert deviations == {}
    assert (data.stars, data.keywords, len(data.versions)) == (7, ("pad", "string"), 2)


@pytest.mark.parametrize("odd", ["many", [], {}, 10**30, -1, 1.5, "10 000"])
def test_a_count_that_can_not_be_read_is_not_known(odd: object):
    data, deviations = read(Project, PROJECT | {"stars": odd})
    assert (data.stars, deviations) == (None, {"stars": 1})
    assert len(data.versions) == 2


@pytest.mark.parametrize("odd", [20180409, "20180409", 1.5, True, [], {}, "yesterday", "09/04/2018", "2018-13-45"])
def test_a_date_of_no_known_form_is_not_known_and_no_other_date(odd: object):
    versions = [PROJECT["versions"][0] | {"published_at": odd}, PROJECT["versions"][1]]
    data, deviations = read(Project, PROJECT | {"versions": versions})
    assert [version.published_at and version.published_at.year for version in data.versions] == [None, 2019]
    assert deviations == {"versions.published_at": 1}


def test_a_day_without_an_hour_is_that_day_in_utc():
    data, _ = read(Project, PROJECT | {"latest_release_published_at": "2018-04-09"})
    assert data.latest_release_published_at.isoformat() == "2018-04-09T00:00:00+00:00"


@pytest.mark.parametrize("odd", [None, {}, []])
def test_an_item_that_can_not_be_read_is_lost_alone(odd: object):
    data, deviations = read(Project, PROJECT | {"keywords": ["pad", odd, "string"]})
    assert (data.keywords, deviations) == (("pad", "string"), {"keywords": 1})


@pytest.mark.parametrize("number", [None, {}, []])
def test_a_version_without_a_number_is_lost_alone(number: object):
    versions = [{"number": number, "published_at": None}, *PROJECT["versions"], {"published_at": None}, 5]
    data, deviations = read(Project, PROJECT | {"versions": versions})
    assert [version.number for version in data.versions] == ["1.0.0", "1.1.0"]
    assert deviations == {"versions.number": 2, "versions": 1}


def test_one_odd_date_among_thousands_costs_itself():
    versions = [{"number": str(n), "published_at": "2018-04-09T01:29:44.000Z"} for n in range(3_000)]
    versions[1_234]["published_at"] = "9 April 2018"
    data, deviations = read(Project, PROJECT | {"versions": versions})
    assert [n for n, version in enumerate(data.versions) if version.published_at is None] == [1_234]
    assert deviations == {"versions.published_at": 1}


def test_a_missing_signal_is_unknown():
    data, deviations = read(Sourcerank, {"stars": 3, "subscribers": "few"})
    assert (data.stars, data.subscribers, data.contributors) == (3, None, None)
    assert deviations == {"subscribers": 1}


def test_an_odd_entry_of_a_batch_leaves_the_others_in_their_places():
    whole = {
        "status": 200,
        "body": {"name": "a", "platform": "NPM", "dependencies_for_version": "1", "dependencies": []},
    }
    data, deviations = read(tuple[BulkEntry | None, ...], [whole, {"status": 200}, whole])
    assert [entry is None for entry in data] == [False, True, False]
    assert deviations == {"body": 1}


def test_an_odd_package_of_many_is_lost_alone():
    packages = [{"name": f"p{n}", "platform": "NPM"} for n in range(100)]
    packages[50]["name"] = 50
    data, deviations = read(tuple[CheckedProject, ...], packages)
    assert len(data) == 99
    assert deviations == {"name": 1}


def test_a_node_deep_in_a_tree_is_lost_with_what_is_below_it():
    def node(name: object, *children: Any) -> dict[str, Any]:
        return {
            "version": {"number": "1"},
            "dependency": {"platform": "NPM", "project_name": name},
            "dependencies": children,
        }

    data, deviations = read(TreeNode, node("a", node("b", node(7, node("d"))), node("e")))
    assert [child.dependency.project_name for child in data.dependencies] == ["b", "e"]
    assert data.dependencies[0].dependencies == ()
    assert deviations == {"dependencies.dependencies.dependency.project_name": 1}


@pytest.mark.parametrize(
    ("model", "value"),
    [
        (Project, [PROJECT]),
        (Project, PROJECT | {"name": 5}),
        (Project, PROJECT | {"platform": None}),
        (Project, {"name": "left-pad"}),
        (Project, None),
        (tuple[Project, ...], PROJECT),
        (tuple[Project, ...], [{"name": 5}]),
        (Sourcerank, {"stars": "many"}),
        (tuple[BulkEntry | None, ...], ["a", "b"]),
    ],
)
def test_without_identity_or_container_it_is_no_reply(model: Any, value: Any):
    with pytest.raises(ValueError, match="promised"):
        read(model, value)


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"[" * 100_000, b"<html>"])
def test_what_is_no_json_is_no_reply(content: bytes):
    with pytest.raises(ValueError, match="promised"):
        decode(Project, content)


def test_a_byte_order_mark_and_unknown_fields_are_passed_over():
    data, deviations = decode(Project, b"\xef\xbb\xbf" + json.dumps(PROJECT | {"new": {"a": 1}}).encode())
    assert (data.name, dict(deviations)) == ("left-pad", {})


def test_half_a_surrogate_pair_costs_itself():
    content = json.dumps(PROJECT | {"description": "x"}).replace('"x"', '"\\ud83d"').encode()
    data, deviations = decode(Project, content)
    assert (data.description, data.stars, dict(deviations)) == ("?", 7, {})
