"""Order (训练订单): all a researcher says of a model, as data. Frozen, parsed strictly, without any power of its own.

An order names tables, features with titles, directions and reasons, the SQL that computes them, whom to observe when,
what counts as defaulted, how to judge, and the scale. Nothing in it is executed but the SQL, after
:mod:`models.features.feature_sql` has checked it. This module needs neither DuckDB nor Ray nor MLflow.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from credit.errors import Malformed, Missing
from credit.messages import Text
from models.order.parsing import DeclarationSection
from models.order.spec import (
    FeatureDeclaration,
    GradeCapDeclaration,
    HoldoutSplit,
    Label,
    ObservationPlan,
    PointsScale,
    Training,
    keys_of,
    read_feature,
    read_grades,
    read_label,
    read_observe,
    read_rule,
    read_scale,
    read_split,
    read_training,
)
from models.order.suggest import hint

FILE = "order.json"
SUBJECT_KINDS = ("enterprise", "individual_business")
MAXIMUM_SQL = 50_000  # characters
_KEYS = (
    "model", "title", "subject_kind", "population", "tables", "features", "label", "observe", "split", "training",
    "scale", "grades", "rules", "sql",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Order:
    """A whole order. ``sql`` gives ``subject`` and the features, by name, over as-of views of ``tables``."""

    model: str
    title: str
    subject_kind: str | None
    population: str | None  # the table that lists who lives; None: whoever has a visible row in any of the tables
    tables: tuple[str, ...]
    features: tuple[FeatureDeclaration, ...]
    label: Label
    observe: ObservationPlan
    split: HoldoutSplit
    training: Training
    scale: PointsScale
    grades: tuple[tuple[str, float], ...]  # from best to worst, with the least points of each
    rules: tuple[GradeCapDeclaration, ...]
    sql: str

    @property
    def names(self) -> tuple[str, ...]:
        """The features' names, in the declared order: that of the columns everywhere after."""
        return tuple(feature.name for feature in self.features)

    def as_json(self) -> dict[str, Any]:
        """The order as plain values; :meth:`parse` gives it back."""
        told: dict[str, Any] = _plain(self)
        return told

    @classmethod
    def parse(cls, told: Any) -> Order:
        """Read plain values; raises :class:`Malformed` naming the key, what is wrong with it, and a hint."""
        form = DeclarationSection.of(told, "order", known=_KEYS, optional=("population", "rules"))
        kind = form.name_or_none("subject_kind")
        if kind is not None and kind not in SUBJECT_KINDS:
            form.wrong("subject_kind", Text.of("parsing.not-kind", kind=kind), hint(kind, SUBJECT_KINDS))
        features = tuple(map(read_feature, form.forms("features", known=keys_of(FeatureDeclaration))))
        names = [feature.name for feature in features]
        form.require("features", 0 < len(set(names)) == len(names), Text.of("parsing.features"))
        grades = read_grades(form)
        told_rules = form.forms("rules", known=keys_of(GradeCapDeclaration)) if "rules" in form.told else ()
        rules = tuple(read_rule(each, names, [name for name, _ in grades]) for each in told_rules)
        form.require("sql", len(form.text("sql")) <= MAXIMUM_SQL, Text.of("parsing.sql-too-long", limit=MAXIMUM_SQL))
        order = cls(
            form.name("model"),
            form.text("title"),
            kind,
            form.name_or_none("population"),
            form.names("tables"),
            features,
            read_label(
                form.form("label", known=keys_of(Label), optional=("window_months", "settle_days", "clear_months"))
            ),
            read_observe(form.form("observe", known=keys_of(ObservationPlan), optional=keys_of(ObservationPlan))),
            read_split(form.form("split", known=keys_of(HoldoutSplit), optional=("by",))),
            read_training(form.form("training", known=keys_of(Training), optional=keys_of(Training))),
            read_scale(form.form("scale", known=keys_of(PointsScale))),
            grades,
            rules,
            form.text("sql"),
        )
        _together(form, order)
        return order


def load_declaration(path: Path) -> Order:
    """Read a declaration and the ``.sql`` beside it; raises :class:`Missing` or :class:`Malformed`."""
    beside = path.with_suffix(".sql")
    for each in (path, beside):
        if not each.is_file():
            raise Missing("order.no", each_name=each.name)
    try:
        told = yaml.safe_load(path.read_text(encoding="utf-8"))
        text = beside.read_text(encoding="utf-8")
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        where = Text.of("order.line", line=mark.line + 1) if mark else Text.of("order.not-utf8")
        raise Malformed("order.not-yaml", why=where, path_name=path.name) from error
    if not isinstance(told, Mapping) or "sql" in told:
        raise Malformed("order.cannot-be-read", path_name=path.name)
    return Order.parse({**told, "sql": text})


def _together(form: DeclarationSection, order: Order) -> None:
    event = order.observe.event
    if event is not None:
        form.require("label", order.label.table == event, Text.of("parsing.label-of-event"))
        none = (None, 0, 0)
        told = (order.label.window_months, order.label.settle_days, order.label.clear_months)
        form.require("label", told == none, Text.of("parsing.no-window"), Text.of("parsing.leave-window"))
    else:
        form.require("label", order.label.window_months is not None, Text.of("parsing.needs-window"))
    for name in order.training.accept_leak:
        form.require(
            "training", name in order.names, Text.of("parsing.accept-leak", name=name), hint(name, order.names)
        )
    form.require(
        "population", bool(order.population) or order.subject_kind is None, Text.of("parsing.needs-population")
    )


def _plain(value: Any) -> Any:
    if is_dataclass(value):
        return {each.name: _plain(getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, Mapping):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    return value.isoformat() if isinstance(value, date) else value
