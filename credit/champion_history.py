"""Which version of a model was in production when (上线沿革), from the platform's ledger.

Two times are kept apart. *Valid* is the moment of interest: which version was the champion then. *Known* is the moment
as of which the ledger is read: what was recorded later is left out, so that an earlier answer can be given again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from credit.actor import Actor
from credit.ledger import Entry, Ledger
from credit.ledger.segments.lookup import LookUp

GRANTED = "promotion.granted"
RESTORED = "champion.restored"  # an alias in MLflow that named another version was set back


@dataclass(frozen=True, slots=True)
class ChampionChange:
    """One change of the champion: the version that was in production from ``at`` on, and who decided it.

    ``roll_back`` is the reason where an earlier version was taken back, else empty. ``waiver`` is the reason of a
    person for what the gate had left to a person, else empty. ``seq`` and ``entry`` name the entry of the platform's
    ledger.
    """

    model: str
    version: str
    at: datetime
    by: Actor
    roll_back: str
    waiver: str
    seq: int
    entry: str

    @classmethod
    def of(cls, entry: Entry) -> ChampionChange:
        """The change that an entry ``promotion.granted`` records."""
        details: Mapping[str, Any] = entry.details
        waiver = details.get("waiver") or {}
        accepted = str(waiver.get("why", "")) if isinstance(waiver, Mapping) else ""
        return cls(
            str(details.get("model", "")),
            entry.object,
            entry.at,
            entry.by,
            str(details.get("roll_back", "")),
            accepted,
            entry.seq,
            entry.id,
        )

    def as_json(self) -> dict[str, Any]:
        """The change as JSON values."""
        return {
            "model": self.model, "version": self.version, "at": self.at.isoformat(), "by": str(self.by),
            "roll_back": self.roll_back, "waiver": self.waiver, "seq": self.seq, "entry": self.entry,
        }  # fmt: skip


def champion_changes(ledger: Ledger, model: str) -> list[ChampionChange]:
    """Every change of the model's champion, the oldest first; few other entries are read. Raises :class:`Broken`."""
    return changes_of(ledger.find(LookUp(verb=GRANTED)), model)


def changes_of(entries: Iterable[Entry], model: str) -> list[ChampionChange]:
    """The changes of a model's champion among entries of the platform's ledger."""
    return [ChampionChange.of(each) for each in entries if each.verb == GRANTED and each.details.get("model") == model]


def champion_at(
    changes: Iterable[ChampionChange], at: datetime, known: datetime | None = None
) -> ChampionChange | None:
    """The change that was in force ``at`` a moment, by what was recorded until ``known``; None before the first."""
    in_force = [each for each in changes if each.at <= at and (known is None or each.at <= known)]
    return in_force[-1] if in_force else None
