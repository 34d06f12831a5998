"""``lab.order``: build an order from a built-in declaration and a researcher's own features."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from credit.errors import Malformed
from credit.messages import Text
from lab.library.display import html
from lab.library.features import Checked, check, for_every_subject
from lab.library.workspace_data import practice
from models.features.feature_sql import check_order, hint
from models.order.order import Order, built_in

BASES = ("enterprise", "individual_business")
_SHOWN = ("", "name", "title", "direction", "reason")


@dataclass(frozen=True, slots=True)
class Draft:
    """A valid order before it is placed. ``own`` are the names of the researcher's features in it."""

    order: Order
    own: tuple[str, ...]

    @property
    def sql(self) -> str:
        """The whole feature SQL."""
        return self.order.sql

    def as_json(self) -> dict[str, Any]:
        """The order as JSON values."""
        return self.order.as_json()

    def __repr__(self) -> str:
        return f"{self._head()}\n{html.text_table(_SHOWN, self._rows())}\n{self._foot()}"

    def _repr_html_(self) -> str:
        rows = self._rows()
        own, others = [row for row in rows if row[0]], [row for row in rows if not row[0]]
        shown = html.table(_SHOWN, own) if own else ""
        if others:
            summary = f"<summary>{len(others)} features of the base 内置特征</summary>"
            shown += f"<details>{summary}{html.table(_SHOWN, others)}</details>"
        return html.block(html.title(self._head()), shown, html.note(self._foot()))

    def _head(self) -> str:
        return f"order {self.order.model}: {self.order.title}"

    def _foot(self) -> str:
        label, training = self.order.label, self.order.training
        window = f" within {label.window_months} months" if label.window_months else ""
        return f"defaulted 违约: {label.when} of {label.table}{window}; {training.trials} trials, seed {training.seed}"

    def _rows(self) -> list[tuple[str, str, str, str, str]]:
        signs = {1: "+ raises risk", -1: "− lowers risk", 0: "either"}
        return [
            ("own" if f.name in self.own else "", f.name, f.title, signs[f.direction], f.reason["zh"])
            for f in self.order.features
        ]


def feature(name: str, title: str = "", direction: int = 0, zh: str = "", en: str = "") -> dict[str, Any]:
    """Declare a feature: ``direction`` is +1 when a higher value may only raise the risk; reasons are for the bank.

    >>> import lab
    >>> lab.feature("penalties", "处罚次数", +1, zh="近年处罚", en="Recent penalties")["direction"]
    1
    """
    reason = {"zh": zh or title or name, "en": en or name.replace("_", " ")}
    return {"name": name, "title": title or name, "direction": direction, "reason": reason}


def order(
    base: str = "enterprise",
    sql: str | Checked = "",
    features: Sequence[str | Mapping[str, Any]] = (),
    *,
    keep: Iterable[str] | None = None,
    **changes: Any,
) -> Draft:
    """Build an order from the built-in ``base`` and the features of ``sql``.

    ``features`` declares them (names, or :func:`feature`); a feature of the SQL without a declaration has no direction.
    ``keep`` names the features of the base to keep (default: all; ``[]``: none, and then the base's tables need not be
    granted). ``changes`` replace keys of the declaration, mappings in part: ``training={"trials": 2}``. Raises
    :class:`~credit.errors.Malformed` with a hint when the order does not fit the tables.

    >>> import lab
    >>> mine = "SELECT subject, count(*) AS penalties FROM administrative_penalty GROUP BY subject"
    >>> lab.order(sql=mine, features=[lab.feature("penalties", "处罚次数", +1)], keep=[], title="处罚次数模型")
    order enterprise: 处罚次数模型
         name       title     direction      reason
    ───  ─────────  ────────  ─────────────  ────────
    own  penalties  处罚次数  + raises risk  处罚次数
    defaulted 违约: overdue_days >= 90 of loan_performance within 6 months; 8 trials, seed 7
    """
    if base not in BASES:
        raise Malformed("orders.no-declaration", remedy=hint(base, BASES), base=base)
    declaration = built_in(base).as_json()
    own = _declared(sql, features)
    kept = _kept(declaration, keep)
    if duplicates := sorted({each["name"] for each in own} & {each["name"] for each in kept}):
        raise Malformed("orders.feature-base-already", taken=", ".join(duplicates))
    read = set(check(sql).query.tables) if sql else set()
    if kept:
        declaration["sql"] = _joined_sql(declaration["sql"], [each["name"] for each in kept], sql, own)
    else:
        if not sql:
            raise Malformed("orders.order-no-features")
        declaration["sql"], declaration["tables"] = for_every_subject(check(sql).sql), []
    declaration["tables"] = sorted({*declaration["tables"], *read})
    declaration["features"] = [*kept, *own]
    names = {each["name"] for each in declaration["features"]}
    declaration["rules"] = [rule for rule in declaration["rules"] if rule["feature"] in names]
    made = Order.parse(_changed(declaration, changes))
    check_order(made, practice().granted_terms())
    return Draft(made, tuple(each["name"] for each in own))


def _declared(sql: str | Checked, features: Sequence[str | Mapping[str, Any]]) -> list[dict[str, Any]]:
    computed = check(sql).names if sql else ()
    if any(isinstance(each, Mapping) and not isinstance(each.get("name"), str) for each in features):
        raise Malformed("orders.feature-without-name")
    declared = {each["name"]: each for each in (feature(f) if isinstance(f, str) else dict(f) for f in features)}
    for name in declared:
        if name not in computed:
            raise Malformed(
                "orders.sql-does-not-give-feature",
                remedy=hint(name, computed) if computed else Text.of("orders.give-sql"),
                name=name,
            )
    return [declared.get(name) or feature(name) for name in computed]


def _kept(declaration: dict[str, Any], keep: Iterable[str] | None) -> list[dict[str, Any]]:
    if keep is None:
        return list(declaration["features"])
    wanted, known = set(keep), [each["name"] for each in declaration["features"]]
    for name in wanted - set(known):
        raise Malformed("orders.base-no-feature", remedy=hint(name, known), name=name)
    return [each for each in declaration["features"] if each["name"] in wanted]


def _joined_sql(base: str, kept: list[str], sql: str | Checked, own: list[dict[str, Any]]) -> str:
    """The SQL of the base and the researcher's SQL, joined on the subject."""
    chosen = ", ".join(
        [f"b.{name} AS {name}" for name in kept] + [f"x.{each['name']} AS {each['name']}" for each in own]
    )
    text = f"SELECT b.subject, {chosen}\nFROM (\n{base.strip()}\n) b"
    return f"{text}\nLEFT JOIN (\n{check(sql).sql.strip().rstrip(';')}\n) x USING (subject)" if sql else text


def _changed(declaration: dict[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    for key, value in changes.items():
        if key not in declaration:
            raise Malformed("orders.order-no", remedy=hint(key, declaration), key=key)
        is_partial = isinstance(value, Mapping) and isinstance(declaration[key], dict)
        declaration[key] = {**declaration[key], **value} if is_partial else value
    return declaration
