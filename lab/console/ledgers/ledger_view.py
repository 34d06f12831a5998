"""A view of a ledger that holds the entries of some verbs only (台账视图), read from the index.

Projects, petitions and orders are folded from the ledger at every request. Each fold needs the entries of its own verbs
only, which the index verified when it read them, so a request takes milliseconds however long the ledger is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from credit.keys import SigningKey
from credit.ledger import Entry, Ledger
from lab.console.ledgers.ledger_index import LedgerIndex


@dataclass(frozen=True, slots=True)
class LedgerView(Ledger):
    """A ledger whose :meth:`entries` are those with ``verbs``. Appended entries go to the ledger itself."""

    index: LedgerIndex | None = None
    verbs: tuple[str, ...] = ()

    @classmethod
    def of(cls, index: LedgerIndex, *verbs: str, key: SigningKey | None = None) -> LedgerView:
        """A view of the index's ledger with the entries whose verb begins with one of ``verbs``."""
        whole = index.ledger
        return cls(whole.path, key or whole.key, whole.ring, whole.zone, whole._lock, index=index, verbs=verbs)

    def entries(self) -> Iterator[Entry]:
        """The entries of the view in order; raises :class:`~credit.errors.Broken` when the ledger does not verify."""
        assert self.index is not None
        self.index.catch_up()
        return self.index.entries(*self.verbs)

    def about(self, object_id: str) -> list[Entry]:
        """The entries of the view whose object is ``object_id``, in order."""
        assert self.index is not None
        self.index.catch_up()
        return list(self.index.entries(*self.verbs, object=object_id))
