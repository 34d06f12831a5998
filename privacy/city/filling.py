"""Fill all other fields of a table from the catalogue's constraints: required, enum, range, pattern, length, role.

Fields that are the same wherever a subject appears (its name, its representative) come first, all others follow from
constraints alone: a table that is added to the catalogue has rows in the invented city without new code.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from credit.catalogue import Table
from credit.fields import Field
from privacy.city.codes import digits
from privacy.city.events import Events, add_random_days, poisson_events
from privacy.city.patterns import matching_texts
from privacy.city.population import Population, addresses
from privacy.city.tables.records import Drawn
from privacy.city.words import AGENCIES, AGENCY_CODES, DOMAINS, concatenate, pick, text

Columns = dict[str, Any]
EMPTY = {  # empty for firms and individual businesses by the standard, or rarely used
    "person_document_kind", "person_document_number", "institution_certificate", "social_organisation_certificate",
    "withheld_certificate", "legacy_state", "penalty_name", "penalty_kind_second", "place_code",
}  # fmt: skip
OFFICE = {  # the department whose records a table has
    "registration": "市场监管", "abnormal_operation_list": "市场监管", "abnormal_operation_mark": "市场监管",
    "tax_credit_rating": "税务", "tax_arrears": "税务", "social_insurance_arrears": "人力社保",
}  # fmt: skip
MISSING = 0.12  # the share of empty values in a field that is not required


def draw_any_table(rng: np.random.Generator, people: Population, table: Table) -> Drawn:
    """Events of a table without a function of its own: one per two subjects and year, independent of the risk."""
    eligible = np.isin(np.where(people.trader, "individual_business", "enterprise"), table.subjects)
    events = poisson_events(rng, people, 0.5, 0.5, 0.0, eligible.astype(float))
    events = events.where(events.day <= people.span.today - 12)
    columns: Columns = {}
    if table.time.happened is not None:
        columns[table.time.happened.column] = events.day
    if table.time.known is not None:
        columns.setdefault(table.time.known.column, add_random_days(rng, events.day, 1, 11))
    if table.time.ends is not None:
        columns.setdefault(table.time.ends.column, add_random_days(rng, events.day, 365, 1095))
    if table.state is not None:
        columns[table.state.column] = pick(table.state.enum, np.zeros(len(events), np.int64))
    return events, columns


def fill_fields(rng: np.random.Generator, table: Table, people: Population, events: Events, drawn: Columns) -> pa.Table:
    """All fields of ``table`` for these events, by official name, in the catalogue's order and types."""
    shared = _shared_columns(rng, people, events, OFFICE.get(table.name))
    numbers = people.first * 100 + np.arange(len(events))
    arrays = []
    for field in table.fields:
        if field is table.subject:
            array = text(people.code[events.who])
        elif field.column in drawn:
            array = drawn[field.column]
        elif field.column in EMPTY:
            array = pa.nulls(len(events), pa.string())
        elif field.column in shared and field.type == "string":
            array = shared[field.column]
        else:
            array = _drawn(rng, field, events, numbers, unique=field in table.key or field is table.repair_document)
        arrays.append(_plain(array))
    return pa.Table.from_arrays(arrays, names=[field.name for field in table.fields])


def _shared_columns(rng: np.random.Generator, people: Population, events: Events, domain: str | None) -> Columns:
    """Columns that are the same wherever a subject or an agency appears, by English column name."""
    who = pa.array(events.who)
    duty = rng.integers(0, len(DOMAINS), len(events)) if domain is None else tuple(DOMAINS).index(domain)
    office = people.district[events.who] * len(DOMAINS) + duty
    code = text(people.code[events.who])
    unit_code, check = pc.utf8_slice_codeunits(code, 8, 16), pc.utf8_slice_codeunits(code, 16, 17)
    category = pick(("法人及非法人组织", "个体工商户"), people.trader[events.who].astype(np.int64))
    names, codes = pick(AGENCIES, office), pick(AGENCY_CODES, office)
    person = text(people.person[events.who])
    return {
        "subject_name": people.name.take(who), "representative": people.representative.take(who),
        "representative_document_number": person, "taxpayer_number": code,
        "subject_category": category, "party_kind": category, "tax_registration_number": code,
        "organisation_code": concatenate(unit_code, "-", check),
        # No telephone number begins with 100.
        "telephone": concatenate("100", text(digits(rng.integers(0, 10**8, len(events)), 8))),
        "address": addresses(rng, people.district[events.who]), "agency": names, "agency_code": codes,
        "data_source": names, "data_source_code": codes, "registrar": names,
        "area": pick(("天津",), np.zeros(len(events), np.int64)),
    }  # fmt: skip


def _drawn(rng: np.random.Generator, field: Field, events: Events, numbers: Any, *, unique: bool) -> Any:
    """A column drawn from the constraints of its field alone."""
    count = len(events)
    empty = None if field.required or unique else rng.random(count) < MISSING
    if field.type == "date":
        days = events.day.astype("datetime64[D]")
        return days if empty is None else np.where(empty, np.datetime64("NaT"), days)
    if field.type == "boolean":
        return pa.array(rng.random(count) < 0.5, mask=empty)
    if field.type in ("number", "integer"):
        least = 0.0 if field.minimum is None else field.minimum
        most = least + 1000 if field.maximum is None else field.maximum
        drawn = least + np.minimum(rng.lognormal(1.5, 1.2, count), most - least)
        return pa.array(np.floor(drawn).astype(np.int64) if field.type == "integer" else np.round(drawn, 4), mask=empty)
    if field.enum:
        # earlier values of the enum are more frequent
        shares = 1 / np.arange(1, len(field.enum) + 1)
        place = np.searchsorted(np.cumsum(shares)[:-1] / shares.sum(), rng.random(count), side="right")
        drawn = pick(field.enum, place)
    elif field.pattern and not unique:
        drawn = matching_texts(rng, field.pattern, count)
    elif unique:
        drawn = _number(field, events, numbers)
    else:
        drawn = pick(
            tuple(f"虚构{field.title}{k:02d}"[: field.max_length] for k in range(20)), rng.integers(0, 20, count)
        )
    return drawn if empty is None else _masked(drawn, empty)


def _number(field: Field, events: Events, numbers: Any) -> pa.Array:
    """Distinct document numbers; digits only when the field is short."""
    if (field.max_length or 99) < 30:
        width = min(field.max_length or 18, 18)
        return text(digits(numbers, width))
    return concatenate(f"津虚{field.title[:4]}〔", text(digits(events.year, 4)), "〕", text(digits(numbers, 10)), "号")


def _masked(array: pa.Array, empty: Any) -> pa.Array:
    return array.take(pa.array(np.arange(len(array)), mask=empty))


def _plain(array: Any) -> pa.Array:
    if isinstance(array, np.ndarray):
        if array.dtype.kind == "f":
            return pa.array(array, mask=np.isnan(array))
        if array.dtype.kind == "S":
            return text(array)
        return pa.array(array.astype("datetime64[D]")) if array.dtype.kind == "M" else pa.array(array)
    return array
