"""Ledgers (台账): append-only chains of signed entries, one a zone, cut into segments."""

from credit.ledger.entry import START, Entry, Position
from credit.ledger.ledger import Ledger
from credit.ledger.segments.lookup import LookUp

__all__ = ["START", "Entry", "Ledger", "LookUp", "Position"]
