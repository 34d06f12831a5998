"""Measure and draw what each part of a whole answer costs the processor: by code, and with features that the bank
supplies.

The parts are measured in the service's own objects; what a whole answer costs is measured on a service under load, and
the difference is the sockets, the event loop, the disk's thread, and caches that other work has filled.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

from bench.processor_cost import RUNS, cost_us
from bench.record import record
from bench.service import http_speed, live_score_cost, load_generator
from bench.service.http_speed import DATA, world
from bench.service.service_world import BANK, PURPOSE, TODAY
from bench.stacked_bars import stacked
from credit.uscc import Uscc
from serving.app.wiring import open_service
from serving.auth.token_requests import TokenRequest
from serving.auth.tokens import RequestCredentials
from serving.core.request import ANSWERED, SERVICE, RequestContext
from serving.responses.json_fragments import JsonFragments
from serving.responses.request_schemas import read_score_request
from serving.responses.response_templates import ResponseTemplate
from serving.responses.score_values import stored_values
from serving.settings import ServiceSettings

Value = TypeVar("Value")
TIMES, BATCH = 2_000, 16
PICTURE = Path("var/bench/door-cost.svg")
_REST = "sockets, loop, cold caches"


def http_cost_us() -> None:
    """One line a part, and the stacked bars."""
    code = _parts()
    kept = {name: code[name] for name in ("authentication", "mandate", "look_up", "signature", "ledger")}
    kept["quota and the rest of a call"] = code["all_but_signature_and_ledger"] - sum(
        code[name] for name in ("parse", "authentication", "mandate", "look_up", "answer")
    )
    with_features = live_score_cost.parts()
    bars = {
        "by code": {"parse": code["parse"], **kept, "words and digest": code["answer"]},
        "features brought": {
            "parse": with_features["read"] + code["parse"],
            **kept,
            "score and reasons": with_features["row"] + with_features["numbers_of_8"],
            "words and digest": with_features["answer"] + with_features["commitment"],
        },
    }
    with http_speed._server("serving") as (port, pid):
        for name, requests in (
            ("by code", http_speed.score_requests(port)),
            ("features brought", http_speed.live_score_requests(port)),
        ):
            load_generator.run(port, requests, BATCH, 5.0)
            whole = http_speed._middle(http_speed._costed(port, pid, requests)[1] for _ in range(RUNS))
            record("http_cost_us", whole, "us", data=DATA, more={"part": f"a whole answer, {name}", "runs": RUNS})
            bars[name][_REST] = max(0.0, whole - sum(bars[name].values()))
    PICTURE.write_text(stacked("Processor time of one whole answer, in us", bars), "utf-8")
    print(f"drawn in {PICTURE}", flush=True)


def _parts() -> dict[str, float]:
    """One line a part; `first` is the part's cost for a token, mandate or subject not seen lately."""
    site, root = world(), world().root
    settings = ServiceSettings(
        root / "shelf", root / "keys", root / "ring", root / "cost.jsonl", root / "access.db", "bench", today=TODAY
    )
    service = open_service(settings)
    service.snapshots.refresh()
    token = service.tokens.issue(TokenRequest(BANK, site.secret, frozenset()))["access_token"]
    bodies = [json.dumps({"uscc": c, "purpose": PURPOSE, "mandate": m}).encode() for c, m in site.score_requests]
    subjects = [service.pseudonyms.key_of(code) for code, _ in site.score_requests]
    snapshot = service.snapshots.for_model("bench", TODAY)
    rows = [snapshot.row_of(subject) or 0 for subject in subjects]
    call, credentials = RequestContext(), RequestCredentials("POST", "/v1/scores", f"Bearer {token}")
    _now(service.admit(call, credentials, "score"))
    filled = service.prepare_answer(call, read_score_request(bodies[0]))
    whole, acts = filled.whole(entry="e" * 64, seq=1), [(ANSWERED, call.id, call.by, dict(call.details))] * BATCH

    together: list[str] = []

    def parse(n: int) -> object:
        return service.pseudonyms.key_of(Uscc.parse(read_score_request(bodies[n]).uscc).code)

    def authentication(n: int) -> object:
        return _now(service.tokens.admit(credentials))

    def mandate(n: int) -> object:
        return service.gate.require(
            site.score_requests[n][1], bank=BANK, subject=subjects[n], purpose=PURPOSE, day=TODAY, judge=SERVICE
        )

    def look_up(n: int) -> object:
        return snapshot.row_of(subjects[n])

    def answer(n: int) -> object:
        template = service.templates.of(snapshot, rows[n])
        filled = template.fill(uscc=site.score_requests[n][0], mandate=site.score_requests[n][1], purpose=PURPOSE,
        score_id=call.id,
                            valid_until="2026-12-01")  # fmt: skip
        return filled.whole(entry="e" * 64, seq=n)

    def signature(n: int) -> object:
        together.append("d" * 64)  # which is reckoned with the answer
        if n % BATCH:
            return None
        signed = service.signer.sign_digests(together)
        together.clear()
        return signed

    def ledger(n: int) -> object:
        return service.journal.append_many(acts) if n % BATCH == 0 else None

    def all_but_signature_and_ledger(n: int) -> object:
        own = RequestContext()
        _now(service.admit(own, credentials, "score"))
        return service.prepare_answer(own, read_score_request(bodies[n]))

    words = JsonFragments.of(snapshot)
    first: dict[str, Callable[[int], object]] = {
        "authentication": lambda n: service.tokens._verify(f"Bearer {token}"),
        "mandate": lambda n: service.gate._judge(
            site.score_requests[n][1], bank=BANK, subject=subjects[n], purpose=PURPOSE, day=TODAY, judge=SERVICE
        ),
        "answer": lambda n: ResponseTemplate.of(words, stored_values(snapshot, rows[n])),
    }
    costs: dict[str, float] = {}
    for part in (parse, authentication, mandate, look_up, answer, signature, ledger, all_but_signature_and_ledger):
        more: dict[str, object] = {"part": part.__name__, "runs": RUNS, "bytes": len(whole)}
        if part.__name__ in first:
            more["first_us"] = round(cost_us(first[part.__name__], 200), 1)
        costs[part.__name__] = cost_us(part, TIMES)
        record("http_cost_us", costs[part.__name__], "us", data=DATA, more=more)
    service.ledger_writer.close()
    return costs


def _now(admission: Coroutine[Any, Any, Value]) -> Value:
    """The value of what waits for nothing."""
    try:
        admission.send(None)
    except StopIteration as done:
        value: Value = done.value
        return value
    raise AssertionError("it waited")
