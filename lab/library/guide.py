"""``lab.help``: what the library can do, function by function, in the language of the notebook."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import lab
from credit.errors import Malformed
from credit.messages import Text, language_here
from lab.library.display import html
from models.features.feature_sql import hint

FUNCTIONS = {  # name -> its text and an example, in the order of a day's work
    "me": ("guide.me", "lab.me()"),
    "catalogue": ("guide.catalogue", 'lab.catalogue("罚款")'),
    "sql": ("guide.sql", 'lab.sql("SELECT kind, count(*) AS firms FROM registration GROUP BY kind")'),
    "sample": ("guide.sample", "lab.sample(5)"),
    "releases": ("guide.releases", "lab.releases()"),
    "check": ("guide.check", "lab.check(sql)"),
    "features": ("guide.features", "lab.features(sql)"),
    "rows": ("guide.rows", 'rows = lab.rows(sql, as_of="2026-04-01", label="defaulted")'),
    "table": ("guide.table", 'lab.table("SELECT district, count(*) FROM registration GROUP BY ALL")'),
    "feature": ("guide.feature", 'lab.feature("penalties", "处罚次数", +1)'),
    "order": ("guide.order", 'order = lab.order("enterprise", sql=sql)'),
    "train": ("guide.train", "run = lab.train(order)"),
    "run": ("guide.run", 'lab.run("order-1a2b3c")'),
    "runs": ("guide.runs", "lab.runs()"),
    "compare": ("guide.compare", "lab.compare(run, run.champion)"),
    "measure": ("guide.measure", "lab.measure(run, other_order)"),
    "champion": ("guide.champion", 'lab.compare(run, lab.champion("enterprise"))'),
    "register": ("guide.register", 'lab.register(run, "Fresh penalties, for young firms")'),
    "carry_out": (
        "guide.carry-out",
        'lab.carry_out("table.csv", title=…, purpose=…, description=…, sources=[rows])',
    ),
    "parcels": ("guide.parcels", "lab.parcels()"),
    "notices": ("guide.notices", "lab.notices()"),
    "help": ("guide.help", 'lab.help("rows")'),
}
TOPICS = {"packages": "guide.packages", "keys": "guide.keys", "kernels": "guide.kernels"}


class Guide:
    """A page of help: a title, paragraphs, and rows of a table (function, what it does, example)."""

    def __init__(self, title: str, paragraphs: list[str], rows: list[tuple[str, str, str]], original: str = "") -> None:
        self.title, self.paragraphs, self.rows, self._original = title, paragraphs, rows, original

    def __repr__(self) -> str:
        lines = [f"{name}\n    {what}" + (f"\n    {example}" if example else "") for name, what, example in self.rows]
        return "\n".join([self.title, "", *self.paragraphs, *lines, *([self._original] if self._original else [])])

    def _repr_html_(self) -> str:
        shown = [html.title(self.title), *(f"<p>{html.esc(each)}</p>" for each in self.paragraphs)]
        if self.rows:
            cells = [(html.code(name), html.esc(what), html.code(example)) for name, what, example in self.rows]
            shown.append(html.table(("", "", ""), cells, raw=True))
        if self._original:
            summary = "<summary>Python docstring</summary>"
            shown.append(f"<details>{summary}<pre>{html.esc(self._original)}</pre></details>")
        return html.block(*shown)


def help(topic: str | Callable[..., Any] = "") -> Guide:
    """What the library can do, in the language of your browser; of a function by its name or the function itself.

    ``packages`` says what is installed and how to get more, ``keys`` which keys help to type, ``kernels`` how many
    notebooks run at once. Raises :class:`~credit.errors.Malformed` with the nearest name for another topic.

    >>> import lab
    >>> lab.help("sample").title
    'lab.sample(n, seed=0, table=None, *, as_of=None)'
    """
    name = topic if isinstance(topic, str) else str(getattr(topic, "__name__", ""))
    name = name.removeprefix("lab.").removesuffix("()")
    if not name:
        return _overview()
    if name in TOPICS:
        return Guide(f"lab.help({name!r})", [_text(TOPICS[name])], [])
    if name not in FUNCTIONS:
        raise Malformed("guide.no-topic", remedy=hint(name, (*FUNCTIONS, *TOPICS)), name=name[:40])
    text, example = FUNCTIONS[name]
    function = getattr(lab, name)
    paragraphs = [_text(text), Text.of("guide.example", example=example).render(language_here())]
    return Guide(_signature(name, function), paragraphs, [], inspect.getdoc(function) or "")


def _overview() -> Guide:
    rows = [(f"lab.{name}", _text(text), example) for name, (text, example) in FUNCTIONS.items()]
    rows += [(f"lab.help({name!r})", _text(text), "") for name, text in TOPICS.items()]
    paragraphs = [_text("guide.what-this-is"), _text("guide.more")]
    return Guide(_text("guide.title"), paragraphs, rows)


def _text(id: str) -> str:
    return Text.of(id).render(language_here())


def _signature(name: str, function: Callable[..., Any]) -> str:
    """The call of a function, without types."""
    signature = inspect.signature(function)
    plain = [each.replace(annotation=inspect.Parameter.empty) for each in signature.parameters.values()]
    return f"lab.{name}{signature.replace(parameters=plain, return_annotation=inspect.Signature.empty)}"
