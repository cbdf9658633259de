"""The page's files: nothing from outside, nothing that parses HTML, nothing inline."""

import re
from importlib.resources import files

import pytest

PAGE = files("libraries_io_mcp.status") / "page"
FILES = {each.name: each.read_text(encoding="utf-8") for each in PAGE.iterdir()}
SCRIPTS = sorted(name for name in FILES if name.endswith(".js"))


def test_nothing_is_loaded_from_outside():
    for name, text in FILES.items():
        addresses = set(re.findall(r"""https?:\\?/\\?/[\w.]+""", text)) - {"http://www.w3.org"}
        assert not addresses, name
        assert "//" not in "".join(re.findall(r"""(?:src|href|url|import)\s*[=(]\s*["']([^"']*)""", text)), name


def test_all_that_is_asked_for_is_there():
    asked = set(re.findall(r'(?:src|href)="status/([^"]+)"', FILES["index.html"]))
    asked |= {name for script in SCRIPTS for name in re.findall(r'from "\./([^"]+)"', FILES[script])}
    assert asked | {"index.html"} == set(FILES)


@pytest.mark.parametrize("script", SCRIPTS)
def test_foreign_text_is_never_parsed(script: str):
    dangers = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|srcdoc|\beval\(|new Function|setHTML"
    assert not re.findall(dangers, FILES[script])


def test_nothing_is_inline_so_that_the_policy_can_be_strict():
    page = FILES["index.html"]
    assert not re.findall(r"<style|<script(?![^>]*src=)|\sstyle=|\son\w+=|javascript:", page)


def test_every_place_that_the_scripts_fill_is_on_the_page():
    ids = set(re.findall(r'id="([^"]+)"', FILES["index.html"]))
    wanted = {name for script in SCRIPTS for name in re.findall(r'byId\("([^"]+)"\)', FILES[script])}
    assert wanted <= ids


def test_every_field_has_a_label():
    page = FILES["index.html"]
    for field in re.findall(r"<(?:input|select)[^>]*>", page):
        name = re.search(r'id="([^"]+)"', field)
        assert name is not None
        before = page[: page.index(field)]
        assert f'for="{name[1]}"' in page or before.rindex("<label") > before.rfind("</label>"), field
