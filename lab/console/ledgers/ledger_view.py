"""A chapter of a ledger (台账分册): the entries of some verbs, from the index, for those who fold a record from them.

Projects, petitions and orders are folded from the ledger at every question. A fold looks at its own verbs alone, so it
is given those alone, verified when the index read them, and a question takes milliseconds however long the ledger is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from credit.keys import SigningKey
from credit.ledger import Entry, Ledger
from lab.console.ledgers.ledger_index import Index


@dataclass(frozen=True, slots=True)
class Chapter(Ledger):
    """A ledger whose :meth:`entries` are those of ``verbs``. What is appended goes to the ledger itself."""

    index: Index | None = None
    verbs: tuple[str, ...] = ()

    @classmethod
    def of(cls, index: Index, *verbs: str, key: SigningKey | None = None) -> Chapter:
        """The entries of the index's ledger whose verb begins with one of ``verbs``."""
        whole = index.ledger
        return cls(whole.path, key or whole.key, whole.ring, whole.zone, whole._turn, index, verbs)

    def entries(self) -> Iterator[Entry]:
        """The chapter's entries in order; raises :class:`~credit.errors.Broken` when the ledger is."""
        assert self.index is not None
        self.index.keep_up()
        return self.index.told(*self.verbs)

    def about(self, thing: str) -> list[Entry]:
        """The chapter's entries whose object is ``thing``, in order."""
        assert self.index is not None
        self.index.keep_up()
        return list(self.index.told(*self.verbs, object=thing))
