"""The data of a workspace: the practice tables (练习数据) at ``/data``, those that are granted. No record is there."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

from credit.errors import Broken, Malformed, Missing
from credit.messages import Text
from models.features.feature_sql import REGISTER_COLUMNS

DATA, GATEWAY = "HAIHE_LAB_DATA", "HAIHE_LAB_GATEWAY"


@dataclass(frozen=True, slots=True)
class PracticeTables:
    """The practice tables of this workspace, from their manifest; ``granted`` are those that are mounted."""

    id: str
    folder: Path
    terms: Mapping[str, Any]
    granted: tuple[str, ...]

    @property
    def as_of(self) -> date:
        """The day of their data."""
        return date.fromisoformat(self.terms["as_of"])

    @property
    def schema(self) -> dict[str, dict[str, str]]:
        """Columns and DuckDB types of the granted tables, against which feature SQL is checked."""
        return {name: self.terms["tables"][name]["columns"] for name in self.granted}

    @property
    def register(self) -> str | None:
        """The granted register of subjects (主体登记), or None."""
        return next((name for name, columns in self.schema.items() if set(REGISTER_COLUMNS) <= set(columns)), None)

    def dated(self, table: str) -> bool:
        """True when the rows of a table have the day they happened."""
        return bool(self.terms["tables"][table]["dated"])

    def files(self, table: str) -> str:
        """The pattern of a table's Parquet files."""
        return str(self.folder / table / "bucket-*.parquet")

    def granted_terms(self) -> dict[str, Any]:
        """The terms of their seal, restricted to the granted tables."""
        return {**self.terms, "tables": {name: self.terms["tables"][name] for name in self.granted}}


def data_folder() -> Path:
    """``HAIHE_LAB_DATA``, or ``/data``."""
    return Path(os.environ.get(DATA, "/data"))


def gateway_socket() -> Path:
    """``HAIHE_LAB_GATEWAY``, or ``/run/lab/gateway.sock``."""
    return Path(os.environ.get(GATEWAY, "/run/lab/gateway.sock"))


def practice() -> PracticeTables:
    """The practice tables at :func:`data_folder`; raises :class:`Missing` where there are none, :class:`Broken` if
    unreadable.

    The service that mounted them verified their signature; a workspace has no public keys.
    """
    folder = data_folder()
    manifest = folder / "manifest.json"
    if not manifest.is_file():
        raise Missing("workspace-data.no-practice-here", folder=folder, data=DATA)
    return _read(folder, manifest.stat().st_mtime_ns)


@lru_cache(maxsize=4)
def _read(folder: Path, _: int) -> PracticeTables:
    try:
        envelope = json.loads((folder / "manifest.json").read_bytes())
        predicate = json.loads(base64.b64decode(envelope["payload"]))["predicate"]
        tables = predicate["terms"]["tables"]
        granted = tuple(name for name in sorted(tables) if (folder / name).is_dir())
        return PracticeTables(predicate["id"], folder, predicate["terms"], granted)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Broken("workspace-data.manifest-cannot-be-read", why=Text.verbatim(type(error).__name__)) from error


def day(value: date | str | None, current: PracticeTables) -> date:
    """The given day, or that of the tables; raises :class:`Malformed` for a later day or another text."""
    if value is None:
        return current.as_of
    try:
        chosen = value if isinstance(value, date) else date.fromisoformat(value)
    except ValueError as error:
        raise Malformed("workspace-data.not-day", why=Text.verbatim(str(value)[:20])) from error
    if chosen > current.as_of:
        raise Malformed("workspace-data.day-after-tables", value=chosen, as_of=current.as_of)
    return chosen
