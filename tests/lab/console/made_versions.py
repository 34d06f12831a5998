"""Versions of a model on a zone's shelf, with entries of the platform about them, for the pages of models."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from typing import Any

from credit.actor import Actor, Role
from credit.gate import Finding, Outcome, Verdict
from credit.ledger import Ledger
from credit.messages import Text
from credit.seal import Kind
from credit.shelf import Shelf
from tests.lab.console.zone import SECOND, Zone

BO = Actor("bo", Role.RESEARCHER)
FIGURES = {"auc": 0.7812, "auc_low": 0.7634, "auc_high": 0.7985, "ks": 0.41, "rows": 5330, "positives": 214}
CALIBRATION = {"ratio": 1.04, "ece": 0.004}


@dataclass(frozen=True)
class MadeVersions:
    """Their ids: the champion, one that was promoted before, one that waits, and one that was refused."""

    champion: str
    before: str
    waiting: str
    refused: str


def some_versions(zone: Zone, model: str = "enterprise") -> MadeVersions:
    """Four versions: promoted, promoted and rolled back to, waiting, refused by the gate."""
    names = [_version(zone, model, number) for number in range(4)]
    champion, before, waiting, refused = names
    ledger = platform_ledger(zone)
    shown = {"model": model}
    for name in (champion, before):
        ledger.append("promotion.asked", name, by=BO, details=shown)
        ledger.append("promotion.granted", name, by=SECOND, details=shown | {"verdict": _verdict(Outcome.PASS)})
    ledger.append("promotion.granted", champion, by=SECOND, details=shown | {"roll_back": "The newer one drifts"})
    ledger.append("promotion.asked", waiting, by=BO, details=shown)
    ledger.append("promotion.asked", refused, by=BO, details=shown)
    ledger.append("promotion.refused", refused, by=SECOND, details=shown | {"verdict": _verdict(Outcome.FAIL)})
    Shelf(zone.settings.shelf, zone.ring).set_pointer(
        f"champion-{model}", {"model": model, "version": champion}, zone.keys["platform"]
    )
    return MadeVersions(champion, before, waiting, refused)


def platform_ledger(zone: Zone) -> Ledger:
    """The platform's ledger, for writing."""
    return Ledger(zone.settings.ledger.parent / "platform.jsonl", zone.keys["platform"], zone.ring, "platform")


def _version(zone: Zone, model: str, number: int) -> str:
    shelf = Shelf(zone.settings.shelf, zone.ring)
    with shelf.staging() as folder:
        evidence: dict[str, Any] = {**FIGURES, "auc": FIGURES["auc"] + number / 1000, "calibration": CALIBRATION}
        (folder / "evidence.json").write_text(json.dumps(evidence | {"stability_index": 0.012}))
        (folder / "card.md").write_text(f"# card {number}")
        terms = {"model": model, "invented": True}
        made = {"parents": (), "terms": terms, "expires_on": date(2031, 1, 1)}
        return shelf.put(folder, Kind.VERSION, by=BO, key=zone.keys["compute"], **made).id


def _verdict(outcome: Outcome) -> dict[str, Any]:
    why = Text.of("promotion-gate.auc-low", low=0.55, least=0.6)
    return Verdict("promotion", (Finding.of("discrimination", outcome, why),), {"auc_low_at_least": 0.6}).as_json()
