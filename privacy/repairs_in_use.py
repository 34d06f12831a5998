"""Custody's part of a repair (信用修复): records end, their subjects are withheld, and the releases in use are amended.

Every step leaves the same when it is done twice, so a repair that was stopped is begun again from its beginning.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from credit import releases
from credit.actor import Actor
from credit.catalogue import Catalogue
from credit.errors import CreditError, Malformed, Refused
from credit.ledger import Ledger
from credit.messages import Text
from credit.requests.failure import failure_of
from credit.shelf import OpenedSeal, Shelf
from credit.suppression import Notice
from privacy.catalogue_roles import Progress
from privacy.duckdb_engine import Limits
from privacy.release.withdrawal import suppress_subjects, withdraw
from privacy.repair import RepairedAlready, repair, repair_entries, repaired_records, repaired_subjects
from privacy.vault import Vault

SCORING, INQUIRY = "scoring", "inquiry"
DOSSIERS = "dossiers"
POINTERS = {SCORING: ("enterprise", "individual_business"), INQUIRY: (DOSSIERS,)}
"""Purpose of a release -> the snapshots that are made from it, by the names of their pointers."""
CustodyOf = Callable[[str], dict[str, Any]]  # purpose -> vault, policy, shelf, key, pseudonym key, ledger and person


@dataclass(slots=True)
class RepairedRecords:
    """The result for each document: how many were repaired now or before, and the errors of the rest."""

    repaired: int = 0
    repaired_before: list[dict[str, Any]] = field(default_factory=list)
    failed: list[dict[str, Any]] = field(default_factory=list)

    @property
    def is_entered(self) -> bool:
        """True when a repair of at least one document is stored, now or before."""
        return bool(self.repaired or self.repaired_before)

    def as_json(self) -> dict[str, Any]:
        """As plain values."""
        return {"repaired": self.repaired, "repaired_before": self.repaired_before, "failed": self.failed}


@dataclass(slots=True)
class AmendedReleases:
    """``replaced`` maps each release in use to the one that takes its place; ``releases`` has the new ones by purpose.

    ``refused`` are the errors of those that cannot be amended: their subjects stay withheld.
    """

    replaced: dict[str, str] = field(default_factory=dict)
    releases: dict[str, str] = field(default_factory=dict)
    refused: list[dict[str, Any]] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """As plain values."""
        return {"replaced": self.replaced, "releases": self.releases, "refused": self.refused}


def repair_records(
    documents: Sequence[str],
    *,
    on: str,
    subject: str = "",
    table: str = "",
    catalogue: Catalogue,
    custody_of: CustodyOf,
    vault: Vault,
    shelf: Shelf,
    ledger: Ledger,
    by: Actor,
    today: date,
    progress: Progress,
) -> RepairedRecords:
    """Repair each record, on the day ``on`` (today when it is empty). At once nothing is answered about its subject.

    A document that cannot be repaired does not stop the others. ``subject`` and ``table`` name the record where several
    have the number. Raises :class:`Malformed` for a day that is none, and
    the first error when there is no other document.
    """
    done, errors = RepairedRecords(), list[CreditError]()
    record: dict[str, Any] = {"catalogue": catalogue, "vault": vault, "subject": subject}
    for number, document in enumerate(documents):
        progress("finding the record", number, len(documents))
        try:
            repair(document, ledger=ledger, by=by, on=_day(on, today), today=today, table_name=table, **record)
        except RepairedAlready as error:  # by a run that was stopped, or long ago
            done.repaired_before.append(failure_of(error))
        except CreditError as error:
            errors.append(error)
            continue
        else:
            done.repaired += 1
        codes, records = repaired_subjects(document, by=today, **record), repaired_records(document, **record)
        for purpose in _purposes(shelf, today):
            custody = custody_of(purpose)
            if wanted := [code for code in codes if not _is_suppressed(code, records, custody)]:
                suppress_subjects(wanted, today=today, **custody)
    if errors and not done.is_entered:
        raise errors[0]
    done.failed = [failure_of(error) for error in errors]
    return done


def withdraw_from_releases(
    *,
    catalogue: Catalogue,
    custody_of: CustodyOf,
    shelf: Shelf,
    today: date,
    progress: Progress,
    limits: Limits | None,
) -> AmendedReleases:
    """Take the records that are repaired by today out of each release that answers rest on."""
    made = AmendedReleases()
    for purpose in _purposes(shelf, today):
        for base in _in_use(shelf, purpose, today):

            def step(label: str, done: int, total: int, purpose: str = purpose) -> None:
                progress(f"{purpose}: {label}", done, total)

            try:
                seal = withdraw(
                    base=base, catalogue=catalogue, today=today, progress=step, limits=limits, **custody_of(purpose)
                )
            except Refused as error:
                made.refused.append(failure_of(error))
                continue
            made.replaced[base.seal.id] = seal.id
            if seal.id != base.seal.id:
                made.releases[purpose] = seal.id
    return made


def _is_suppressed(code: str, records: Sequence[Sequence[str]], custody: Mapping[str, Any]) -> bool:
    """True when a notice about a subject is younger than each repair of these records, as custody's ledger has both.

    So a step that is done twice suppresses once: a second notice would make every release and snapshot again.
    """
    purpose, ledger = custody["pseudonym_key"].purpose, custody["ledger"]
    named = Notice.read(custody["shelf"], purpose).subjects.get(custody["pseudonym_key"].hex_of(code))
    notices = ledger.about(f"notice-{purpose}-{named[0]}") if named else ()
    suppressed = max((entry.seq for entry in notices), default=0)
    repairs = [[entry.seq for entry in repair_entries(ledger, names)] for names in records]
    return bool(repairs) and all(seqs and max(seqs) < suppressed for seqs in repairs)


def _purposes(shelf: Shelf, today: date) -> list[str]:
    return [purpose for purpose in POINTERS if releases.newest_release(shelf, purpose, today)]


def _in_use(shelf: Shelf, purpose: str, today: date) -> list[OpenedSeal]:
    """The releases that answers of a purpose rest on, and the newest one, on which the next will."""
    newest = releases.newest_release(shelf, purpose, today)
    in_use = {newest.seal.id: newest} if newest else {}
    for name in POINTERS[purpose]:
        pointer = shelf.pointer(f"snapshot-{name}", {"platform"})
        if pointer is not None:
            release = str(shelf.open(str(pointer["snapshot"]), deep=False).seal.terms["release"])
            in_use.setdefault(release, shelf.open(release, deep=False))
    return list(in_use.values())


def _day(text: str, today: date) -> date:
    try:
        return date.fromisoformat(text) if text else today
    except ValueError as error:
        raise Malformed("options.not-day", why=Text.verbatim(text)) from error
