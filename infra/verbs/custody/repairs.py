"""Verbs of a repair (信用修复): repair a record, and withdraw what is repaired from everything that is answered."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from credit.actor import Role
from credit.errors import CreditError
from infra import output
from infra.home import Home
from infra.language.texts import localized
from infra.progress import progress
from infra.verbs import options
from infra.verbs.actors import CUSTODIAN, REGISTRY, acting
from infra.verbs.options import AsJson, By, CatalogueName, Today

if TYPE_CHECKING:
    from infra.withdrawing import Withdrawing


def add_to(app: typer.Typer) -> None:
    """Add these verbs to the command line."""
    app.command()(repair)
    app.command()(withdraw)


def repair(
    documents: Annotated[list[str], typer.Argument(help="Document numbers of the records.")],
    on: Annotated[str, typer.Option(help="The day they were repaired; today by default.")] = "",
    catalogue: CatalogueName = "city",
    today: Today = None,
    by: By = None,
    as_json: AsJson = False,
) -> None:
    """Repair records (信用修复) and take them out of everything that is answered.

    At once nothing is answered about their subjects; when the withdrawal is done, answers are made without the
    records. A command that was stopped on the way continues when it is run again.
    """
    actor = acting(by, REGISTRY, Role.CITY, act="act.repair-record")

    from infra.verbs.custody.records import catalogue_of, custody
    from infra.withdrawing import Withdrawing
    from privacy.repair import RepairedAlready, repaired_subjects
    from privacy.repair import repair as end_record

    home, _, vault = custody()
    day, known = today or options.today(), catalogue_of(catalogue)
    shared: dict[str, Any] = {"catalogue": known, "vault": vault}
    started, entered, again, failed = time.monotonic(), list[str](), list[CreditError](), list[CreditError]()
    with progress() as report:
        withdrawal = Withdrawing(home, known, actor, day, report)
        for document in documents:
            report("finding the record", 0, 0)
            try:
                end_record(
                    document, **shared, ledger=home.ledger("custody", writing=True), by=actor, today=day,
                    on=options.day(on) if on else day,
                )  # fmt: skip
            except RepairedAlready as error:  # by a run that was stopped, or long ago
                again.append(error)
            except CreditError as error:
                failed.append(error)
            else:
                entered.append(document)
                if codes := repaired_subjects(document, **shared, by=day):
                    withdrawal.withhold(codes)
        is_changed = bool(entered or again) and withdrawal.walk()
    if entered or is_changed:
        _print(withdrawal, started, as_json, repaired=len(entered))
    if errors := failed or ([] if entered or is_changed else again):
        raise errors[0]


def withdraw(catalogue: CatalogueName = "city", today: Today = None, by: By = None, as_json: AsJson = False) -> None:
    """Take records out of all answers whose repairs came in with an intake."""
    actor = acting(by, CUSTODIAN, Role.CITY, Role.PLATFORM, act="act.withdraw-repaired-records")

    from infra.verbs.custody.records import catalogue_of
    from infra.withdrawing import Withdrawing

    started = time.monotonic()
    with progress() as report:
        withdrawal = Withdrawing(Home.here(), catalogue_of(catalogue), actor, today or options.today(), report)
        withdrawal.walk()
    _print(withdrawal, started, as_json)


def _print(withdrawal: Withdrawing, started: float, as_json: bool, **more: Any) -> None:
    seconds = round(time.monotonic() - started, 1)
    if as_json:
        output.document({**more, **withdrawal.made, "seconds": seconds})
        return
    made = withdrawal.made
    rows = {
        localized("cli.repair.release", purpose=purpose): name for purpose, name in made.get("releases", {}).items()
    }
    rows |= {localized("cli.repair.snapshot", model=model): name for model, name in made.get("snapshots", {}).items()}
    rows |= {"credit files": made["dossiers"]} if "dossiers" in made else {}
    text = localized("cli.repair.done" if made else "cli.repair.nothing")
    output.result({**more, **rows, "seconds": seconds}, as_json=False, text=text)
