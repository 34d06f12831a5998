"""The attack on the rows of a release: on those of its latest day, alone and with all that was released before."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np

from credit.actor import Actor
from models.features.sql_parser import MAXIMUM_CHARACTERS
from models.rows.attack import attackers
from models.rows.attack.answers import AttackFigures
from models.rows.attack.attackers import RECORDS, Ground
from models.rows.attack.known_records import Known
from models.rows.maker import Prepared, Progress, RowsMaker
from models.rows.observed import ExactRows, Observed
from models.rows.shown import ShownRows, shown_rows

_ALONE = (attackers.all_open, attackers.banks, attackers.partners)


@dataclass(frozen=True, slots=True)
class Attacked:
    """The figures by attacker, and those of the rows together with earlier ones, as if an attacker had joined them."""

    figures: Mapping[str, AttackFigures]
    together: Mapping[str, AttackFigures]


def attack(
    maker: RowsMaker,
    prepared: Prepared,
    shown: ShownRows,
    earlier: Sequence[str],
    *,
    by: Actor,
    progress: Progress,
    records: tuple[int, ...] = RECORDS,
) -> Attacked:
    """Attack rows as they are shown. ``earlier`` is the SQL of rows released before, for the same days among others."""
    day = np.unique(shown.exact.days)[-1]
    here = shown.where(shown.exact.days == day)
    ground = _ground(maker, prepared, here)
    joined = list(_joined(prepared.request.sql, [sql for sql in earlier if sql != prepared.request.sql]))
    steps = len(_ALONE) + 1 + len(joined)
    figures: dict[str, AttackFigures] = {}
    for number, each in enumerate(_ALONE):
        progress("attacking the rows", number, steps)
        figures |= each(ground)
    progress("attacking the rows", len(_ALONE), steps)
    figures |= attackers.some_records(ground, records)
    together = dict(figures)
    for number, sql in enumerate(joined):
        progress("attacking the rows", len(_ALONE) + 1 + number, steps)
        ground = _with_earlier(maker, prepared, here, sql, day.astype(object), by=by)
        figures_together = attackers.all_open(ground) | attackers.some_records(ground, (max(records),))
        together |= {name: each.worst(together.get(name, each)) for name, each in figures_together.items()}
    progress("attacking the rows", steps, steps)
    return Attacked(figures, together)


def _ground(maker: RowsMaker, prepared: Prepared, rows: ShownRows) -> Ground:
    day = np.unique(rows.exact.days)[-1].astype(object)
    tables, register = prepared.release.seal.terms["tables"], str(prepared.order.population)
    read = {table for each in prepared.columns.values() for table in each.tables}
    market = {name for name in read if prepared.catalogue.table(name).market}
    partners = {name: column for name, column in maker.policy.partners.items() if name in market}

    count = int(prepared.release.seal.terms["buckets"])

    def observe(known: Known, subjects: frozenset[str] | None) -> ExactRows:
        wanted = Observed(prepared.order.as_json(), prepared.request.sql, (day,), subjects=subjects, known=known)
        named = np.array(sorted(subjects or ()))
        buckets = sorted(set(map(int, attackers.bucket_numbers(named, count)))) or None
        return maker.observed(prepared, wanted, _silent, "", buckets)

    return Ground(
        rows,
        prepared.columns,
        register,
        tuple(sorted(name for name in read - market - {register} if tables[name]["dated"])),
        tuple(sorted(market - set(partners))),
        partners,
        observe,
        secrets.randbits(32),
        maker.policy.attacked,
        count,
    )


def _joined(sql: str, earlier: list[str]) -> Iterator[str]:
    """Queries that give the columns of ``sql`` and of as many of the others as one query may hold."""
    batch: list[str] = []
    for each in earlier:
        if batch and len(sql) + len(each) + sum(map(len, batch)) + 2_000 > MAXIMUM_CHARACTERS:
            yield _one_query([sql, *batch])
            batch = []
        batch.append(each)
    if batch:
        yield _one_query([sql, *batch])


def _one_query(queries: list[str]) -> str:
    from models.lineage.origins import column_origins

    names = [list(column_origins(each)) for each in queries]
    columns = ", ".join(f'q{at}."{name}" AS "{name}__{at}"' for at, each in enumerate(names) for name in each)
    sources = "".join(f" LEFT JOIN ({each}) q{at} USING (subject)" for at, each in enumerate(queries))
    return f"SELECT o.subject, {columns} FROM observation o{sources}"


def _with_earlier(maker: RowsMaker, prepared: Prepared, rows: ShownRows, sql: str, day: date, *, by: Actor) -> Ground:
    """The same rows of the day, with the columns of the earlier releases beside their own."""
    request = replace(prepared.request, sql=sql, as_of=(day,), label="", population="", sample=None)
    joined = maker.prepare(request, prepared.release)
    exact = maker.exact(joined, joined.request, _silent, "")
    shown, _ = shown_rows(exact, joined.columns, maker.partition_of_days(joined, by, _silent), maker.policy.k)
    released = set(map(str, rows.exact.subjects))
    here = np.array([str(subject) in released for subject in shown.exact.subjects], dtype=np.bool_)
    return _ground(maker, joined, shown.where(here))


def _silent(label: str, done: int, total: int) -> None:
    """No progress of the small steps within the attack."""
