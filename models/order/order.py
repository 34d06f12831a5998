"""Order (训练订单): a researcher's complete specification of a model, as data. Immutable and parsed strictly.

An order names tables, features with titles, directions and reasons, the SQL that computes them, which subjects to
observe and when, what counts as defaulted, how the model is evaluated, and the scale. Only its SQL is ever executed,
after :mod:`models.features.feature_sql` has checked it. This module needs neither DuckDB nor Ray nor MLflow.
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
    field_names,
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
from models.scoring.evaluation.declaration import NAME_PREFIX

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
    population: str | None  # the register of subjects; None: every subject with a visible row in any of the tables
    tables: tuple[str, ...]
    features: tuple[FeatureDeclaration, ...]
    label: Label
    observe: ObservationPlan
    split: HoldoutSplit
    training: Training
    scale: PointsScale
    grades: tuple[tuple[str, float], ...]  # from best to worst, with the lowest points of each
    rules: tuple[GradeCapDeclaration, ...]
    sql: str

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the features (F,), in the declared order, which is the order of columns everywhere."""
        return tuple(feature.name for feature in self.features)

    def as_json(self) -> dict[str, Any]:
        """The order as plain values; :meth:`parse` gives it back."""
        values: dict[str, Any] = _as_plain_value(self)
        return values

    @classmethod
    def parse(cls, data: Any) -> Order:
        """Read plain values; raises :class:`Malformed` with the key, what is wrong with it, and a hint."""
        section = DeclarationSection.of(data, "order", known=_KEYS, optional=("population", "rules"))
        subject_kind = section.name_or_none("subject_kind")
        if subject_kind is not None and subject_kind not in SUBJECT_KINDS:
            section.refuse(
                "subject_kind",
                Text.of("parsing.not-kind", kind=subject_kind),
                hint(subject_kind, SUBJECT_KINDS),
            )
        features = tuple(map(read_feature, section.sections("features", known=field_names(FeatureDeclaration))))
        names = [feature.name for feature in features]
        section.require("features", 0 < len(set(names)) == len(names), Text.of("parsing.features"))
        grades = read_grades(section)
        rule_sections = (
            section.sections("rules", known=field_names(GradeCapDeclaration)) if "rules" in section.data else ()
        )
        rules = tuple(read_rule(rule, names, [name for name, _ in grades]) for rule in rule_sections)
        section.require(
            "sql", len(section.text("sql")) <= MAXIMUM_SQL, Text.of("parsing.sql-too-long", limit=MAXIMUM_SQL)
        )
        reserved = Text.of("parsing.reserved-name", prefix=NAME_PREFIX)
        section.require("model", not section.name("model").startswith(NAME_PREFIX), reserved)
        order = cls(
            section.name("model"),
            section.text("title"),
            subject_kind,
            section.name_or_none("population"),
            section.names("tables"),
            features,
            read_label(
                section.section(
                    "label", known=field_names(Label), optional=("window_months", "settle_days", "clear_months")
                )
            ),
            read_observe(
                section.section("observe", known=field_names(ObservationPlan), optional=field_names(ObservationPlan))
            ),
            read_split(section.section("split", known=field_names(HoldoutSplit), optional=("by",))),
            read_training(section.section("training", known=field_names(Training), optional=field_names(Training))),
            read_scale(section.section("scale", known=field_names(PointsScale))),
            grades,
            rules,
            section.text("sql"),
        )
        _check_consistency(section, order)
        return order


def built_in(kind: str) -> Order:
    """The built-in order of a kind of subjects, from ``models/declarations``; raises :class:`Missing`."""
    return load_declaration(Path(__file__).parents[1] / "declarations" / f"{kind}.yaml")


def load_declaration(path: Path) -> Order:
    """Read a declaration and the ``.sql`` file beside it; raises :class:`Missing` or :class:`Malformed`."""
    sql_path = path.with_suffix(".sql")
    for file in (path, sql_path):
        if not file.is_file():
            raise Missing("order.no", each_name=file.name)
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
        text = sql_path.read_text(encoding="utf-8")
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        where = Text.of("order.line", line=mark.line + 1) if mark else Text.of("order.not-utf8")
        raise Malformed("order.not-yaml", why=where, path_name=path.name) from error
    if not isinstance(data, Mapping) or "sql" in data:
        raise Malformed("order.cannot-be-read", path_name=path.name)
    return Order.parse({**data, "sql": text})


def _check_consistency(section: DeclarationSection, order: Order) -> None:
    event = order.observe.event
    if event is not None:
        section.require("label", order.label.table == event, Text.of("parsing.label-of-event"))
        no_periods = (None, 0, 0)
        periods = (order.label.window_months, order.label.settle_days, order.label.clear_months)
        section.require("label", periods == no_periods, Text.of("parsing.no-window"), Text.of("parsing.leave-window"))
    else:
        section.require("label", order.label.window_months is not None, Text.of("parsing.needs-window"))
    for name in order.training.accept_leak:
        section.require(
            "training", name in order.names, Text.of("parsing.accept-leak", name=name), hint(name, order.names)
        )
    section.require(
        "population", bool(order.population) or order.subject_kind is None, Text.of("parsing.needs-population")
    )


def _as_plain_value(value: Any) -> Any:
    if is_dataclass(value):
        return {item.name: _as_plain_value(getattr(value, item.name)) for item in fields(value)}
    if isinstance(value, Mapping):
        return {key: _as_plain_value(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_as_plain_value(item) for item in value]
    return value.isoformat() if isinstance(value, date) else value
