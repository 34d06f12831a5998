"""A real small home whose service answers: a city in custody, releases, a version trained on it, snapshot, public
evaluation, dossiers."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from credit.actor import Actor
from credit.canonical import digest
from credit.catalogue import Catalogue
from credit.files import write_atomically
from credit.keys import load_secret
from credit.seal import Kind, Seal
from credit.subjects import PseudonymKey
from infra.desk.city_marking import mark_invented
from infra.home import Home
from lab.order_placement import place_order
from models.dataset.sample import build_sample
from models.distributed.ray_cluster import in_process
from models.evaluation.build import make_evaluation
from models.evaluation.shipped import evaluation_of
from models.order.order import Order, load_declaration
from models.registry import version
from models.scoring.scorer import Scorer
from models.scoring.snapshot_layout import FEATURES_FILE, SUBJECTS_FILE
from models.snapshots.build import make_snapshot
from models.snapshots.credit_files import make_dossiers
from models.snapshots.pointers import point_dossiers, point_snapshot
from models.training.fit import fit
from privacy import city
from privacy.intake.intake import intake
from privacy.release.policy import Policy
from privacy.release.release import release
from privacy.vault import Vault
from serving.auth.access_database import AccessDatabase
from serving.auth.clients import RateLimit
from serving.auth.mandates import grant

DAY, BANK, PURPOSE, MODEL = date(2026, 11, 1), "harbour-bank", "credit_granting", "enterprise"
CITY, PLATFORM, ALICE = (Actor.parse(name) for name in ("city:chen", "platform:petra", "researcher:alice"))
SUBJECTS = 1_400
DECLARED = Path(__file__).parents[2] / "models" / "declarations"


@dataclass(frozen=True, slots=True)
class RepairHome:
    """The home, the bank's secret, a mandate by code, and documents that may be repaired, by their subject's code."""

    home: Home
    secret: str
    mandates: Mapping[str, str]
    documents: Mapping[str, str]

    @property
    def vault(self) -> Vault:
        return Vault(self.home.root / "raw", load_secret(self.home.keys("custody") / "raw.key"))

    def key(self, purpose: str) -> PseudonymKey:
        return PseudonymKey(purpose, load_secret(self.home.keys("custody") / f"pseudonym-{purpose}.key"))

    def pointed(self, name: str = MODEL) -> str:
        pointer = self.home.shelf.pointer(f"snapshot-{name}", {"platform"})
        assert pointer is not None
        return str(pointer["snapshot"])

    def features(self, code: str) -> dict[str, float]:
        """What the snapshot in use says of a subject."""
        opened = self.home.shelf.open(self.pointed(), deep=False)
        return features_of(opened.path, opened.seal, self.key("scoring").key_of(code).raw)


def copied(source: RepairHome, root: Path) -> RepairHome:
    """The same home elsewhere, to be changed."""
    shutil.copytree(source.home.root, root / "home")
    return RepairHome(Home(root / "home"), source.secret, source.mandates, source.documents)


def features_of(place_order: Path, seal: Seal, key: bytes) -> dict[str, float]:
    keys = (place_order / SUBJECTS_FILE).read_bytes()
    row = [keys[at : at + 16] for at in range(0, len(keys), 16)].index(key)
    return dict(zip(seal.terms["features"], np.load(place_order / FEATURES_FILE)[row].tolist(), strict=True))


def released(home: Home, purpose: str) -> Seal:
    keys = home.keys("custody")
    return release(
        purpose=purpose,
        catalogue=Catalogue.load("city"),
        vault=Vault(home.root / "raw", load_secret(keys / "raw.key")),
        policy=Policy.load(),
        shelf=home.shelf,
        key=home.key("custody"),
        pseudonym_key=PseudonymKey(purpose, load_secret(keys / f"pseudonym-{purpose}.key")),
        ledger=home.ledger("custody", writing=True),
        by=PLATFORM,
        as_of=DAY,
        invented=True,
    )


def make(root: Path) -> RepairHome:
    """Make it: some seven seconds."""
    home, known = Home(root), Catalogue.load("city")
    for purpose in ("research", "scoring"):  # with some secrets so few rows make a model that does not rank
        secret = home.keys("custody") / f"pseudonym-{purpose}.key"
        write_atomically(secret, purpose.ljust(32).encode(), mode=0o600)
    home.ensure_keys()
    built = city.build(root / "city", subjects=SUBJECTS, seed=7, today=DAY)
    assert mark_invented(home, [root / "city" / name for name in built.files])
    vault = Vault(root / "raw", load_secret(home.keys("custody") / "raw.key"))
    intake(root / "city", catalogue=known, vault=vault, ledger=home.ledger("custody", writing=True), by=CITY, today=DAY)
    research, scoring, inquiry = (home.shelf.open(released(home, p).id) for p in ("research", "scoring", "inquiry"))
    declaration = load_declaration(DECLARED / f"{MODEL}.yaml").as_json()
    training = declaration["training"] | {"trials": 1, "minimum_leaf": 20, "space": {"rounds": [40, 100]}}
    order = Order.parse(
        declaration | {"training": training, "split": declaration["split"] | {"folds": 2}}
    )  # what it says is no matter
    who: dict[str, Any] = {"shelf": home.shelf, "today": DAY}
    placed = place_order(order, release=research, key=home.key("research"), by=ALICE,
                   ledger=home.ledger("research", writing=True), **who)  # fmt: skip
    sample = build_sample(order, research)
    fitted = fit(order.as_json(), sample, in_process(), order=placed.id, release=research.seal.id)
    with home.shelf.staging() as folder:
        version.write_version(folder, text=fitted.text, scorecard=fitted.scorecard, sql=order.sql,
                      features=sample.features,
                      evidence=fitted.evidence, leaves=fitted.leaves)  # fmt: skip
        terms = {"model": MODEL, "release": research.seal.id, "subject_kind": "enterprise"}
        made = home.shelf.put(folder, Kind.VERSION, parents=(placed.id,), terms=terms, by=ALICE,
                              expires_on=DAY + timedelta(days=365), key=home.key("compute"))  # fmt: skip
    home.shelf.set_pointer(f"champion-{MODEL}", {"model": MODEL, "version": made.id}, home.key("platform"))
    opened = home.shelf.open(made.id)
    shared: dict[str, Any] = {"key": home.key("compute"), "by": PLATFORM, **who,
                              "ledger": home.ledger("compute", writing=True)}  # fmt: skip
    shot = make_snapshot(version=opened, release=scoring, scorer=Scorer.load(opened.path), as_of=DAY, **shared)
    point_snapshot(home.shelf, shot, key=home.key("platform"))
    evaluated = make_evaluation(evaluation_of(MODEL), release=scoring, as_of=DAY, **shared)
    point_snapshot(home.shelf, evaluated, key=home.key("platform"))
    point_dossiers(home.shelf, make_dossiers(release=inquiry, **shared), key=home.key("platform"))
    return _add_bank(home, root, vault)


def _add_bank(home: Home, root: Path, vault: Vault) -> RepairHome:
    """Add the bank, and mandates of firms that have a penalty which may be repaired and is in the answers."""
    repaired = set(vault.read("credit_repair", ["document_number"]).column(0).to_pylist())
    penalties = vault.read("administrative_penalty").to_pylist()
    good = {
        row["subject_code"]: row["document_number"] for row in penalties
        if row["severity"] == "general" and row["record_state"] == "normal" and row["subject_code"].startswith("91")
        and row["document_number"] not in repaired and date(2025, 1, 1) < row["decided_on"] < date(2026, 7, 1)
        and row["use_scope"] == "公示" and row["published_until"] > DAY and row["reached_on"] <= DAY
    }  # fmt: skip
    access = AccessDatabase(root / "service" / "access.db")
    secret = access.add_client(BANK)
    access.set_limit(BANK, RateLimit(1e6, 1e6))
    key = PseudonymKey("scoring", load_secret(home.keys("custody") / "pseudonym-scoring.key"))
    opened = home.shelf.open(str((home.shelf.pointer(f"snapshot-{MODEL}", {"platform"}) or {})["snapshot"]), deep=False)
    subject_keys = (opened.path / SUBJECTS_FILE).read_bytes()
    active = {subject_keys[at : at + 16] for at in range(0, len(subject_keys), 16)}
    documents = {code: number for code, number in sorted(good.items()) if key.key_of(code).raw in active}
    others = [json.loads((root / "city" / "city.json").read_text())["examples"]["good_enterprise"]["code"]]
    mandates = {
        code: grant(
            access, bank=BANK, subject=key.key_of(code), purpose=PURPOSE, document=digest(b"a signed paper"),
            valid_from=DAY - timedelta(days=1), valid_until=DAY + timedelta(days=30), by=PLATFORM,
            key=home.key("platform"), ledger=home.ledger("platform", writing=True),
        ).id
        for code in [*documents, *others]
    }  # fmt: skip
    access.close()
    return RepairHome(home, secret, mandates, documents)
