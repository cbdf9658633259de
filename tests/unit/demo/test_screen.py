"""Colour only on a terminal; the picture needs nothing from elsewhere."""

import re
from xml.etree import ElementTree

from rich.text import Text

from libraries_io_mcp.demo.screen import WITHOUT_TERMINAL, Screen


def test_outside_a_terminal_there_are_plain_lines(capsys, monkeypatch):
    for name in ("FORCE_COLOR", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)
    screen = Screen(picture=False)
    with screen.busy("starting"):
        screen.show(Text("said", "bold red"))
    screen.section("Part")
    text = capsys.readouterr().out
    assert "... starting\nsaid\n" in text
    assert "\x1b" not in text
    assert len(text.splitlines()[-1]) == WITHOUT_TERMINAL


def test_the_picture_is_well_formed_and_self_contained(tmp_path, capsys):
    screen = Screen(picture=True)
    with screen.busy("not in the picture"):
        screen.show(Text("said <&> so", "green"))
    screen.save(tmp_path / "demo.svg", "title")
    picture = (tmp_path / "demo.svg").read_text(encoding="utf-8")
    text = "".join(ElementTree.fromstring(picture).itertext()).replace("\xa0", " ")  # noqa: S314 - our own file
    assert "said <&> so" in text
    assert "not in the picture" not in text
    assert set(re.findall(r"https?://[^\s\"<]+", picture)) == {"http://www.w3.org/2000/svg"}
    assert "font-face" not in picture
