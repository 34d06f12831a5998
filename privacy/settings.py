"""Settings of the custody zone, read from ``HAIHE_CUSTODY_*``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from privacy.duckdb_engine import Limits


@dataclass(frozen=True, slots=True)
class CustodySettings:
    """Where custody keeps things and how much of the machine it may use.

    ``raw`` is the vault's folder, ``shelf`` the shelf it releases to, ``keys`` its secrets (vault, pseudonyms,
    signing), ``ring`` the public keys, ``ledger`` its ledger file, ``temporary`` where work that outgrows ``memory``
    spills to: that folder holds clear text while a step runs and belongs on an encrypted or memory-backed disk.
    """

    raw: Path
    shelf: Path
    keys: Path
    ring: Path
    ledger: Path
    temporary: Path | None = None
    memory: str = "2GB"
    threads: int = 2

    @property
    def limits(self) -> Limits:
        """What one step may use."""
        return Limits(self.memory, self.threads, self.temporary)
