"""The check of the built pages finds what it is there to find."""

import importlib
import shutil
import sys
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
BROWSER = shutil.which("chromium") or shutil.which("google-chrome")
GOOD = """<!doctype html><html><head><title>good</title></head><body>
<header class="bd-header"><a class="nav-link" href="bad.html#place">bad</a></header>
<main class="bd-main"><h1 id="top-of-it">Good</h1><a href="#top-of-it">here</a>
<div style="overflow-x: auto"><div style="width: 3000px">scrolls</div></div></main></body></html>"""
BAD = """<!doctype html><html><head><title>bad</title></head><body><main class="bd-main" id="place">
<a href="missing.html">gone</a> <a href="good.html#nowhere">gone</a>
<p style="width: 2000px">sticks out</p><script>console.error("broken script")</script>
</main></body></html>"""


@pytest.fixture
def check_pages(monkeypatch):
    monkeypatch.syspath_prepend(str(DOCS))
    yield importlib.import_module("check_pages")
    sys.modules.pop("check_pages")


@pytest.fixture
def pages(tmp_path):
    (tmp_path / "good.html").write_text(GOOD, encoding="utf-8")
    (tmp_path / "bad.html").write_text(BAD, encoding="utf-8")
    return tmp_path


def test_links_that_lead_nowhere(check_pages, pages):
    found = list(check_pages.broken_links(pages, ["bad.html", "good.html"]))
    assert [fault.split(": ", 1)[1] for fault in found] == [
        "no file for missing.html",
        "no such place: good.html#nowhere",
    ]


@pytest.mark.skipif(BROWSER is None, reason="needs Chromium or Chrome")
def test_what_a_browser_sees(check_pages, pages):
    found = list(check_pages.look(pages, ["bad.html", "good.html"], BROWSER))
    assert not [fault for fault in found if fault.startswith("good.html")]
    for width in check_pages.WIDTHS:
        own = [fault for fault in found if fault.startswith(f"bad.html at {width}: ")]
        assert any("sticks out" in fault for fault in own)
        assert any("broken script" in fault for fault in own)
