"""A countersignature (联署): a zone's signed statement that another's ledger had a certain last entry at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from credit.errors import Broken
from credit.keys import KeyRing, SigningKey
from credit.ledger.entry import START
from credit.ledger.ledger import Ledger
from credit.ledger.segments.store import make_folder
from credit.ledger.signed_record import opened, read_record, signed, write_record

PURPOSE = "witness"
HISTORY = 50  # statements of a witness about a ledger that are kept beside the newest


@dataclass(frozen=True, slots=True)
class Statement:
    """``witness`` saw the ledger with ``seq`` entries, the last of which has this ``id``, at the time ``at``."""

    ledger: str
    seq: int
    id: str
    at: str
    witness: str

    def signed(self, key: SigningKey) -> dict[str, Any]:
        """The statement as its witness's record."""
        return signed(asdict(self), PURPOSE, key)

    @classmethod
    def opened(cls, record: Mapping[str, Any], witness: str, ring: KeyRing) -> Statement:
        """The statement in a record that ``witness`` signed; raises :class:`Broken`."""
        content = opened(record, PURPOSE, witness, ring)
        try:
            datetime.fromisoformat(content["at"])
            statement = cls(**content)
        except (ValueError, TypeError, KeyError) as error:
            raise Broken("ledger.record-unreadable", name=PURPOSE) from error
        if statement.witness != witness:
            raise Broken("ledger.record-of-another-zone", name=PURPOSE, signer=witness, zone=statement.witness)
        return statement

    def require_true(self, ledger: Ledger) -> None:
        """Raise :class:`Broken` when this entry is no longer where the witness saw it, or the head counts fewer."""
        names: dict[str, Any] = {"name": self.ledger, "seq": self.seq, "at": self.at, "witness": self.witness}
        if ledger.head()[0] < self.seq:
            raise Broken("witness.ledger-cut", **names)
        if self.seq == 0:
            return
        entry = ledger.entry_at(self.seq)
        if entry is None:
            raise Broken("witness.ledger-cut", **names)
        if entry.id != self.id:
            raise Broken("witness.ledger-forked", **names)


def require_head(ledger: Ledger) -> tuple[int, str]:
    """The head, whose entry is in its place: what may be countersigned. Raises :class:`Broken`."""
    seq, name = ledger.head()
    entry = ledger.entry_at(seq) if seq else None
    if (entry.id if entry else START) != name:
        raise Broken("witness.head-without-entry", name=ledger.path.stem, seq=seq)
    return seq, name


def newest(folder: Path, ledger: str, witness: str, ring: KeyRing) -> Statement | None:
    """The newest statement of a witness about a ledger; None when there is none. Raises :class:`Broken`."""
    record = read_record(_path(folder, witness, ledger))
    if record is None:
        return None
    statement = Statement.opened(record, witness, ring)
    if statement.ledger != ledger:
        raise Broken("ledger.record-unreadable", name=PURPOSE)
    return statement


def store_statement(folder: Path, statement: Statement, key: SigningKey) -> None:
    """Store the newest statement of a witness, and add it to its short history when the ledger has grown."""
    path = _path(folder, statement.witness, statement.ledger)
    make_folder(path.parent)
    before, record = read_record(path), statement.signed(key)
    if before is None or before.get("seq") != statement.seq:
        history = path.with_suffix(".history.json")
        kept = (read_record(history) or {}).get("statements", [])
        write_record(history, {"statements": [*kept[1 - HISTORY :], record]}, durable=False)
    write_record(path, record)


def statements(folder: Path, ledger: str, ring: KeyRing) -> list[Statement]:
    """The newest statement of every witness about a ledger. Raises :class:`Broken` for one that is not signed by it."""
    return [Statement.opened(record, witness, ring) for witness, record in statement_records(folder, ledger)]


def statement_records(folder: Path, ledger: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each witness with its newest record about a ledger, not yet verified. Raises :class:`Broken`."""
    for witness in sorted(path.name for path in folder.glob("*") if path.is_dir()):
        record = read_record(_path(folder, witness, ledger))
        if record is not None:
            yield witness, record


def _path(folder: Path, witness: str, ledger: str) -> Path:
    return folder / witness / f"{ledger}.json"
