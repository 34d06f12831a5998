"""Verbs of a repair (信用修复): repair a record, and withdraw what is repaired from everything that is answered."""

from __future__ import annotations

import time
from typing import Annotated, Any

import typer

from credit.errors import CreditError
from infra import output
from infra.home import Home
from infra.progress import progress
from infra.verbs import options
from infra.verbs.custody import CUSTODIAN, REGISTRY, catalogue_of, custody
from infra.verbs.options import AsJson, By, CatalogueName, Today
from infra.withdrawing import Withdrawing
from privacy.repair import RepairedAlready, repaired_subjects
from privacy.repair import repair as end_record


def add_to(app: typer.Typer) -> None:
    """Put these verbs on the command line."""
    app.command()(repair)
    app.command()(withdraw)


def repair(
    documents: Annotated[list[str], typer.Argument(help="Document numbers of the records.")],
    on: Annotated[str, typer.Option(help="The day they were repaired; today unless told.")] = "",
    catalogue: CatalogueName = "city",
    today: Today = None,
    by: By = None,
    as_json: AsJson = False,
) -> None:
    """Repair records (信用修复): at once nothing is answered about their subjects, and then without the records.

    Stopped on the way it is run again: it goes on where it was.
    """
    home, _, vault = custody()
    day, known, who = today or options.today(), catalogue_of(catalogue), by or REGISTRY
    shared: dict[str, Any] = {"catalogue": known, "vault": vault}
    began, entered, again, failed = time.monotonic(), list[str](), list[CreditError](), list[CreditError]()
    with progress() as told:
        walk = Withdrawing(home, known, who, day, told)
        for document in documents:
            told("finding the record", 0, 0)
            try:
                end_record(
                    document, **shared, ledger=home.ledger("custody", writing=True), by=who, today=day,
                    on=options.day(on) if on else day,
                )  # fmt: skip
            except RepairedAlready as error:  # by a run that was stopped, or long ago
                again.append(error)
            except CreditError as error:
                failed.append(error)
            else:
                entered.append(document)
                if codes := repaired_subjects(document, **shared, by=day):
                    walk.withhold(codes)
        walked = bool(entered or again) and walk.walk()
    if entered or walked:
        _tell(walk, began, as_json, repaired=len(entered))
    if left := failed or ([] if entered or walked else again):
        raise left[0]


def withdraw(catalogue: CatalogueName = "city", today: Today = None, by: By = None, as_json: AsJson = False) -> None:
    """Take what is repaired by today out of everything that is answered, after repairs that came in with an intake."""
    began = time.monotonic()
    with progress() as told:
        known, who, day = catalogue_of(catalogue), by or CUSTODIAN, today or options.today()
        walk = Withdrawing(Home.here(), known, who, day, told)
        walk.walk()
    _tell(walk, began, as_json)


def _tell(walk: Withdrawing, began: float, as_json: bool, **more: Any) -> None:
    found = {**more, **walk.made, "seconds": round(time.monotonic() - began, 1)}
    words = "the service answers without it within seconds" if walk.made else "nothing that is answered rests on it"
    output.result(found, as_json=as_json, text=words)
