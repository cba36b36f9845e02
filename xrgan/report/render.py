"""Templates → one HTML page that needs nothing else: style and script stand in it, and no request leaves it."""

import base64
import functools
import hashlib
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from xrgan.report.charts import FRAME

SCRIPT, STYLE = "script.js", "style.css"


@functools.cache
def environment() -> Environment:
    """The templates of this folder; whatever is put into one is escaped, for names come from outside."""
    made = Environment(
        loader=PackageLoader("xrgan.report"),
        autoescape=select_autoescape(default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals["frame"] = FRAME
    return made


def render(template: str, script: str = SCRIPT, **context: Any) -> str:
    """Fill a template in: the page as text that any encoding of Unicode takes.

    The page's Content Security Policy lets run the one script that stands in it, by its hash, and load nothing: what
    slipped through the escaping would not run.

    Args:
        script: the template's own.
        context: what it shows.
    """
    code = _source(script)
    digest = base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()
    page = environment().get_template(template)
    html = page.render(script=Markup(code), script_hash=digest, style=Markup(_source(STYLE)), **context)
    return html.encode(errors="replace").decode()  # bytes of a path that are no text


def _source(name: str) -> str:
    """A template's text as it stands: code is neither escaped nor filled in."""
    loader = environment().loader
    assert loader is not None
    text, _, _ = loader.get_source(environment(), name)
    return text.strip()
