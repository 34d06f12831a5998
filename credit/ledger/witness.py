"""Witnesses (见证): a zone's agent countersigns the heads of the other zones' ledgers, and sees when one was cut.

A zone can sign an older or another chain of its own ledger; it cannot sign the statements that other zones made about
the newer one. Each agent calls :func:`countersign` in its loop. What is younger than the last countersignature can
still be cut without a trace: at most 20 seconds, or 1,000 entries.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from credit.actor import Actor
from credit.errors import Broken, CreditError, Malformed
from credit.ledger.ledger import Ledger
from credit.ledger.segments.store import make_folder
from credit.ledger.signed_record import read_record, signed, write_record
from credit.ledger.statement import Statement, newest, require_head, store_statement

SECONDS, ENTRIES = 20, 1_000  # a head is countersigned again after either
WITNESSED, BROKEN, WHOLE = "ledger.witnessed", "ledger.broken", "ledger.whole"


@dataclass(frozen=True, slots=True)
class WitnessFinding:
    """What a witness found about a ledger: its newest statement, and what is broken (None when nothing is)."""

    ledger: str
    statement: Statement | None
    broken: CreditError | None = None


def countersign(
    ledgers: Mapping[str, Ledger], own: Ledger, folder: Path, *, by: Actor, now: datetime | None = None
) -> list[WitnessFinding]:
    """Look at every ledger but ``own`` and countersign its head when it is time; one finding a ledger.

    ``folder`` holds the statements of all witnesses (``<home>/ledgers/witness``). A head that is older than what this
    witness countersigned, or of another chain, is not countersigned: the witness records ``ledger.broken`` in its own
    ledger, once, and writes an alarm beside its statements. Nothing that is wrong with one ledger stops the others.
    """
    if own.key is None:
        raise Malformed("ledger.opened-for-reading")
    moment = now or datetime.now(UTC)
    others = ((name, ledger) for name, ledger in ledgers.items() if ledger.path != own.path)
    return [_look(name, ledger, own, folder, by, moment) for name, ledger in others]


def _look(name: str, ledger: Ledger, own: Ledger, folder: Path, by: Actor, now: datetime) -> WitnessFinding:
    assert own.key is not None
    witness, statement = own.key.zone, None
    try:
        statement = newest(folder, name, witness, own.ring)
        witnessed = statement is not None or _has_witnessed(own, name)
        if not witnessed and not ledger.has_begun():
            return WitnessFinding(name, None)  # one that this witness has seen is gone; this one has never been
        if statement is None and witnessed and not _alarm(folder, witness, name).exists():
            raise Broken("witness.statement-missing", name=name, witness=witness)
        if statement is not None:
            statement.require_true(ledger)
        seq, last = require_head(ledger)
    except (CreditError, OSError) as error:
        fault = error if isinstance(error, CreditError) else Broken("witness.ledger-unreadable", name=name)
        _raise_alarm(fault, name, statement, own, folder, by, now)
        return WitnessFinding(name, statement, fault)
    if statement is None or _is_due(statement, seq, now):
        if statement is None and not _has_witnessed(own, name):
            own.append(WITNESSED, f"ledger-{name}", by=by, details={"seq": seq, "id": last})
        statement = Statement(name, seq, last, now.isoformat(), witness)
        store_statement(folder, statement, own.key)
    _end_alarm(name, own, folder, by)
    return WitnessFinding(name, statement)


def _is_due(statement: Statement, seq: int, now: datetime) -> bool:
    age = (now - datetime.fromisoformat(statement.at)).total_seconds()
    return seq - statement.seq >= ENTRIES or not 0 <= age < SECONDS


def _has_witnessed(own: Ledger, name: str) -> bool:
    return any(entry.verb == WITNESSED for entry in own.about(f"ledger-{name}"))


def _raise_alarm(
    fault: CreditError, name: str, statement: Statement | None, own: Ledger, folder: Path, by: Actor, now: datetime
) -> None:
    """Write the alarm beside the statements, and record it once; the file comes first, since it needs no ledger."""
    assert own.key is not None
    path = _alarm(folder, own.key.zone, name)
    details: dict[str, Any] = {"why": fault.message.id}
    if statement is not None:
        details |= {"seq": statement.seq, "id": statement.id, "countersigned_at": statement.at}
    try:
        before = read_record(path)
    except Broken:
        before = None
    if before is not None and before.get("why") == details["why"] and before.get("seq") == details.get("seq"):
        return
    make_folder(path.parent)
    write_record(path, signed({"ledger": name, **details, "found_at": now.isoformat()}, "alarm", own.key))
    with suppress(CreditError, OSError):  # of its own ledger, which its agent and the other witnesses report
        own.append(BROKEN, f"ledger-{name}", by=by, details=details)


def _end_alarm(name: str, own: Ledger, folder: Path, by: Actor) -> None:
    assert own.key is not None
    path = _alarm(folder, own.key.zone, name)
    if path.exists():
        own.append(WHOLE, f"ledger-{name}", by=by)
        path.unlink()


def _alarm(folder: Path, witness: str, name: str) -> Path:
    return folder / witness / f"{name}.alarm.json"
