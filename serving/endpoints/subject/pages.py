"""The subject's page as HTML, in Chinese and English: every text is escaped, and no script runs in it."""

from __future__ import annotations

import base64
from datetime import datetime
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup, escape

from credit.messages import Text
from credit.settings import BEIJING
from serving.endpoints.subject.words import WORDS
from serving.mandates.application_store import Application

_HERE = Path(__file__).parent


@cache
def _style() -> str:
    return (_HERE / "page.css").read_text(encoding="utf-8")


@cache
def headers() -> dict[str, str]:
    """The headers of the page: its Content-Security-Policy allows the page's own style and its own forms alone."""
    style = base64.b64encode(sha256(_style().encode()).digest()).decode()
    policy = (
        f"default-src 'none'; style-src 'sha256-{style}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
    return {"Content-Security-Policy": policy, "Cache-Control": "no-store", "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY"}  # fmt: skip


@cache
def _template() -> Template:
    environment = Environment(
        loader=FileSystemLoader(_HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    return environment.get_template("page.html.j2")


def draw(language: str, *, note: str = "", session: Any = None, **values: Any) -> str:
    """The page in `zh` or `en`: of a link where `link` is given, the entrance without a session, or the whole."""

    def text(name: str) -> str:
        return Text(WORDS[name]).render(language)

    def evidence(each: Application) -> str:
        name = f"evidence-{each.evidence}"
        return text(name) if name in WORDS else each.evidence

    def moment(at: datetime) -> str:
        return f"{at.astimezone(BEIJING):%Y-%m-%d %H:%M}"

    hidden = ""
    if session is not None:
        hidden = Markup(f'<input type="hidden" name="form" value="{escape(session.form_token)}">')
    return _template().render(
        language=language, t=text, evidence=evidence, moment=moment, hidden=hidden, note=note, session=session,
        style=Markup(_style()), **values,
    )  # fmt: skip
