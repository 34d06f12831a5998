"""What the store's two engines have in common: a transaction with one method to run SQL, and the errors they raise."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from credit.errors import CreditError

Value = TypeVar("Value")
Rows = list[tuple[Any, ...]]


class StoreUnavailable(CreditError):
    """The store could not be reached, written or locked in time; whether the last act was done is not known."""

    status, exit_code, slug = 503, 5, "store-unavailable"


class Transaction(Protocol):
    """One transaction, in which an act does everything or nothing."""

    def rows(self, sql: str, *values: object) -> Rows:
        """Run one statement, with `?` for each value, and return its rows. Raises StoreUnavailable."""
        ...

    def count(self, sql: str, *values: object) -> int:
        """Run one statement that changes rows, and return how many. Raises StoreUnavailable."""
        ...

    def lives(self, process: int) -> bool:
        """Whether the process of the service with this number still runs."""
        ...


# An act may be run twice (when another act of its transaction failed), so it does nothing but run statements.
Act = Callable[[Transaction], Value]


class Engine(Protocol):
    """A database under the store. Its methods wait: they are called by the store's threads, never by an event loop."""

    me: int  # the number of this process, by which the others know whether it lives
    exclude: str  # the statement after which a transaction is the only one to migrate

    def transact(self, acts: list[Act[Any]], *, durable: bool) -> list[Any]:
        """Run the acts in one transaction and return their values; nothing is left of it when one of them raises.

        A transaction that is not `durable` survives the end of this process, but perhaps not a power cut. Raises
        StoreUnavailable, and what the acts raise.
        """
        ...

    def read(self, acts: list[Act[Any]]) -> list[Any]:
        """Run acts that change nothing, on the newest committed data. Raises as `transact`."""
        ...

    def read_now(self, act: Act[Value]) -> Value | None:
        """As `read`, without ever waiting; None where this is not possible at once."""
        ...

    @property
    def lags(self) -> bool:
        """Whether `settle` has something to do."""
        ...

    def settle(self) -> None:
        """Do the periodic work of the engine, which waits for the disk."""
        ...

    def close(self) -> None:
        """Close the connections; to the other processes this one has ended."""
        ...
