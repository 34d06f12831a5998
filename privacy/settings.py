"""Settings of the custody zone, read from ``HAIHE_CUSTODY_*``."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from privacy.duckdb_engine import Limits


@dataclass(frozen=True, slots=True)
class CustodySettings:
    """The folders of custody and its share of the machine.

    ``raw`` is the vault's folder, ``shelf`` the shelf for its releases, ``keys`` its secrets (vault, pseudonyms,
    signing), ``ring`` the public keys, and ``ledger`` its ledger file. Work that needs more than ``memory`` (DuckDB's
    notation) spills to ``temporary``: that folder holds clear text while a step runs, so it belongs on an encrypted or
    memory-backed disk. ``master_key`` or ``key_program`` take the place of the vault's secret (``custody_vault.py``).
    """

    raw: Path
    shelf: Path
    keys: Path
    ring: Path
    ledger: Path
    temporary: Path | None = None
    memory: str = "768MB"
    threads: int = 2
    master_key: str = field(default="", repr=False)
    key_program: Path | None = None

    @property
    def limits(self) -> Limits:
        """The limits of one step."""
        return Limits(self.memory, self.threads, self.temporary)
