"""A small true world for the service: keys, a shelf with trained versions and their snapshots, banks and mandates."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from credit.actor import Actor
from credit.canonical import digest, digest_json
from credit.keys import KeyRing, SigningKey, create_secret, load_secret
from credit.ledger import Ledger
from credit.seal import Kind
from credit.shelf import Shelf
from credit.subjects import PseudonymKey
from credit.uscc import compose
from models.boosting.booster import model_text_of, train_booster
from models.boosting.recipe import Recipe
from models.calibration.platt import fit_platt
from models.scoring.scorer import Scorer
from models.scoring.snapshot_layout import ANSWERS_FILE, FEATURES_FILE, SUBJECTS_FILE
from serving.audit.journal import Journal
from serving.auth.access_database import AccessDatabase
from serving.auth.mandates import Mandate, grant
from serving.settings import ServiceSettings

AS_OF = date(2026, 11, 1)
TODAY = date(2026, 11, 20)
ZONES = ("custody", "research", "compute", "platform", "service")
PLATFORM, ENGINEER = Actor.parse("platform:wang"), Actor.parse("platform:li")
PREFIXES = {"enterprise": "91", "individual_business": "92"}
FEATURES = ("penalties_12m", "arrears_months", "honours", "age_years")
FEATURE_TABLES = {"penalties_12m": ["administrative_penalty"], "honours": ["administrative_licence"],
                  "arrears_months": ["contract_performance"], "age_years": ["registration"]}  # fmt: skip
BANK_FEATURES = ["age_years", "honours", "penalties_12m"]  # what a bank may state; arrears come from public records
DIRECTIONS = (1, 1, -1, -1)
GRADES = [["A", 800], ["A-", 780], ["B+", 760], ["B", 730], ["B-", 700], ["C+", 660], ["C", 620], ["C-", 560], ["D", 0]]
PURPOSE = "credit_granting"


def codes(model: str, count: int) -> list[str]:
    """Invented codes with both checks right."""
    return [compose(PREFIXES[model], "120116", f"MA{number:06d}").code for number in range(count)]


def card(model: str, slope: float, intercept: float) -> dict[str, Any]:
    """What version.json holds."""
    return {
        "model": model, "title": model, "subject_kind": model,
        "features": [
            {"name": name, "title": f"指标{name}", "direction": sign, "reason": {"zh": f"因{name}", "en": f"by {name}"}}
            for name, sign in zip(FEATURES, DIRECTIONS, strict=True)
        ],
        "calibration": {"slope": slope, "intercept": intercept},
        "scale": {"points": 760, "odds": 30, "double_odds": 40, "minimum": 0, "maximum": 1000},
        "grades": GRADES,
        "rules": [
            {"feature": "penalties_12m", "at_least": 6, "grade": "D", "reason": {"zh": "处罚多", "en": "penalties"}}
        ],
    }  # fmt: skip


@dataclass(frozen=True, slots=True)
class World:
    """Everything under one folder."""

    root: Path

    @property
    def ring(self) -> KeyRing:
        return KeyRing.load(self.root / "ring")

    @property
    def shelf(self) -> Shelf:
        return Shelf(self.root / "shelf", self.ring)

    @property
    def pseudonyms(self) -> PseudonymKey:
        return PseudonymKey("scoring", load_secret(self.root / "keys" / "pseudonym-scoring.key"))

    @property
    def journal(self) -> Journal:
        return Journal(self.root / "ledger.jsonl", self.key("service"), self.ring)

    @property
    def ledger(self) -> Ledger:
        return Ledger(self.root / "ledger.jsonl", self.key("service"), self.ring)

    def key(self, zone: str) -> SigningKey:
        return SigningKey.load(self.root / "keys", zone)

    def settings(self, **more: Any) -> ServiceSettings:
        values = {
            "shelf": self.root / "shelf", "keys": self.root / "keys", "ring": self.root / "ring",
            "ledger": self.root / "ledger.jsonl", "access": self.root / "access.db", "today": TODAY,
            "watch_seconds": 0.1, "issuer": "http://testserver",
        }  # fmt: skip
        return ServiceSettings(**{**values, **more})

    def create(self) -> None:
        """Keys and the ring."""
        (self.root / "ring").mkdir(parents=True)
        (self.root / "keys").mkdir()
        for zone in ZONES:
            key = SigningKey.create(self.root / "keys", zone)
            (self.root / "ring" / f"{zone}.pem").write_bytes(key.public_pem())
        for purpose in ("scoring", "inquiry"):
            create_secret(self.root / "keys" / f"pseudonym-{purpose}.key")

    def seal(self, kind: Kind, zone: str, files: dict[str, bytes], parents: tuple[str, ...] = (), **terms: Any) -> str:
        ends = AS_OF + timedelta(days=60)
        with self.shelf.staging() as folder:
            for name, content in files.items():
                (folder / name).write_bytes(content)
            return self.shelf.put(
                folder, kind, parents=parents, terms=terms, expires_on=ends, by=ENGINEER, key=self.key(zone)
            ).id

    def version(self, model: str, seed: int) -> str:
        """Train a small model and seal it as a version."""
        features, labels = sample(3000, seed)
        recipe = Recipe(leaves=6, rate=0.1, rounds=30, minimum_leaf=40, seed=seed)
        booster = train_booster(features, labels, FEATURES, DIRECTIONS, recipe)
        platt = fit_platt(labels, np.asarray(booster.predict(features, raw_score=True)))
        declaration = card(model, platt.slope, platt.intercept)
        files = {
            "model.txt": model_text_of(booster).encode(),
            "version.json": json.dumps(declaration, ensure_ascii=False).encode(),
        }
        order = self.seal(Kind.ORDER, "research", {"order.json": b"{}"}, model=model, seed=seed)
        return self.seal(Kind.VERSION, "compute", files, (order,), model=model)

    def snapshot(
        self, model: str, version: str, count: int, *, as_of: date = AS_OF, seed: int = 1, **terms: Any
    ) -> str:
        """Score `count` subjects and seal the snapshot."""
        release = self.seal(Kind.RELEASE, "custody", {"rows": b"none"}, purpose="scoring", as_of=str(as_of))
        keys, rows = self.sorted_keys(model, count)
        features = sample(count, seed)[0][rows]
        write_snapshot(folder := self.root / "made", self.shelf.open(version).path, keys, features)
        files = {path.name: path.read_bytes() for path in folder.iterdir()}
        return self.seal(
            Kind.SNAPSHOT, "compute", files, (version, release),
            model=model, version=version, as_of=str(as_of), subjects=count, features=list(FEATURES),
            behind=FEATURE_TABLES, **{"bank_features": BANK_FEATURES, **terms},
        )  # fmt: skip

    def sorted_keys(self, model: str, count: int) -> tuple[list[bytes], list[int]]:
        """The subjects in a snapshot's order, which is another in every world, and of which code each is the key."""
        pairs = sorted((self.pseudonyms.key_of(code).raw, number) for number, code in enumerate(codes(model, count)))
        return [key for key, _ in pairs], [number for _, number in pairs]

    def promote(self, model: str, version: str, key: SigningKey | None = None) -> None:
        pointer = {
            "model": model,
            "version": version,
            "verdict": digest_json({}),
            "by": str(PLATFORM),
            "at": str(TODAY),
        }
        self.shelf.set_pointer(f"champion-{model}", pointer, key or self.key("platform"))

    def show(self, model: str, version: str, snapshot: str, key: SigningKey | None = None) -> None:
        pointer = {"model": model, "snapshot": snapshot, "version": version, "as_of": str(AS_OF)}
        self.shelf.set_pointer(f"snapshot-{model}", pointer, key or self.key("platform"))

    def grant(self, bank: str, code: str, **more: Any) -> Mandate:
        """A mandate in force on TODAY, except for the fields given."""
        values: dict[str, Any] = {
            "bank": bank, "subject": self.pseudonyms.key_of(code), "purpose": PURPOSE,
            "document": digest(b"a signed paper"),
            "valid_from": TODAY - timedelta(days=10), "valid_until": TODAY + timedelta(days=10),
        }  # fmt: skip
        access = AccessDatabase(self.root / "access.db")
        try:
            return grant(access, by=PLATFORM, key=self.key("platform"), ledger=self.ledger, **(values | more))
        finally:
            access.close()


def sample(rows: int, seed: int) -> tuple[Any, Any]:
    """Features (n, F) and labels (n,) where good and bad differ for a cause; every eleventh value of one is missing."""
    random = np.random.default_rng(seed)
    risk = random.normal(size=rows)
    features = np.column_stack([
        random.poisson(np.exp(risk * 0.8 - 0.5)), random.poisson(np.exp(risk * 0.5)),
        random.poisson(np.exp(-risk * 0.5 - 1)), np.round(random.gamma(3, 2, size=rows), 2),
    ]).astype(np.float64)  # fmt: skip
    features[::11, 3] = np.nan
    labels = (random.random(rows) < 1 / (1 + np.exp(2.5 - 1.4 * risk))).astype(np.int64)
    return features, labels


def write_snapshot(folder: Path, version: Path, keys: list[bytes], features: Any) -> None:
    """The three files of a snapshot in the contract's form."""
    scores = Scorer.load(version).score(features)
    answers = np.zeros(len(keys), dtype=[
        ("probability", "f8"), ("points", "f8"), ("base_points", "f8"), ("contributions", "f8", (features.shape[1],)),
        ("grade", "i1"),
    ])  # fmt: skip
    answers["probability"], answers["points"] = scores.probability, scores.points
    answers["base_points"], answers["contributions"] = scores.base_points, scores.point_contributions
    answers["grade"] = [[name for name, _ in GRADES].index(grade) for grade in scores.grades]
    folder.mkdir(exist_ok=True)
    (folder / SUBJECTS_FILE).write_bytes(b"".join(keys))
    np.save(folder / FEATURES_FILE, features)
    np.save(folder / ANSWERS_FILE, answers)
