"""Three example subjects for the demonstration, chosen from the generated population."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from privacy.city.events import Events
from privacy.city.population import Population

Array = np.ndarray[Any, Any]
_FRESH = (92, 25)  # days before today: a general penalty, then a minor one, which may be repaired at once


def fresh_penalties(people: Population) -> Events:
    """Two penalties of the last three months for one ordinary, active firm, so that an example always exists."""
    old = (people.span.today - people.registered).astype(np.int64) > 4 * 365
    ordinary = np.abs(people.risk[:, -1] + 0.3) + 10 * ~(old & people.active & ~people.trader & (people.employees > 5))
    who = np.repeat(int(ordinary.argmin()), len(_FRESH))
    return Events(who, people.span.today - np.array(_FRESH), people.risk[who, -1])


def choose(people: Population, drawn: Mapping[str, tuple[Events, Mapping[str, Any]]], fresh: Events) -> dict[str, Any]:
    """Codes and names of the three; the penalised one with the document number of its repairable penalty.

    All three are active, older than four years, and repay a loan; the good one has no negative record.
    """
    loans, loan_columns = drawn["loan_performance"]
    latest = loans.day == loans.day.max()
    paying = _has(people, loans.who[latest & (loan_columns["overdue_days"] == 0)])
    eligible = people.active & ((people.span.today - people.registered).astype(np.int64) > 4 * 365) & paying
    has_negative_record = np.zeros(len(people), bool)
    for name in ("administrative_penalty", "judgment_debtor", "tax_arrears", "social_insurance_arrears",
                 "utility_arrears", "abnormal_operation_list", "abnormal_operation_mark"):  # fmt: skip
        has_negative_record |= _has(people, drawn[name][0].who)
    now = people.risk[:, -1]
    firm = _index_of_least(now + 9 * has_negative_record, eligible & ~people.trader)
    trader = _index_of_least(np.abs(now) + 9 * has_negative_record, eligible & people.trader)
    penalties, columns = drawn["administrative_penalty"]
    is_example = (penalties.who == fresh.who[0]) & (penalties.day == fresh.day.max())
    document = columns["document_number"].filter(pa.array(is_example))[0].as_py()
    return {
        "good_enterprise": _named(people, firm),
        "penalised_enterprise": _named(people, int(fresh.who[0])) | {"repairable_document": document},
        "individual_business": _named(people, trader),
    }


def _has(people: Population, who: Array) -> Array:
    return np.bincount(who, minlength=len(people)) > 0


def _index_of_least(value: Array, where: Array) -> int:
    return int(np.where(where, value, np.inf).argmin())


def _named(people: Population, who: int) -> dict[str, Any]:
    return {"code": people.code[who].decode(), "name": people.name[who].as_py()}
