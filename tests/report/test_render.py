import base64
import hashlib

import pytest
from jinja2 import UndefinedError

from tests.report.pages import Page
from xrgan.report.render import environment, render

FOOT = {"version": "0.1.0", "date": "today"}


@pytest.fixture(autouse=True)
def templates(monkeypatch: pytest.MonkeyPatch) -> None:
    """One more template, beside those of the package."""
    from jinja2 import ChoiceLoader, DictLoader

    known = environment().loader
    assert known is not None
    top = '{% extends "base.html" %}{% block title %}{{ name }}{% endblock %}'
    body = '{% block body %}<p title="{{ name }}">{{ name }}</p>{% endblock %}'
    extra = DictLoader({"mine.html": top + body})
    monkeypatch.setattr(environment(), "loader", ChoiceLoader([extra, known]))


def test_what_comes_from_outside_is_text() -> None:
    html = render("mine.html", name="\"><script>alert(1)</script>&amp;'", **FOOT)
    assert "<script>alert" not in html and len(Page(html).all("script")) == 1
    assert Page(html).all("p")[0]["title"] == "\"><script>alert(1)</script>&amp;'"


def test_the_one_script_may_run_and_nothing_may_be_loaded() -> None:
    html = render("mine.html", name="a", **FOOT)
    code = html.split("<script>")[1].split("</script>")[0]
    digest = base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()
    policy = next(meta["content"] for meta in Page(html).all("meta") if "http-equiv" in meta)
    assert f"script-src 'sha256-{digest}'" in policy and "default-src 'none'" in policy


def test_bytes_that_are_no_text_are_told_by_a_question_mark() -> None:
    assert b'<p title="b?c">' in render("mine.html", name="b\udcffc", **FOOT).encode()


def test_what_a_template_lacks_is_a_mistake() -> None:
    with pytest.raises(UndefinedError):
        render("mine.html", **FOOT)
