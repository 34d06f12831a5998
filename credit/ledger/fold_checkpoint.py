"""A fold that starts where it ended: its state up to an entry of each ledger, signed by the zone that folds.

The state is a hint that can be made again: one that is missing, that another zone signed, or whose entry is not in
its place any more is not used, and the fold begins at the start.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

from credit.errors import Broken
from credit.keys import KeyRing, SigningKey
from credit.ledger.entry import START, Position
from credit.ledger.ledger import Ledger
from credit.ledger.signed_record import opened, read_record, signed, write_record

PURPOSE = "fold"


class Fold(Protocol):
    """What is computed from the entries of one or several ledgers, and can be stored as JSON."""

    def state(self) -> Any:
        """What was computed so far, as JSON."""

    def restore(self, state: Any) -> None:
        """Continue from a state that :meth:`state` returned."""


@dataclass(frozen=True, slots=True)
class FoldCheckpoint:
    """The file of a fold's state. ``version`` is the fold's own: a state of another version is not used."""

    path: Path
    key: SigningKey
    ring: KeyRing
    version: int = 1

    def restore(self, fold: Fold, ledgers: Mapping[str, Ledger]) -> dict[str, Position]:
        """Restore the fold and return the position in each ledger to continue from.

        Without a usable state these are the starts.
        """
        try:
            record = read_record(self.path)
            content = opened(record, PURPOSE, self.key.zone, self.ring) if record else {}
            positions = {name: Position(**each) for name, each in content.get("positions", {}).items()}
            usable = content.get("version") == self.version and set(positions) == set(ledgers)
            if usable and all(_is_there(ledgers[name], each) for name, each in positions.items()):
                fold.restore(content["state"])
                return positions
        except (Broken, KeyError, TypeError, ValueError, AttributeError):
            pass
        return dict.fromkeys(ledgers, Position())

    def store(self, fold: Fold, positions: Mapping[str, Position]) -> None:
        """Store the fold's state, which is that after the entries at ``positions``."""
        places = {name: asdict(each) for name, each in positions.items()}
        content = {"version": self.version, "positions": places, "state": fold.state()}
        write_record(self.path, signed(content, PURPOSE, self.key))


def _is_there(ledger: Ledger, position: Position) -> bool:
    entry = ledger.entry_at(position.seq) if position.seq else None
    return (entry.id if entry else START) == position.id
