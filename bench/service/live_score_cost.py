"""What each part of a live answer costs the processor, in the service's own objects, without HTTP, access, ledger."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np

from bench.processor_cost import RUNS, cost_us
from bench.record import record
from bench.service.http_speed import DATA, world
from bench.service.service_world import FEATURES, NAMES, PURPOSE
from credit.keys import KeyRing
from credit.shelf import Shelf
from models.scoring.scorer import Scorer
from serving.data.snapshot import open_snapshot, read_pointers
from serving.responses.live_schemas import read_live_request
from serving.responses.live_templates import LiveTemplate
from serving.responses.score_values import scored_values

TIMES, SALT = 480, "0f" * 16


def live_cost_us() -> None:
    """One line a part."""
    parts()


def parts() -> dict[str, float]:
    """The same, and their costs; `numbers` are score and reasons of one alone, `numbers_of_8` a row's part of eight."""
    site = world()
    shelf = Shelf(site.root / "shelf", KeyRing.load(site.root / "ring"))
    snapshot = open_snapshot(shelf, read_pointers(shelf, "bench"))
    scorer, template = Scorer.load(shelf.open(snapshot.version).path), LiveTemplate.of(snapshot)
    rows = np.round(np.random.default_rng(3).normal(size=(TIMES, FEATURES)), 4)
    words: dict[str, Any] = {
        "uscc": site.score_requests[0][0],
        "purpose": PURPOSE,
        "mandate": site.score_requests[0][1],
    }
    bodies = [json.dumps({**words, "features": dict(zip(NAMES, row.tolist(), strict=True))}).encode() for row in rows]
    supplied, answers = [read_live_request(body).features for body in bodies], scored_values(scorer, rows)
    named = template.layout(supplied[0])

    def fill(n: int) -> Any:
        return template.fill(answers[n], named, kind="fused", salt=SALT, commitment=SALT, score_id=SALT,
                          valid_until="2026-12-01", **words)  # fmt: skip

    acts: dict[str, Callable[[int], object]] = {
        "read": lambda n: read_live_request(bodies[n]),
        "row": lambda n: template.row(n, template.layout(supplied[n]), supplied[n]),
        "commitment": lambda n: named.commitment(supplied[n], SALT),
        "answer": fill,
        "numbers": lambda n: scored_values(scorer, rows[n : n + 1]),
        "numbers_of_8": lambda n: scored_values(scorer, rows[n : n + 8]) if n % 8 == 0 else None,
    }
    costs = {name: cost_us(act, TIMES) for name, act in acts.items()}
    others = sum(costs[name] for name in ("read", "row", "commitment", "answer"))
    costs |= {"all": others + costs["numbers"], "all_of_8": others + costs["numbers_of_8"]}
    for name, cost in costs.items():
        more = {"part": name, "runs": RUNS, "bytes": len(fill(0).whole(entry="e" * 64, seq=1))}
        record("live_cost_us", cost, "us", data=DATA, goal=170 if name == "all_of_8" else None, more=more)
    return costs
