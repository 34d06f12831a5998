"""What differs between two versions (版本对照): features and directions as sealed, and what compute measured of both.

Nothing is measured here. Compute compares a version with the champion of the day on the same rows, when it is trained
and when the gate judges it; a pair that was never compared so has no figures, and the page says so.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from credit.ledger import Entry
from credit.seal import Seal
from credit.shelf import OpenedSeal
from lab.console.production.version_files import sealed_evidence, sealed_file

MEASURED_BY = ("promotion.approved", "promotion.granted", "promotion.refused", "version.made")
FIGURES = ("rows", "positives", "judged_by", "auc", "auc_low", "auc_high", "stability_index")


@dataclass(frozen=True, slots=True)
class FeatureChange:
    """A feature that one version has and the other has not, or has in another direction (1, -1, or 0 without one)."""

    name: str
    title: str
    new: int | None
    old: int | None


@dataclass(frozen=True, slots=True)
class PairedMeasure:
    """What compute measured of both on the same rows: the difference in AUC, and what changes for subjects."""

    zone: str
    seq: int
    at: datetime
    gain: Mapping[str, float]
    changes: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class VersionDifference:
    """What differs when ``new`` takes the place of ``old``."""

    new: Seal
    old: Seal
    features: tuple[FeatureChange, ...]
    shared: int
    figures: Mapping[str, Mapping[str, Any]]
    measured: PairedMeasure | None

    def as_json(self) -> dict[str, Any]:
        """The difference as JSON values."""
        measured = None
        if self.measured is not None:
            measured = asdict(self.measured) | {"at": self.measured.at.isoformat()}
        return {
            "new": self.new.id, "old": self.old.id, "features": [asdict(each) for each in self.features],
            "shared_features": self.shared, "figures": {name: dict(each) for name, each in self.figures.items()},
            "measured": measured,
        }  # fmt: skip


def difference(new: OpenedSeal, old: OpenedSeal, entries: Mapping[str, Iterable[Entry]]) -> VersionDifference:
    """What differs between two versions of the shelf.

    ``entries`` are those of the ledgers of ``platform`` and ``compute`` about either. Raises :class:`Broken` for a file
    that was changed since it was sealed.
    """
    new_features, old_features = _features(new), _features(old)
    changed = [
        FeatureChange(
            name,
            (new_features.get(name) or old_features[name])[0],
            *(_direction(each, name) for each in (new_features, old_features)),
        )
        for name in dict.fromkeys((*new_features, *old_features))
        if _direction(new_features, name) != _direction(old_features, name)
    ]
    figures = {name: _figures(each) for name, each in (("new", new), ("old", old))}
    known = {zone: list(each) for zone, each in entries.items()}
    measured = _newest(new.seal.id, old.seal.id, known) or _turned(_newest(old.seal.id, new.seal.id, known))
    shared = len(new_features.keys() & old_features.keys())
    return VersionDifference(new.seal, old.seal, tuple(changed), shared, figures, measured)


def _features(version: OpenedSeal) -> dict[str, tuple[str, int]]:
    card = json.loads(sealed_file(version, "version.json"))
    return {str(each["name"]): (str(each["title"]), int(each["direction"])) for each in card["features"]}


def _direction(features: Mapping[str, tuple[str, int]], name: str) -> int | None:
    return features[name][1] if name in features else None


def _figures(version: OpenedSeal) -> dict[str, Any]:
    evidence = sealed_evidence(version)
    return {name: evidence.get(name) for name in FIGURES}


def _newest(version: str, champion: str, entries: Mapping[str, list[Entry]]) -> PairedMeasure | None:
    """The newest comparison of a version with a champion, in the ledgers of the platform and of compute."""
    comparisons = [
        measured
        for zone, known in entries.items()
        for entry in known
        if entry.object == version and entry.verb in MEASURED_BY
        if (measured := _measure(zone, entry, champion)) is not None
    ]
    return max(comparisons, key=lambda each: each.at, default=None)


def _measure(zone: str, entry: Entry, champion: str) -> PairedMeasure | None:
    details = entry.details
    if entry.verb == "version.made":
        compared, changes = details.get("champion") or {}, details.get("changes") or {}
        if compared.get("version") != champion or "gain" not in compared:
            return None
        gain = compared["gain"]
        figures = {"value": gain["auc"], "low": gain["low"], "high": gain["high"]}
    else:
        findings = (details.get("verdict") or {}).get("findings", ())
        evidence: Mapping[str, Any] = next((each["evidence"] for each in findings if each["check"] == "champion"), {})
        if evidence.get("champion") != champion or "gain" not in evidence:
            return None
        figures = {"value": evidence["gain"], "low": evidence["low"], "high": evidence["high"]}
        changes = evidence.get("changes") or {}
    return PairedMeasure(zone, entry.seq, entry.at, {name: float(each) for name, each in figures.items()}, changes)


def _turned(measured: PairedMeasure | None) -> PairedMeasure | None:
    """The same comparison seen from the other version, as of a roll back."""
    if measured is None:
        return None
    gain, of = measured.gain, measured.changes
    turned = {"value": -gain["value"], "low": -gain["high"], "high": -gain["low"]}
    changes: dict[str, Any] = {}
    if of:
        grades = {"new": of["grades"]["old"], "old": of["grades"]["new"]}
        moved = [[now, was, rows] for was, now, rows in of["moved"]]
        changes = {**of, "grades": grades, "moved": moved, "better": of["worse"], "worse": of["better"]}
    return PairedMeasure(measured.zone, measured.seq, measured.at, turned, changes)
