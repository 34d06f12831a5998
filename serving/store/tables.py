"""Some tables of the store, which a part of the service uses by single statements or several in one transaction."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Self

from serving.store.store import Store, statement
from serving.store.transaction import Rows, Transaction, Value


class StoreTables:
    """Safe to use from several threads and processes. It waits: an event loop calls it in a thread."""

    def __init__(self, store: Store) -> None:
        """Use an open store. The process that opened it closes it."""
        self.store = store
        self._transaction: Transaction | None = None

    def rows(self, sql: str, *values: object) -> Rows:
        """Run one statement and return its rows; a change is on the disk when this returns. Raises StoreUnavailable."""
        if self._transaction is not None:
            return self._transaction.rows(sql, *values)
        if sql.startswith("SELECT"):
            return self.store.query(statement(sql, *values))
        return self.in_one(lambda tables: tables.rows(sql, *values))

    def in_one(self, act: Callable[[Self], Value]) -> Value:
        """The value of an act whose statements are done together or not at all. Raises StoreUnavailable.

        The act gets these tables within the transaction. Within another transaction it is part of that one.
        """
        if self._transaction is not None:
            return act(self)
        return self.store.run(lambda transaction: act(self._within(transaction)))

    def together_with(self, other: StoreTables) -> Self:
        """These tables within the transaction that `other` is in."""
        assert other.store is self.store, "two stores have no transaction in common"
        assert other._transaction is not None, "call this within `in_one`"
        return self._within(other._transaction)

    def _within(self, transaction: Transaction) -> Self:
        tables = copy.copy(self)
        tables._transaction = transaction
        return tables
