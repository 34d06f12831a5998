"""Verbs of the ledgers: verify, show, heads."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from credit.errors import Broken, CreditError, Malformed
from credit.files import write_atomically
from credit.ledger import Ledger
from credit.messages import language_here
from infra import output
from infra.home import Home
from infra.language.texts import localized
from infra.progress import ReportProgress, progress
from infra.verbs.options import AsJson

ledger_app = typer.Typer(help="Verify or show the ledgers: who did what, when, on which grounds.", no_args_is_help=True)
SILENT_SECONDS = 60  # a witness that works countersigns every 20


@ledger_app.command("verify")
def verify(
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on where the last verification of these ledgers ended.")
    ] = False,
    against: Annotated[
        Path | None,
        typer.Option(help="Compare with a file of heads that was exported.", exists=True, dir_okay=False),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Verify every ledger: each digest, signature and link, the signed head, and what the witnesses countersigned."""
    from credit.ledger.heads_file import require_agreement

    home = Home.here()
    ledgers = home.ledgers()
    if not ledgers:
        raise Broken("audit.no-ledger-here")
    if against is not None:
        require_agreement(_parsed(against), ledgers, home.ring)
    counted: dict[str, int] = {}
    faults: dict[str, CreditError] = {}
    with progress() as report:
        for zone, ledger in ledgers.items():
            try:
                counted[zone] = _verify(ledger, zone, report, resume=resume)
            except CreditError as fault:
                faults[zone] = fault
    witnesses = _witnesses(home, ledgers, faults)
    if faults:
        first, *others = faults.values()
        for other in others:
            output.message("cli.ledger.also-broken", fault=other.in_language(language_here()))
        raise first
    if as_json:
        output.document({**counted, "witnesses": witnesses})
        return
    output.result(counted, as_json=False, text=localized("cli.ledger.whole"))
    for row in witnesses:
        if row["silent"]:
            output.message("cli.ledger.witness-silent", **row)
    for zone in ledgers:
        if not any(row["ledger"] == zone for row in witnesses):
            output.message("cli.ledger.no-witness", zone=zone)


@ledger_app.command("heads")
def heads(
    out: Annotated[Path, typer.Option("--out", help="The file to write.", dir_okay=False)],
    as_json: AsJson = False,
) -> None:
    """Export the head of every ledger with its countersignatures, for a witness outside this machine."""
    from credit.ledger.heads_file import exported_heads

    home = Home.here()
    exported = exported_heads(home.ledgers(), home.witness_folder)
    write_atomically(out, json.dumps(exported, ensure_ascii=False, indent=1).encode() + b"\n")
    counts = {row["ledger"]: row["head"]["seq"] for row in exported["heads"] if row["head"]}
    output.result(counts, as_json=as_json, text=localized("cli.ledger.heads-written", out=out))


@ledger_app.command("show")
def entries(
    about: Annotated[str, typer.Option(help="Only entries whose object begins so.")] = "", as_json: AsJson = False
) -> None:
    """Print the entries of all ledgers in the order of time."""
    with progress() as report:
        report("reading the ledgers", 0, 0)
        every = [(e.at, zone, e) for zone, ledger in Home.here().ledgers().items() for e in ledger.entries()]
    chosen = [each for each in sorted(every, key=lambda each: each[0]) if each[2].object.startswith(about)]
    if as_json:
        rows = [
            {"at": at.isoformat(), "ledger": zone, "by": str(e.by), "verb": e.verb, "object": e.object, "id": e.id}
            for at, zone, e in chosen
        ]
        output.document({"entries": rows})
        return
    shown = [(f"{at:%Y-%m-%d %H:%M:%S}", zone, e.by, e.verb, e.object) for at, zone, e in chosen]
    output.table(localized("cli.ledger.title"), ("at", "ledger", "by", "verb", "object"), shown)


def _verify(ledger: Ledger, zone: str, report: ReportProgress, *, resume: bool) -> int:
    """Verify a ledger and return the number of its entries; how far it was verified is stored for the next time."""
    from credit.ledger.verification import VerifiedMark

    label, (total, _) = f"verifying the ledger of {zone}", ledger.head()
    report(label, 0, total)
    mark = VerifiedMark.here(ledger)
    position = mark.read() if resume else mark.start
    for entry, after in ledger.verified_after(position):
        position = after
        if entry.seq % 10_000 == 0:
            report(label, entry.seq, total)
            mark.write(position)
    mark.write(position)
    return position.seq


def _witnesses(home: Home, ledgers: Mapping[str, Ledger], faults: dict[str, CreditError]) -> list[dict[str, Any]]:
    """Who countersigned which ledger, up to where and when; what does not agree with its ledger is added to faults."""
    from credit.ledger.statement import statements
    from credit.requests.state_reader import LEDGER_ZONES

    rows, now = [], datetime.now(UTC)
    for name, zone in LEDGER_ZONES.items():  # every ledger that there may be, also one that is gone altogether
        ledger = ledgers.get(name) or home.named_ledger(name, zone)
        signed = statements(home.witness_folder, name, home.ring)
        with _collected(faults, name):
            for each in signed:
                age = (now - datetime.fromisoformat(each.at)).total_seconds()
                row = {"ledger": name, "witness": each.witness, "entries": each.seq, "since": each.at}
                rows.append({**row, "silent": age > SILENT_SECONDS})
                each.require_true(ledger)
            _require_statements(home, name, ledgers, {each.witness for each in signed})
    return rows


def _require_statements(home: Home, name: str, ledgers: Mapping[str, Ledger], witnesses: set[str]) -> None:
    """Raise :class:`Broken` when a witness that countersigned a ledger has no statement any more, or has an alarm."""
    from credit.ledger.witness import WITNESSED
    from credit.requests.state_reader import LEDGER_ZONES

    for path in home.witness_folder.glob(f"*/{name}.alarm.json"):
        raise Broken("ledgers.open-alarm", name=name, witness=path.parent.name)
    for own, ledger in ledgers.items():
        countersigned = any(entry.verb == WITNESSED for entry in ledger.about(f"ledger-{name}"))
        if countersigned and LEDGER_ZONES[own] not in witnesses:
            raise Broken("witness.statement-missing", name=name, witness=LEDGER_ZONES[own])


@contextmanager
def _collected(faults: dict[str, CreditError], zone: str) -> Iterator[None]:
    """Keep what is raised about a ledger with the faults; what a witness says comes first, as it says since when."""
    try:
        yield
    except CreditError as fault:
        faults[zone] = fault


def _parsed(path: Path) -> Any:
    try:
        return json.loads(path.read_bytes())
    except ValueError as error:
        raise Malformed("heads.not-heads-file") from error
