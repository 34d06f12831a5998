"""A folder that is a delivery with a list: it is compared with its list, and its number with the unit's others."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from credit.errors import Malformed
from credit.keys import SigningKey
from privacy.deliveries.manifest import DeliveryManifest, manifest_in
from privacy.deliveries.receipt import receipt_of
from privacy.deliveries.sequence import Place, enter, place_of
from privacy.intake.delivery import LIST, Delivery
from privacy.intake.intake_report import IntakeReport
from privacy.storage.change import Change
from privacy.vault import Vault


@dataclass(frozen=True, slots=True)
class ListedDelivery:
    """A delivery with its list, and its place among those of its unit."""

    manifest: DeliveryManifest
    place: Place
    vault: Vault

    @property
    def details(self) -> Mapping[str, Any]:
        """What the ledger's entry of its intake says of it."""
        return {"unit": self.manifest.unit, "number": self.manifest.number}

    def enter(self, change: Change, *, rows: int, today: date) -> None:
        """Keep its number, in the change that stores its rows."""
        if not self.place.is_again:
            enter(self.manifest, change, self.vault, rows=rows, today=today)

    def require_whole(self, delivered: Delivery) -> None:
        """See :meth:`DeliveryManifest.require_whole`."""
        self.manifest.require_whole(delivered)

    def as_json(self, report: IntakeReport) -> dict[str, Any]:
        """What the ledger and the report say of it; it names no file."""
        return {
            "unit": self.manifest.unit,
            "number": self.manifest.number,
            "again": self.place.is_again,
            "missing_before": list(self.place.missing or ()),
            "rows_listed": self.manifest.rows,
            "rows_read": report.rows_in,
        }

    def receipt(self, report: IntakeReport, *, today: date, key: SigningKey) -> dict[str, Any]:
        """The signed receipt."""
        return receipt_of(self.as_json(report), self.manifest, report, today=today, key=key)


def listed_delivery(paths: Sequence[Path], vault: Vault, *, without_earlier: bool) -> ListedDelivery | None:
    """The delivery in a folder that has a list; None for files and for folders without one.

    Raises :class:`Malformed` for a list that cannot be read or one among several paths, and :class:`Refused` as
    :func:`place_of` does.
    """
    listed = [path for path in paths if path.is_dir() and os.path.lexists(path / LIST)]
    if not listed:
        return None
    if len(paths) > 1:
        raise Malformed("delivery.one-at-a-time")
    manifest = manifest_in(listed[0])
    return ListedDelivery(manifest, place_of(manifest, vault, without_earlier=without_earlier), vault)
