"""The numbers of a unit's deliveries (批次序号): each comes in once, in order; a gap and a replay are noticed.

Order matters: a later version of a record takes the place of an earlier one, so a late delivery would undo newer rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import pyarrow as pa

from credit.errors import Refused
from privacy.deliveries.manifest import DeliveryManifest
from privacy.storage.change import Change
from privacy.vault import Vault

NAME = "_deliveries"
_SCHEMA = pa.schema(
    [("unit", pa.string()), ("number", pa.int64()), ("list", pa.string()), ("on", pa.string()), ("rows", pa.int64())]
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a delivery stands: whether it came before, and the first and last of the numbers before it that did not."""

    is_again: bool
    missing: tuple[int, int] | None = None


def received(vault: Vault) -> list[dict[str, Any]]:
    """Every delivery with a list that was brought in: unit, number, digest of its list, day, rows."""
    return vault.read(NAME).to_pylist() if NAME in vault.names() else []


def place_of(manifest: DeliveryManifest, vault: Vault, *, without_earlier: bool = False) -> Place:
    """Where a delivery stands among those of its unit.

    Raises :class:`Refused` when another delivery has its number, when a later one came already, or, unless
    ``without_earlier``, when earlier ones have not come.
    """
    known = {row["number"]: row for row in received(vault) if row["unit"] == manifest.unit}
    last = max(known, default=0)
    if (row := known.get(manifest.number)) is not None:
        if row["list"] != manifest.digest:
            raise Refused("delivery.another-with-number", unit=manifest.unit, number=manifest.number, on=row["on"])
        return Place(is_again=True)
    if manifest.number < last:
        raise Refused("delivery.too-late", unit=manifest.unit, number=manifest.number, last=last)
    missing = (last + 1, manifest.number - 1) if known and manifest.number > last + 1 else None
    if missing and not without_earlier:
        text = str(missing[0]) if missing[0] == missing[1] else f"{missing[0]}-{missing[1]}"
        raise Refused("delivery.earlier-missing", unit=manifest.unit, number=manifest.number, missing=text)
    return Place(is_again=False, missing=missing)


def enter(manifest: DeliveryManifest, change: Change, vault: Vault, *, rows: int, today: date) -> None:
    """Keep a delivery's number, in the change that stores its rows."""
    row = {"unit": manifest.unit, "number": manifest.number, "list": manifest.digest, "on": today.isoformat()}
    change.write(NAME, pa.Table.from_pylist([*received(vault), row | {"rows": rows}], schema=_SCHEMA).to_batches())
