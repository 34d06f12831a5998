"""What would pass instead of a refused request: found by trying smaller changes before larger ones."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from credit.actor import Actor
from credit.messages import Text
from models.rows.judging import judge
from models.rows.maker import Prepared, Progress, RowsMaker
from models.rows.partition.stored import OPEN
from models.rows.shown import ShownRows, partition_of

TRIES = 12


def search(maker: RowsMaker, prepared: Prepared, shown: ShownRows, *, by: Actor, progress: Progress) -> Text:
    """The first change that passes the gate, as a text; or that none of those tried does."""
    for number, (text, changed, rows) in enumerate(_changes(maker, prepared, shown, by, progress)):
        if number >= TRIES:
            break
        progress("searching what would pass", number, TRIES)
        if len(rows) and judge(maker, changed, rows, [], by=by, progress=_silent).passed:
            return text
    return Text.of("rows.nothing-passes")


def _changes(
    maker: RowsMaker, prepared: Prepared, shown: ShownRows, by: Actor, progress: Progress
) -> Iterator[tuple[Text, Prepared, ShownRows]]:
    request = prepared.request
    if request.label:
        yield Text.of("rows.try-without-label"), prepared, without_labels(shown)
    tables = sorted({source for each in prepared.columns.values() if (source := partition_of(each)) != OPEN})
    for table in tables:
        left = [name for name, each in prepared.columns.items() if partition_of(each) != table]
        if left:
            yield Text.of("rows.try-without-table", table=table), *_of(prepared, shown, left)
    if request.population or request.sample is not None:
        larger = replace(prepared, request=replace(request, population="", sample=None))
        yield Text.of("rows.try-larger-population"), larger, maker.shown(larger, by, progress)[0]
    left = [name for name, each in prepared.columns.items() if partition_of(each) == OPEN]
    if tables and left:
        yield Text.of("rows.try-open-alone", tables=", ".join(tables)), *_of(prepared, shown, left)


def without_labels(shown: ShownRows) -> ShownRows:
    """The rows without their outcomes."""
    return replace(shown, labels=shown.labels * float("nan"))


def _of(prepared: Prepared, shown: ShownRows, names: list[str]) -> tuple[Prepared, ShownRows]:
    """The request and its rows with these columns alone."""
    return (
        replace(prepared, columns={name: prepared.columns[name] for name in names}),
        replace(shown, columns={name: shown.columns[name] for name in names}),
    )


def _silent(label: str, done: int, total: int) -> None:
    """No progress of what is only tried."""
