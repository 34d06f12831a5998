"""One request to each POST of the bank's API, for tests of idempotency."""

from __future__ import annotations

import base64
import subprocess
import sys
from typing import Any, NamedTuple

from serving_credit_files import FIRM
from serving_world import PURPOSE, TODAY

from serving.auth.mandates import SPECIAL_REPORT
from serving.responses.job_columns import CSV, INPUT_COLUMNS
from serving.store.store import statement

AFTER = "post_loan_management"
LISTS = ("double-publicity", "licences", "penalties", "coercion", "red-list", "black-list", "abnormal", "judgments",
         "commitments", "contracts", "taxes", "dues", "registration", "repairs", "evaluation")  # fmt: skip
DEAD = (
    "import sys; from pathlib import Path; from serving.store.store import open_store;"
    "place = sys.argv[1]; print(open_store(place if ':' in place else Path(place)).me)"
)


class PostRequest(NamedTuple):
    """A request, the verb of its ledger entry, and another request to the same path (None where there is no body)."""

    path: str
    verb: str
    sent: dict[str, Any]
    other: dict[str, Any] | None
    bank: str = "bohai"


def post_requests(running: Any, receiver: Any) -> dict[str, PostRequest]:
    """The requests by declared path. Webhooks go to the receiver."""
    world = running.world
    mandate, watching = world.grant("bohai", FIRM).id, world.grant("bohai", FIRM, purpose=AFTER).id
    score_request = {"uscc": FIRM, "purpose": PURPOSE, "mandate": mandate}
    score = running.score(FIRM, mandate).json()["score_id"]
    bearer = {"Authorization": f"Bearer {running.token()}"}
    assert running.http.put("/v1/webhook", json={"url": receiver.url}, headers=bearer).status_code == 200
    watch = {"uscc": FIRM, "purpose": AFTER, "mandate": watching}
    objection = {"score_id": score, "kind": "explanation", "statement": "为什么"}
    head, line = ",".join(INPUT_COLUMNS), f"{FIRM},{PURPOSE},{mandate}"
    application = {"uscc": FIRM, "purpose": PURPOSE, "until": "2027-01-31", "evidence": "document",
                   "content": base64.b64encode("兹授权".encode()).decode()}  # fmt: skip
    permitted = world.grant("bohai", FIRM, purpose=SPECIAL_REPORT).id
    special = {"uscc": FIRM, "mandate": permitted, "first_year": 2026, "last_year": 2026}
    matter = {"uscc": FIRM, "matter": "SSJ-2026-0117"}
    granted = {**watch, "loan": "L-1", "event": "granted", "happened_on": TODAY.isoformat()}
    requests = [
        _json("/v1/scores", "score.answered", score_request, uscc="x"),
        _json(
            "/v1/scores/live",
            "score.live",
            {**score_request, "features": {"age_years": 2.0}, "kind": "what_if"},
            kind="fused",
        ),
        _json(
            "/v1/scores/batch",
            "score.answered",
            {"asks": [score_request, score_request, {**score_request, "uscc": "9"}]},
            asks=[score_request],
        ),
        _json(
            "/v1/verifications", "verification.answered", {**score_request, "question": "points_within"}, question="x"
        ),
        _json("/v1/objections", "objection.asked", objection, statement="?"),
        _json("/v1/reports/special", "special-report.answered", special, first_year=2025),
        _json("/v1/scores/facts", "facts.answered", {"uscc": FIRM, "score_id": score}, score_id="x"),
        _json("/v1/evaluations", "supervision.answered", matter, matter="x")._replace(bank="scjgj"),
        _json("/v1/watches", "watch.opened", watch, kinds=["penalty"]),
        _json("/v1/outcomes", "outcomes.received", {"outcomes": [granted]}, outcomes=[{**granted, "loan": "L-2"}]),
        _json("/v1/mandates", "application.requested", application, evidence="page", content=""),
        _json(
            "/v1/mandates/batch",
            "application.requested",
            {"applications": [application, {**application, "uscc": "9"}]},
            applications=[application],
        ),
        PostRequest("/v1/webhook/trial", "webhook.tried", {}, None),
        PostRequest("/v1/jobs", "job.sent", _csv(head, line), _csv(head, line, line)),
        *(_json(f"/v1/queries/{name}", "query.answered", score_request, page=2) for name in LISTS),
    ]
    return {each.path: each for each in requests}


def _json(path: str, verb: str, body: dict[str, Any], **other: Any) -> PostRequest:
    return PostRequest(path, verb, {"json": body}, {"json": {**body, **other}})


def _csv(*lines: str) -> dict[str, Any]:
    return {"content": "\n".join(lines).encode(), "headers": {"Content-Type": CSV}}


def send(running: Any, request: PostRequest, key: str | bytes | None, sent: Any = None, bank: str = "") -> Any:
    """Send the request, or the options in `sent` instead, under an idempotency key."""
    sent = request.sent if sent is None else sent
    headers: dict[str, Any] = {
        "Authorization": f"Bearer {running.token(bank or request.bank)}",
        **sent.get("headers", {}),
    }
    if key is not None:
        headers["Idempotency-Key"] = key
    return running.http.post(request.path, **{**sent, "headers": headers})


def simulate_kill(running: Any, **changes: Any) -> None:
    """Leave the rows as a process leaves them that was killed after the act and before it stored the answer."""
    store = running.http.app.service.store
    place = str(running.world.settings().store_place)
    owner = subprocess.run([sys.executable, "-c", DEAD, place], capture_output=True, text=True, check=True).stdout
    changed = "".join(f", {name} = ?" for name in changes)
    counts = [
        len(store.run(statement(f"UPDATE {table} SET body = NULL, receipt = NULL, owner = ?{changed} RETURNING id",
                                int(owner), *changes.values())))
        for table in ("answered", "made")
    ]  # fmt: skip
    assert sum(counts) == 1
