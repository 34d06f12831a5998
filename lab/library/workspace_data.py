"""Where this notebook is: the release at ``/data`` and the tables of it that are granted."""

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
from models.features.feature_sql import REGISTER

DATA, GATEWAY = "HAIHE_LAB_DATA", "HAIHE_LAB_GATEWAY"


@dataclass(frozen=True, slots=True)
class Release:
    """The research release this workspace has, as its manifest tells; ``granted`` are the tables that are here."""

    id: str
    folder: Path
    terms: Mapping[str, Any]
    granted: tuple[str, ...]

    @property
    def as_of(self) -> date:
        """The day up to which it was made."""
        return date.fromisoformat(self.terms["as_of"])

    @property
    def schema(self) -> dict[str, dict[str, str]]:
        """Columns and DuckDB types of the granted tables, as feature SQL is checked against."""
        return {name: self.terms["tables"][name]["columns"] for name in self.granted}

    @property
    def register(self) -> str | None:
        """The granted table that lists who lives (主体登记)."""
        return next((name for name, columns in self.schema.items() if set(REGISTER) <= set(columns)), None)

    def dated(self, table: str) -> bool:
        """Whether a table's rows have the day they happened."""
        return bool(self.terms["tables"][table]["dated"])

    def files(self, table: str) -> str:
        """The pattern of a table's Parquet files."""
        return str(self.folder / table / "bucket-*.parquet")

    def granted_terms(self) -> dict[str, Any]:
        """The terms with the granted tables alone."""
        return {**self.terms, "tables": {name: self.terms["tables"][name] for name in self.granted}}


def data_folder() -> Path:
    """``HAIHE_LAB_DATA``, or ``/data``."""
    return Path(os.environ.get(DATA, "/data"))


def gateway_socket() -> Path:
    """``HAIHE_LAB_GATEWAY``, or ``/run/lab/gateway.sock``."""
    return Path(os.environ.get(GATEWAY, "/run/lab/gateway.sock"))


def release() -> Release:
    """The release at :func:`data_folder`; raises :class:`Missing` where there is none, :class:`Broken` if unreadable.

    The signature was verified by whoever mounted it: no ring of keys is bound in a workspace.
    """
    folder = data_folder()
    manifest = folder / "manifest.json"
    if not manifest.is_file():
        raise Missing("workspace-data.no-release-here", folder=folder, data=DATA)
    return _read(folder, manifest.stat().st_mtime_ns)


@lru_cache(maxsize=4)
def _read(folder: Path, _: int) -> Release:
    try:
        envelope = json.loads((folder / "manifest.json").read_bytes())
        told = json.loads(base64.b64decode(envelope["payload"]))["predicate"]
        tables = told["terms"]["tables"]
        granted = tuple(name for name in sorted(tables) if (folder / name).is_dir())
        return Release(told["id"], folder, told["terms"], granted)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Broken("workspace-data.release-manifest-cannot-be-read", why=type(error).__name__) from error


def day(value: date | str | None, told: Release) -> date:
    """A day as given, or the release's own; raises :class:`Malformed` for one after it."""
    if value is None:
        return told.as_of
    try:
        found = value if isinstance(value, date) else date.fromisoformat(value)
    except ValueError as error:
        raise Malformed("workspace-data.not-day", why=str(value)[:20]) from error
    if found > told.as_of:
        raise Malformed("workspace-data.release-knows-nothing", value=found, as_of=told.as_of)
    return found
