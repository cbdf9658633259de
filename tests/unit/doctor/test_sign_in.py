"""Which keys the doctor counts: those that the server would check a token with."""

from libraries_io_mcp.authentication.web_tokens import ALGORITHMS
from libraries_io_mcp.doctor.sign_in import KINDS, examine_sign_in
from libraries_io_mcp.settings import load_settings


def test_the_kinds_are_those_of_the_server():
    assert sorted(KINDS.values()) == sorted(ALGORITHMS)


async def test_where_nobody_logs_in_nothing_is_tried():
    (finding,) = await examine_sign_in(load_settings(transport="stdio"))
    assert (finding.state, finding.found) == ("skipped", "stdio: nobody logs in")
    (finding,) = await examine_sign_in(load_settings(transport="http"))
    assert (finding.state, finding.found) == ("skipped", "not set: nobody has to log in")
