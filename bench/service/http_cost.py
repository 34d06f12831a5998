"""What each part of a whole answer costs the processor, and a picture of it: by code, and with features brought along.

The parts are measured in the service's own objects; what a whole answer costs is measured on a service under load, and
what the parts do not tell of it is the sockets, the event loop, the disk's thread, and caches that others used before.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from bench.processor_cost import RUNS, cost_us
from bench.record import record
from bench.service import http_speed, live_score_cost, load_generator
from bench.service.http_speed import DATA, world
from bench.service.service_world import BANK, PURPOSE, TODAY
from bench.stacked_bars import stacked
from credit.uscc import Uscc
from serving.auth.token_requests import TokenRequest
from serving.auth.tokens import Asking
from serving.core.service import ANSWERED, SERVICE, Call
from serving.core.wiring import open_desk
from serving.responses.json_fragments import Words
from serving.responses.request_schemas import read_ask
from serving.responses.response_templates import Sheet
from serving.responses.score_values import stored
from serving.settings import ServiceSettings

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
        for name, requests in (("by code", http_speed.asks(port)), ("features brought", http_speed.live_asks(port))):
            load_generator.run(port, requests, BATCH, 5.0)
            whole = http_speed._middle(http_speed._costed(port, pid, requests)[1] for _ in range(RUNS))
            record("http_cost_us", whole, "us", data=DATA, more={"part": f"a whole answer, {name}", "runs": RUNS})
            bars[name][_REST] = max(0.0, whole - sum(bars[name].values()))
    PICTURE.write_text(stacked("Processor time of one whole answer, in us", bars), "utf-8")
    print(f"drawn in {PICTURE}", flush=True)


def _parts() -> dict[str, float]:
    """One line a part; `first` is the part's cost for a token, mandate or subject not seen lately."""
    told, root = world(), world().root
    settings = ServiceSettings(
        root / "shelf", root / "keys", root / "ring", root / "cost.jsonl", root / "access.db", "bench", today=TODAY
    )
    desk = open_desk(settings)
    desk.library.refresh()
    token = desk.tokens.issue(TokenRequest(BANK, told.secret, frozenset()))["access_token"]
    bodies = [json.dumps({"uscc": c, "purpose": PURPOSE, "mandate": m}).encode() for c, m in told.asks]
    subjects = [desk.pseudonyms.key_of(code) for code, _ in told.asks]
    book = desk.library.book("bench", TODAY)
    rows = [book.row_of(subject) or 0 for subject in subjects]
    call, asking = Call(), Asking("POST", "x", "/v1/scores", f"Bearer {token}")
    desk.admit(call, asking, "score")
    filled = desk.find(call, read_ask(bodies[0]))
    whole, acts = filled.whole(entry="e" * 64, seq=1), [(ANSWERED, call.id, call.by, dict(call.because))] * BATCH

    together: list[str] = []

    def parse(n: int) -> object:
        return desk.pseudonyms.key_of(Uscc.parse(read_ask(bodies[n]).uscc).code)

    def authentication(n: int) -> object:
        return desk.tokens.admit(asking)

    def mandate(n: int) -> object:
        return desk.gate.require(
            told.asks[n][1], bank=BANK, subject=subjects[n], purpose=PURPOSE, day=TODAY, judge=SERVICE
        )

    def look_up(n: int) -> object:
        return book.row_of(subjects[n])

    def answer(n: int) -> object:
        sheet = desk.sheets.of(book, rows[n])
        filled = sheet.fill(uscc=told.asks[n][0], mandate=told.asks[n][1], purpose=PURPOSE, score_id=call.id,
                            valid_until="2026-12-01")  # fmt: skip
        return filled.whole(entry="e" * 64, seq=n)

    def signature(n: int) -> object:
        together.append("d" * 64)  # which is reckoned with the answer
        if n % BATCH:
            return None
        signed = desk.signer.sign_digests(together)
        together.clear()
        return signed

    def ledger(n: int) -> object:
        return desk.journal.append_many(acts) if n % BATCH == 0 else None

    def all_but_signature_and_ledger(n: int) -> object:
        own = Call()
        desk.admit(own, asking, "score")
        return desk.find(own, read_ask(bodies[n]))

    words = Words.of(book)
    first: dict[str, Callable[[int], object]] = {
        "authentication": lambda n: desk.tokens._verify(f"Bearer {token}"),
        "mandate": lambda n: desk.gate._judge(
            told.asks[n][1], bank=BANK, subject=subjects[n], purpose=PURPOSE, day=TODAY, judge=SERVICE
        ),
        "answer": lambda n: Sheet.of(words, stored(book, rows[n])),
    }
    costs: dict[str, float] = {}
    for part in (parse, authentication, mandate, look_up, answer, signature, ledger, all_but_signature_and_ledger):
        more: dict[str, object] = {"part": part.__name__, "runs": RUNS, "bytes": len(whole)}
        if part.__name__ in first:
            more["first_us"] = round(cost_us(first[part.__name__], 200), 1)
        costs[part.__name__] = cost_us(part, TIMES)
        record("http_cost_us", costs[part.__name__], "us", data=DATA, more=more)
    desk.recorder.close()
    return costs
