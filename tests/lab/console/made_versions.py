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
from models.promotion.gate import promotion_gate
from tests.lab.console.zone import SECOND, Zone

BO = Actor("bo", Role.RESEARCHER)
FIGURES = {"auc": 0.7812, "auc_low": 0.7634, "auc_high": 0.7985, "ks": 0.41, "rows": 5330, "positives": 214}
CALIBRATION = {"ratio": 1.04, "ece": 0.004}
GRADES = ["AAA", "AA", "A", "BBB", "BB"]
CHANGES = {
    "rows": 5330, "grades": {"new": GRADES, "old": GRADES}, "better": 620, "same": 4310, "worse": 400, "few": 35,
    "moved": [["AAA", "AAA", 1500], ["AAA", "AA", 210], ["AA", "AAA", 340], ["AA", "AA", 1400], ["AA", "A", 165],
              ["A", "AA", 260], ["A", "A", 1010], ["BBB", "BBB", 250], ["BB", "BB", 150], ["BB", "BBB", 20]],
    "points": {"middle": 6, "most": 31}, "reasons": {"first": 0.81, "overlap": 0.74},
}  # fmt: skip


@dataclass(frozen=True)
class MadeVersions:
    """Their ids: the champion, one that was promoted before, one that waits, and one that was refused."""

    champion: str
    before: str
    waiting: str
    refused: str
    verdict: int  # the entry of the verdict that refused it


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
    measured = {"verdict": full_verdict(champion)}
    verdict = ledger.append("promotion.refused", refused, by=SECOND, details=shown | measured)
    compared = {"version": champion, "evidence": {}, "gain": {"auc": 0.0123, "low": 0.0041, "high": 0.0207}}
    compute = Ledger(zone.settings.compute_ledger, zone.keys["compute"], zone.ring, "compute")
    compute.append("version.made", waiting, by=BO, details={"champion": compared, "changes": CHANGES})
    Shelf(zone.settings.shelf, zone.ring).set_pointer(
        f"champion-{model}", {"model": model, "version": champion}, zone.keys["platform"]
    )
    return MadeVersions(champion, before, waiting, refused, verdict.seq)


def approved_by_one(zone: Zone, model: str = "individual_business") -> str:
    """A version of individual businesses that waits and that the second person has approved; its id."""
    name, ledger = _version(zone, model, 0), platform_ledger(zone)
    ledger.append("promotion.asked", name, by=BO, details={"model": model})
    details = {"model": model, "verdict": _verdict(Outcome.PASS), "champion": "", "basis": "the digest of what it saw"}
    ledger.append("promotion.approved", name, by=SECOND, details=details)
    return name


def platform_ledger(zone: Zone) -> Ledger:
    """The platform's ledger, for writing."""
    return Ledger(zone.settings.ledger.parent / "platform.jsonl", zone.keys["platform"], zone.ring, "platform")


def _version(zone: Zone, model: str, number: int) -> str:
    shelf = Shelf(zone.settings.shelf, zone.ring)
    with shelf.staging() as folder:
        evidence: dict[str, Any] = {**FIGURES, "auc": FIGURES["auc"] + number / 1000, "calibration": CALIBRATION}
        (folder / "evidence.json").write_text(json.dumps(evidence | {"stability_index": 0.012}))
        (folder / "card.md").write_text(f"# card {number}")
        named = ("penalties", "fines", *(("age_months",) if number % 2 else ("licences", "contracts")))
        directions = {"penalties": 1 if number else 0, "fines": 1, "age_months": -1, "licences": -1, "contracts": 0}
        features = [{"name": each, "title": f"title of {each}", "direction": directions[each]} for each in named]
        (folder / "version.json").write_text(json.dumps({"features": features}))
        kind = "enterprise" if model == "enterprise" else "individual_business"
        terms = {"model": model, "subject_kind": kind, "invented": True}
        made = {"parents": (), "terms": terms, "expires_on": date(2031, 1, 1)}
        return shelf.put(folder, Kind.VERSION, by=BO, key=zone.keys["compute"], **made).id


def _verdict(outcome: Outcome) -> dict[str, Any]:
    why = Text.of("promotion-gate.auc-low", low=0.55, least=0.6)
    return Verdict("promotion", (Finding.of("discrimination", outcome, why),), {"auc_low_at_least": 0.6}).as_json()


def full_verdict(champion: str) -> dict[str, Any]:
    """A verdict with the figures of every check that is drawn: calibration fails, and a person decides on groups."""
    off = Text.of("promotion-gate.calibration-outside", name="ratio", value=2.31, low=0.5, high=2.0)
    gain = {"champion": champion, "gain": 0.0123, "low": -0.0041, "high": 0.0287, "share": 0.93, "changes": CHANGES}
    errors = {"ece": 0.021, "ece_noise": 0.012, "slope": 0.94, "intercept": 0.1, "ratio": 2.31}
    attacked = {"tpr_at_1_percent": 0.013, "defaulted": {"tpr_at_1_percent": 0.09}, "shadows": 16}
    rates = {"all": 0.013, "defaulted": 0.09, "limit": 0.05, "defaulted_limit": 0.3, "shadows": 16}
    leaves = {"smallest": 14, "smallest_rows": 31}
    of_leaves = Text.of("promotion-gate.leaf-size", subjects=14, least=10, smallest=31, least_rows=10)
    findings = (
        Finding.of("discrimination", Outcome.PASS, Text.of("promotion-gate.auc", auc=0.7812, low=0.7634), FIGURES),
        Finding.of("calibration", Outcome.FAIL, off, errors),
        Finding.of("monotone", Outcome.PASS, Text.of("promotion-gate.monotone"), {"trees": 120}),
        Finding.of("stability", Outcome.PASS, Text.of("promotion-gate.stability", index=0.012, limit=0.25),
                   {"stability_index": 0.012}),
        Finding.of("parity", Outcome.REVIEW, Text.of("promotion-gate.parity-off", groups="district 03: 2.61"), {}),
        Finding.of("champion", Outcome.PASS, Text.of("promotion-gate.gain", gain=0.0123, share=0.93), gain),
        Finding.of("leaf_size", Outcome.PASS, of_leaves, leaves),
        Finding.of("membership", Outcome.PASS, Text.of("promotion-gate.membership", **rates), attacked),
        Finding.of("leak", Outcome.PASS, Text.of("promotion-gate.no-leak"), {}),
    )  # fmt: skip
    return Verdict("promotion", findings, promotion_gate().thresholds).as_json()
