"""The SQL of an evaluation: its measures as one checked query over as-of views, and the rights of what it reads.

The query passes the check of feature SQL, so it reads as-of views of one subject alone. What it reads is the lineage of
its columns; the right of each table behind them must permit every use of a public evaluation, before any work.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from credit.errors import Refused
from credit.release_rights import rights_of_tables
from credit.usage_rights import EVALUATION_USES, UsageRight, require_use
from models.features.feature_sql import FeatureQuery, check
from models.lineage.lineage import source_tables
from models.lineage.origins import column_origins
from models.scoring.evaluation.declaration import Evaluation, EvaluationMeasure


@dataclass(frozen=True, slots=True)
class EvaluationQuery:
    """The checked query, the tables behind each measure, and the rights of all that it reads."""

    query: FeatureQuery
    sources: Mapping[str, list[str]]
    rights: frozenset[UsageRight]


def check_evaluation(evaluation: Evaluation, terms: Mapping[str, Any]) -> EvaluationQuery:
    """Check an evaluation against the ``terms`` of a release.

    Raises :class:`~credit.errors.Malformed` for SQL that does not fit, and :class:`Refused` when the right of a table
    that it reads permits not every use of a public evaluation, such as a table of the market.
    """
    tables = terms["tables"]
    for name in evaluation.tables:
        if name not in tables:
            raise Refused("evaluation.no-table", table=name, name=evaluation.name)
    schema = {name: tables[name]["columns"] for name in evaluation.tables}
    query = check(evaluation_sql(evaluation), schema, population=evaluation.population)
    columns = {name: frozenset(each) for name, each in schema.items()}
    read = {origin.table for origins in column_origins(query.sql, columns).values() for origin in origins}
    rights = rights_of_tables(read | set(query.tables) | {evaluation.population}, terms)
    require_use(rights, *EVALUATION_USES)
    return EvaluationQuery(query, source_tables(query.sql), rights)


def evaluation_sql(evaluation: Evaluation) -> str:
    """All measures as one SELECT: those of one table and window in one subquery, joined to the observations."""
    groups: dict[tuple[str, int | None, str | None], list[EvaluationMeasure]] = {}
    for measure in evaluation.measures:
        groups.setdefault((measure.table, measure.window_months, measure.dated_by), []).append(measure)
    parts, joins, columns = [], [], []
    for number, ((table, window, dated_by), measures) in enumerate(groups.items()):
        values = ", ".join(f"{measure.sql} AS {measure.code}" for measure in measures)
        since = f" WHERE {dated_by} >= as_of - INTERVAL {window} MONTH" if window else ""
        parts.append(f"g{number} AS (SELECT subject, {values} FROM {table}{since} GROUP BY subject)")
        joins.append(f"LEFT JOIN g{number} USING (subject)")
        columns += [f"g{number}.{measure.code} AS {measure.code}" for measure in measures]
    return f"WITH {', '.join(parts)} SELECT o.subject, {', '.join(columns)} FROM observation o {' '.join(joins)}"
