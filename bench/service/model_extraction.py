"""How much of a model a bank copies with 250 live scores: the rank correlation of a copy with the model on others.

The attacker is the strongest that the bounds of a day allow: it knows every feature of every subject, has mandates for
as many subjects as 250 live scores need, varies all that it may state, and fits a copy to each answer's reasons
(`fused`) or to its points (`what_if`). The figure is the better of both copies on subjects that it did not score.
Beside it stand what as many ordinary scores of other subjects would have given it, which no bound on live scores
changes, and what answers in coarser steps would have left (docs/decisions/0019).
"""

from __future__ import annotations

import contextlib
import csv
import math
from collections.abc import Iterator
from dataclasses import fields
from datetime import timedelta
from secrets import token_hex
from typing import Any

import numpy as np
from fastapi.testclient import TestClient
from numpy.typing import NDArray
from sklearn.ensemble import GradientBoostingRegressor
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline

from bench.flows.demo_steps import OUT, SIZES, walk
from bench.record import record
from credit.actor import Actor
from credit.canonical import digest
from credit.errors import CreditError
from credit.keys import load_secret
from credit.subjects import PseudonymKey
from credit.uscc import Uscc
from infra.demo.invented_city import CITY_DAY
from infra.home import Home
from models.scoring.scorer import Scorer
from serving.app.create import create_app
from serving.auth.access_database import AccessDatabase
from serving.auth.clients import RateLimit
from serving.auth.mandates import grant
from serving.data.snapshot import ActiveSnapshot, open_snapshot, read_pointers
from serving.settings import ServiceSettings

CALLS, OTHERS, PURPOSE, STEPS = 250, 3000, "credit_granting", (10, 20, 40)
Matrix = NDArray[np.float64]


def extraction_spearman_250() -> None:
    """The rank correlation of the best copy, and of each kind of copy."""
    walk(SIZES[0])
    home = Home((OUT / f"road-{SIZES[0]}" / "home").resolve())
    snapshot = open_snapshot(home.shelf, read_pointers(home.shelf, "enterprise"))
    copies = {kind: _copied(home, snapshot, kind) for kind in ("fused", "what_if")}
    best = max(value for value, _ in copies.values())
    more = {
        "statable": len(snapshot.bank_features),
        "features": len(snapshot.scorecard.names),
        **{f"spearman_{kind}": round(value, 3) for kind, (value, _) in copies.items()},
        **{f"answered_{kind}": answered for kind, (_, answered) in copies.items()},
        **_alternatives(home, snapshot),
    }
    record("extraction_spearman_250", best, "rank correlation", goal=0.8, more=more)


def _copied(home: Home, snapshot: ActiveSnapshot, kind: str) -> tuple[float, int]:
    """The copy's correlation on other subjects, and how many calls were answered."""
    random = np.random.default_rng(7)
    rows = random.permutation(len(snapshot.answers))
    names = list(snapshot.scorecard.names)
    columns, per_subject = {name: column for column, name in enumerate(names)}, _bound_per_subject()
    requested = rows[: math.ceil(CALLS / per_subject)]
    features, reasons, points = [], [], []
    with _bank(home, snapshot, requested) as (http, codes, mandates, headers):
        for number in range(CALLS):
            row, code = int(requested[number // per_subject]), codes[number // per_subject]
            donor = snapshot.features[int(random.choice(rows))]
            stated = {name: _json(donor[columns[name]]) for name in sorted(snapshot.bank_features)}
            body = {"uscc": code, "purpose": PURPOSE, "mandate": mandates[code], "kind": kind, "features": stated}
            answer = http.post("/v1/scores/live", json=body, headers=headers)
            if answer.status_code != 200:
                continue
            sent = np.array(snapshot.features[row], dtype=np.float64)
            for name, value in stated.items():
                sent[columns[name]] = np.nan if value is None else value
            document = answer.json()
            given = {reason["code"]: reason.get("points", 0.0) for reason in document["reasons"]}
            features.append(sent)
            reasons.append([given.get(name, 0.0) for name in names])
            points.append(document["points"])
    known, others = np.array(features), rows[len(requested) : len(requested) + OTHERS]
    unseen, truth = np.asarray(snapshot.features[others], dtype=np.float64), snapshot.answers["points"][others]
    copies = [_fit(known, np.array(points), unseen)]
    if np.array(reasons).any():  # they have points
        copies.append(sum((_fit_one(known[:, c], np.array(reasons)[:, c], unseen[:, c]) for c in range(len(names))),
                          np.zeros(len(unseen))))  # fmt: skip
    return max(_spearman(copy, truth) for copy in copies), len(points)


def _alternatives(home: Home, snapshot: ActiveSnapshot) -> dict[str, float]:
    """The copies from ordinary scores, and from live ones in steps of points or by grade alone."""
    random = np.random.default_rng(7)
    rows, names = random.permutation(len(snapshot.answers)), list(snapshot.scorecard.names)
    stored, points = np.asarray(snapshot.features, dtype=np.float64), np.asarray(snapshot.answers["points"])
    others = rows[CALLS : CALLS + OTHERS]
    unseen, truth, scored = stored[others], points[others], rows[:CALLS]
    given = np.asarray(snapshot.answers["contributions"])[scored]
    by_reasons = sum(
        (_fit_one(stored[scored, c], given[:, c], unseen[:, c]) for c in range(len(names))), np.zeros(len(unseen))
    )
    columns = [names.index(name) for name in snapshot.bank_features]
    sent_rows = stored[scored[np.arange(CALLS) // _bound_per_subject()]].copy()
    sent_rows[:, columns] = stored[random.choice(rows, CALLS)][:, columns]
    scores = Scorer.load(home.shelf.open(snapshot.version, deep=False).path).score(sent_rows)
    live, order = np.asarray(scores.points), list(snapshot.scorecard.grades)
    graded = np.array([-float(order.index(grade)) for grade in scores.grades])
    steps = {f"live_in_steps_of_{step}": np.round(live / step) * step for step in STEPS}
    copies = {name: _fit(sent_rows, each, unseen) for name, each in (steps | {"live_grade_alone": graded}).items()}
    copies |= {"ordinary": _fit(stored[scored], points[scored], unseen), "ordinary_by_reasons": by_reasons}
    return {f"spearman_{name}": round(_spearman(copy, truth), 3) for name, copy in copies.items()}


def _bound_per_subject() -> int:
    return next(int(field.default) for field in fields(ServiceSettings) if field.name == "live_per_subject")  # type: ignore[arg-type]


def _fit(known: Matrix, points: Matrix, unseen: Matrix) -> Matrix:
    """A boosted copy of the points."""
    imputer = SimpleImputer(strategy="constant", fill_value=-1e9, keep_empty_features=True)
    model = make_pipeline(imputer, GradientBoostingRegressor(random_state=7, n_estimators=300, max_depth=3))
    copied: Matrix = model.fit(known, points).predict(unseen)
    return copied


def _fit_one(known: Matrix, contributions: Matrix, unseen: Matrix) -> Matrix:
    """What one feature adds, drawn as a line through what it was seen to add; a missing value adds its own mean."""
    missing = np.isnan(known)
    values, places = np.unique(known[~missing], return_inverse=True)
    drawn = np.zeros(len(unseen))
    if len(values):
        means = np.bincount(places, contributions[~missing]) / np.bincount(places)
        drawn = np.interp(np.nan_to_num(unseen), values, means)
    return np.where(np.isnan(unseen), contributions[missing].mean() if missing.any() else 0.0, drawn)


def _spearman(copy: Matrix, truth: Matrix) -> float:
    ranks = [np.argsort(np.argsort(each, kind="stable"), kind="stable") for each in (copy, truth)]
    return float(np.corrcoef(ranks[0], ranks[1])[0, 1])


def _json(value: float) -> float | None:
    return None if math.isnan(value) else float(value)


@contextlib.contextmanager
def _bank(home: Home, snapshot: ActiveSnapshot, rows: NDArray[np.int64]) -> Iterator[Any]:
    """The service of the home, the codes of the subjects in these rows, a bank's mandates for them, and its token."""
    settings = home.settings(ServiceSettings, "service", {"HAIHE_SERVICE_TODAY": CITY_DAY.isoformat()})
    subjects, codes = PseudonymKey("scoring", load_secret(settings.keys / "pseudonym-scoring.key")), dict[int, str]()
    wanted = set(map(int, rows))
    with (home.root / "city" / "registration.csv").open(encoding="utf-8") as file:
        for line in csv.DictReader(file):
            with contextlib.suppress(CreditError):  # some codes of the city are written wrongly
                row = snapshot.row_of(subjects.key_of(Uscc.parse(line["UNISCID"]).code))
                if row in wanted:
                    codes[row] = line["UNISCID"]
    access = AccessDatabase(settings.access)
    bank = f"copying-bank-{token_hex(4)}"  # one that has had no live score on this day
    secret = access.add_client(bank)
    access.set_limit(bank, RateLimit(1e4, 1e4))
    until = CITY_DAY + timedelta(days=30)
    mandates = {
        code: grant(access, bank=bank, subject=subjects.key_of(code), purpose=PURPOSE, document=digest(b"paper"),
                    valid_from=CITY_DAY, valid_until=until, by=Actor.parse("platform:bench"), key=home.key("platform"),
                    ledger=home.ledger("platform", writing=True)).id
        for code in codes.values()
    }  # fmt: skip
    access.close()
    with TestClient(create_app(settings)) as http:
        form = {"grant_type": "client_credentials"}
        token = http.post("/oauth2/token", data=form, auth=(bank, secret)).json()["access_token"]
        yield http, [codes[int(row)] for row in rows], mandates, {"Authorization": f"Bearer {token}"}
