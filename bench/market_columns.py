"""Whether a column of the market reaches an agency: by an evaluation that declares it, or by a model that reads it.

Every column of every table of the market in the city's catalogue is tried. (That no route of the service gives what
rests on scores is a test: ``tests/serving/endpoints/test_market_data.py``.)
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

from bench.record import record
from credit.catalogue import Catalogue
from credit.errors import CreditError
from credit.usage_rights import Purpose, Recipient, permits
from models.evaluation.query import check_evaluation
from models.evaluation.shipped import KINDS, evaluation_of
from models.features.feature_sql import order_rights
from models.order.order import built_in
from models.scoring.evaluation.declaration import read_evaluation
from tests.models.order.test_declarations import granted

READS = ("count({0})", "max(CASE WHEN {0} IS NULL THEN 0 ELSE 1 END)", "count(*) FILTER (WHERE {0} IS NOT NULL)")


def market_columns_at_agencies() -> None:
    """How many columns of the market reach an agency; how many ways were tried, and public ones accepted."""
    city = Catalogue.load("city")
    described = granted(city, "scoring")
    terms = {"tables": {name: {**each, "usage": str(city.tables[name].usage)} for name, each in described.items()}}  # type: ignore[dict-item]
    reached: set[tuple[str, str]] = set()
    tried = let_through = 0
    for name, table in city.tables.items():
        for column in terms["tables"].get(name, {}).get("columns", ()):
            if column == "subject" or column.startswith("_"):
                continue
            for declaration in _declarations(name, column):
                accepted = _is_accepted(declaration, terms)
                tried += table.market
                let_through += accepted and not table.market
                if accepted and table.market:
                    reached.add((name, column))
    for kind in KINDS:  # the shipped evaluations, and the models of the lending score
        sources = check_evaluation(evaluation_of(kind), terms).sources.values()
        reached |= {(name, "") for names in sources for name in names if city.tables[name].market}
        rights = order_rights(built_in(kind), terms)
        reached |= {(kind, each) for each in Purpose if permits(rights, (Recipient.AGENCY, each))}
    assert let_through, "declarations over public tables are accepted: the refusals are those of the right"
    more = {"tried": tried, "public_accepted": let_through}
    record("market_columns_at_agencies", len(reached), "columns", goal=0, data="catalogue of the city", more=more)


def _declarations(table: str, column: str) -> Iterator[dict[str, Any]]:
    """The shipped evaluations with one measure or fact more, which reads this column."""
    for kind in KINDS:
        for sql in READS:
            measure = {"code": "tried", "zh": "试", "en": "tried", "table": table, "sql": sql.format(column)}
            scored = copy.deepcopy(dict(evaluation_of(kind).data))
            scored["families"][0]["indicators"][0]["measures"].append({**measure, "each": -1, "floor": -5})
            yield scored
            fact = copy.deepcopy(dict(evaluation_of(kind).data))
            fact["facts"].append(measure)
            yield fact


def _is_accepted(declaration: dict[str, Any], terms: dict[str, Any]) -> bool:
    try:
        check_evaluation(read_evaluation(declaration), terms)
    except CreditError:
        return False
    return True
