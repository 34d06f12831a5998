"""The receipt of a delivery (归集回执): what came in and with which result, signed by custody for the unit.

It is a DSSE envelope. Anyone who has the lab's public keys verifies it with ``haihe deliveries --receipt FILE``.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from credit.envelope import sign_envelope, verify_envelope
from credit.keys import KeyRing, SigningKey
from privacy.deliveries.manifest import DeliveryManifest
from privacy.intake.intake_report import IntakeReport

PAYLOAD_TYPE = "application/vnd.haihe.delivery-receipt+json"


def receipt_of(
    summary: Mapping[str, Any], manifest: DeliveryManifest, report: IntakeReport, *, today: date, key: SigningKey
) -> dict[str, Any]:
    """The signed receipt: the ``summary`` of a delivery, its files, and the result of the rows."""
    content = {
        **summary,
        "list": manifest.digest,
        "files": {name: listed for name, (_, listed) in manifest.files.items()},
        "received_on": today.isoformat(),
        "kept": report.kept,
        "duplicates": report.duplicates,
        "quarantined": report.quarantined,
    }
    return sign_envelope(content, PAYLOAD_TYPE, key)


def verified_receipt(envelope: Any, ring: KeyRing) -> dict[str, Any]:
    """What a receipt says. Raises :class:`Broken` unless custody signed it."""
    return verify_envelope(envelope, PAYLOAD_TYPE, ring, {"custody"})
