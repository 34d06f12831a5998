"""A world for the door's figures: a model of 500 trees, 31 leaves and 60 features, a snapshot, a bank, mandates."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass
from datetime import date, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from credit.actor import Actor
from credit.canonical import digest
from credit.keys import KeyRing, SigningKey, create_secret
from credit.ledger import Ledger
from credit.seal import Kind
from credit.shelf import Shelf
from credit.subjects import PseudonymKey
from credit.uscc import compose
from models.boosting.booster import train_booster
from models.boosting.recipe import Recipe
from models.scoring.scorer import Scorer
from models.scoring.snapshot_layout import ANSWERS_FILE, FEATURES_FILE, SUBJECTS_FILE
from models.scoring.trees.model_text import without_settings
from serving.auth.access_database import AccessDatabase
from serving.auth.clients import RateLimit
from serving.auth.mandates import grant

ROOT = Path("var/bench/door")
TODAY, PURPOSE, BANK = date(2026, 11, 20), "credit_granting", "harbour-bank"
TREES, LEAVES, FEATURES, SUBJECTS, MANDATES = 500, 31, 60, 2_000, 500
NAMES = [f"feature_{number:02}" for number in range(FEATURES)]
GRADES = [["A", 800], ["A-", 780], ["B+", 760], ["B", 730], ["B-", 700], ["C+", 660], ["C", 620], ["C-", 560], ["D", 0]]
_BY = Actor.parse("platform:bench")


@dataclass(frozen=True, slots=True)
class ServiceWorld:
    """Where it is, the bank's secret, and pairs of code and mandate to ask with."""

    root: Path
    secret: str
    score_requests: list[tuple[str, str]]

    def environment(self) -> dict[str, str]:
        """The service's settings."""
        places = {"shelf": "shelf", "keys": "keys", "ring": "ring", "ledger": "ledger.jsonl", "access": "access.db"}
        settings = {
            f"HAIHE_SERVICE_{name.upper()}": str((self.root / place).resolve()) for name, place in places.items()
        }
        return {
            "PATH": os.environ["PATH"],
            **settings,
            "HAIHE_SERVICE_TODAY": str(TODAY),
            "HAIHE_SERVICE_MODELS": "bench",
            "HAIHE_SERVICE_LIVE_PER_SUBJECT": "1000000",  # what is measured is the speed, again and again of the same
        }


def build(root: Path = ROOT, subjects: int = SUBJECTS) -> ServiceWorld:
    """Build the world from nothing in about twenty seconds; most of them go to the exact contributions of the snapshot.

    Beyond SUBJECTS the rows repeat: memory costs the same whatever it contains.
    """
    shutil.rmtree(root, ignore_errors=True)
    for folder in ("ring", "keys"):
        (root / folder).mkdir(parents=True)
    for zone in ("custody", "research", "compute", "platform", "service"):
        (root / "ring" / f"{zone}.pem").write_bytes(SigningKey.create(root / "keys", zone).public_pem())
    key = PseudonymKey("scoring", create_secret(root / "keys" / "pseudonym-scoring.key"))
    codes = [compose("91", "120116", f"MA{number:06d}").code for number in range(subjects)]
    version, snapshot = publish(root, sorted(key.key_of(code).raw for code in codes))
    platform = SigningKey.load(root / "keys", "platform")
    promote(root, version)
    show(root, version, snapshot)
    access = AccessDatabase(root / "access.db")
    secret, ledger = access.add_client(BANK), Ledger(root / "platform.jsonl", platform, KeyRing.load(root / "ring"))
    access.set_limit(BANK, RateLimit(1e6, 1e6))
    begin, end = TODAY - timedelta(days=1), TODAY + timedelta(days=30)
    score_requests = [
        (code, grant(access, bank=BANK, subject=key.key_of(code), purpose=PURPOSE, document=digest(b"paper"),
                     valid_from=begin, valid_until=end, by=_BY, key=platform, ledger=ledger).id)
        for code in codes[:MANDATES]
    ]  # fmt: skip
    access.close()
    return ServiceWorld(root, secret, score_requests)


def publish(root: Path, keys: list[bytes], seed: int = 7) -> tuple[str, str]:
    """A version and its snapshot of the subjects with these sorted keys; neither is pointed at yet."""
    order = _seal(root, Kind.ORDER, "research", {"order.json": b"{}"}, seed=seed)
    version = _seal(root, Kind.VERSION, "compute", _version(seed), order)
    release = _seal(root, Kind.RELEASE, "custody", {"rows": b"none"}, purpose="scoring")
    files = _snapshot(Scorer.load(_shelf(root).open(version).path), keys, _sample(SUBJECTS, 1)[0])
    more = {"model": "bench", "version": version, "as_of": str(TODAY), "bank_features": list(NAMES)}
    return version, _seal(root, Kind.SNAPSHOT, "compute", files, version, release, **more)


def promote(root: Path, version: str) -> None:
    """The platform's pointer to the champion."""
    _point(root, "champion-bench", {"model": "bench", "version": version})


def show(root: Path, version: str, snapshot: str) -> None:
    """The platform's pointer to its snapshot."""
    _point(root, "snapshot-bench", {"model": "bench", "version": version, "snapshot": snapshot})


def _point(root: Path, name: str, pointer: dict[str, str]) -> None:
    _shelf(root).set_pointer(name, pointer, SigningKey.load(root / "keys", "platform"))


def _shelf(root: Path) -> Shelf:
    return Shelf(root / "shelf", KeyRing.load(root / "ring"))


def _seal(root: Path, kind: Kind, zone: str, files: dict[str, bytes], *parents: str, **terms: Any) -> str:
    with _shelf(root).staging() as folder:
        for name, content in files.items():
            (folder / name).write_bytes(content)
        key, ends = SigningKey.load(root / "keys", zone), TODAY + timedelta(days=60)
        return _shelf(root).put(folder, kind, parents=parents, terms=terms, expires_on=ends, by=_BY, key=key).id


def _sample(rows: int, seed: int) -> tuple[Any, Any]:
    random = np.random.default_rng(seed)
    features = random.normal(size=(rows, FEATURES))
    risk = features[:, :12].sum(axis=1) / 3
    return features, (random.random(rows) < 1 / (1 + np.exp(2.5 - risk))).astype(np.int64)


def _version(seed: int) -> dict[str, bytes]:
    features, labels = _sample(20_000, seed)
    booster = train_booster(features, labels, NAMES, [0] * FEATURES, Recipe(LEAVES, 0.02, TREES, 40, seed))
    scorecard = {
        "model": "bench", "title": "bench",
        "features": [{"name": name, "title": f"指标{name}", "direction": 0,
                      "reason": {"zh": f"{name}的取值与违约关系", "en": f"how {name} bears on it"}} for name in NAMES],
        "calibration": {"slope": 1.0, "intercept": 0.0}, "grades": GRADES, "rules": [],
        "scale": {"points": 760, "odds": 30, "double_odds": 40, "minimum": 0, "maximum": 1000},
    }  # fmt: skip
    return {
        "model.txt": without_settings(booster.model_to_string()).encode(),
        "version.json": json.dumps(scorecard).encode(),
    }


def _snapshot(scorer: Scorer, keys: list[bytes], features: Any) -> dict[str, bytes]:
    scores = scorer.score(features)
    kind = [("probability", "f8"), ("points", "f8"), ("base_points", "f8"), ("contributions", "f8", (FEATURES,)),
            ("grade", "i1")]  # fmt: skip
    answers = np.zeros(len(features), dtype=kind)
    answers["probability"], answers["points"] = scores.probability, scores.points
    answers["base_points"], answers["contributions"] = scores.base_points, scores.point_contributions
    answers["grade"] = [[name for name, _ in GRADES].index(grade) for grade in scores.grades]
    again = np.arange(len(keys)) % SUBJECTS
    features, answers = features[again], answers[again]
    files = {SUBJECTS_FILE: b"".join(keys)}
    for name, array in ((FEATURES_FILE, features), (ANSWERS_FILE, answers)):
        np.save(stream := BytesIO(), array)
        files[name] = stream.getvalue()
    return files
