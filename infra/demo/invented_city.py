"""The demonstration: the whole road once, on the invented city or on real tables, with a report at its end."""

from __future__ import annotations

import json
import shutil
import time
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from credit.errors import Broken
from infra import output, stack
from infra.demo import report
from infra.demo.cli_runner import Walk, walking

CITY_DAY = date(2026, 11, 1)  # the day it is in the invented city
MODELS = ("enterprise", "individual_business")
BANK = "harbour-bank"
PURPOSE = "credit_granting"
CLIENTS = (
    ("good_enterprise", "a good firm"),
    ("penalised_enterprise", "a firm with fresh penalties"),
    ("individual_business", "an individual business"),
)


def invented(out: Path, *, subjects: int, seed: int) -> None:
    """Build the city, walk the road for both models, score three clients, repair one penalty, draw the report."""
    shutil.rmtree(out, ignore_errors=True)
    with walking(out, invented=True) as walk:
        raw = walk.home.root / "city"
        walk.env |= {"HAIHE_TODAY": CITY_DAY.isoformat()}
        walk.step("keys", "keys")
        walk.step("city", "city", "--subjects", str(subjects), "--seed", str(seed), "--out", str(raw))
        bring_in(walk, raw, "city")
        dossiers(walk)
        with stack.mlflow_server(walk.home) as mlflow:
            walk.env["HAIHE_COMPUTE_MLFLOW_URI"] = mlflow
            train(walk, MODELS)
            for model in MODELS:
                promote(walk, model)
        # From here on neither Ray nor MLflow runs: the service stands on the shelf alone.
        examples = json.loads((raw / "city.json").read_text())["examples"]
        with walk.timed("serve"):
            serving = stack.scoring_service(walk.home, env={"HAIHE_SERVICE_TODAY": CITY_DAY.isoformat()})
            address = serving.__enter__()
        try:
            mandates = authorise(walk, {who: examples[who]["code"] for who, _ in CLIENTS})
            answers = {who: score(walk, who, examples[who]["code"], mandates[who], address) for who, _ in CLIENTS}
            after = repaired(walk, examples["penalised_enterprise"], mandates, address, answers)
            for who in ("penalised_enterprise", "individual_business"):
                paper = out / f"{who}.pdf"
                report_of(walk, who, examples[who]["code"], mandates[who], address, paper)
        finally:
            serving.__exit__(None, None, None)
        for who, words in CLIENTS:
            before = answers[who] if who == "penalised_enterprise" else None
            told = after if before else answers[who]
            walk.journey.scores.append({"title": words, "answer": told, **({"before": before} if before else {})})
        audit(walk, after["score_id"])
        finish(walk, out)


def bring_in(walk: Walk, raw: Path, catalogue: str) -> None:
    """Intake, then a release for each purpose."""
    found = walk.step("intake", "intake", str(raw), "--catalogue", catalogue)
    walk.journey.intake = {key: found[key] for key in ("rows", "kept", "duplicates", "quarantined", "reasons")}
    for purpose in ("research", "scoring"):
        made = walk.step(f"release {purpose}", "release", purpose, "--catalogue", catalogue)
        walk.journey.releases.append(made["release"])
        walk.journey.catalogue = f"{catalogue} {made['catalogue'][:16]}"


def dossiers(walk: Walk) -> None:
    """Public records for the service to answer queries and reports from."""
    walk.step("release inquiry", "release", "inquiry")
    walk.step("dossiers", "dossiers")


def report_of(walk: Walk, who: str, code: str, mandate: str, address: str, out: Path) -> None:
    """Get a subject's public credit report as the bank would, and check it offline."""
    words = ("report", code, "--as", str(_credentials(walk)), "--mandate", mandate, "--out", str(out), "--url", address)
    told = walk.step(f"report {who}", *words)
    walk.step(f"verify report {who}", "verify-report", told["file"], told["signature"])


def train(walk: Walk, models: tuple[str, ...]) -> None:
    """One Ray cluster trains all."""
    made = walk.step("train", "train", *models)
    for model, told in made.items():
        walk.journey.models[model] = {**told, "verdict": {"outcome": "not judged", "findings": []}}


def promote(walk: Walk, model: str, bear: tuple[int, ...] = ()) -> bool:
    """Ask, have somebody else judge, and make the snapshot for the service; False when the gate stays shut."""
    told = walk.journey.models[model]
    walk.step(f"register {model}", "register", told["version"])
    words = ("promote", told["version"], "--by", "platform:bob")
    told["verdict"] = walk.step(f"promote {model}", *words, bear=bear)["verdict"]
    passed = bool(told["verdict"]["outcome"] == "pass")
    if passed:
        snapshot(walk, model)
    return passed


def snapshot(walk: Walk, model: str) -> None:
    """A snapshot of the newest scoring release."""
    made = walk.step(f"snapshot {model}", "snapshot", model)
    walk.journey.models[model] |= {"snapshot": made["snapshot"], "shares": made["shares"]}


def authorise(walk: Walk, codes: dict[str, str], day: date = CITY_DAY) -> dict[str, str]:
    """Add a bank, and the mandate that each of these subjects gave it; mandate ids by subject."""
    walk.step("bank", "bank", BANK, "--save", str(_credentials(walk)))
    until = (day + timedelta(days=90)).isoformat()
    mandates = {}
    for who, code in codes.items():
        paper = walk.home.root / "mandates" / f"{who}.txt"
        paper.parent.mkdir(exist_ok=True)
        paper.write_text(f"{BANK} may ask for our score, for {PURPOSE}, until {until}. (invented)\n")
        words = ("mandate", BANK, code, "--purpose", PURPOSE, "--until", until, "--document", str(paper))
        mandates[who] = walk.step(f"mandate {who}", *words)["mandate"]
    return mandates


def score(walk: Walk, who: str, code: str, mandate: str, address: str) -> dict[str, Any]:
    """Ask as the bank would."""
    words = (
        "score",
        code,
        "--as",
        str(_credentials(walk)),
        "--mandate",
        mandate,
        "--purpose",
        PURPOSE,
        "--url",
        address,
    )
    answer = walk.step(f"score {who}", *words)
    output.answer(answer)
    return {key: value for key, value in answer.items() if key != "uscc"}


def repaired(
    walk: Walk, subject: dict[str, Any], mandates: dict[str, str], address: str, answers: dict[str, Any]
) -> dict[str, Any]:
    """Repair one penalty: what rests on it is made anew, and the score moves without a restart."""
    who = "penalised_enterprise"
    made = walk.step("repair", "repair", subject["repairable_document"], "--by", "city:registry")
    walk.journey.releases.append(made["releases"]["scoring"])
    wanted = made["snapshots"]["enterprise"]
    walk.journey.models["enterprise"]["snapshot"] = wanted
    limit = time.monotonic() + 30
    while time.monotonic() < limit:
        answer = score(walk, f"{who} after repair", subject["code"], mandates[who], address)
        if answer["snapshot"]["id"] == wanted:
            moved = answer["points"] - answers[who]["points"]
            output.console.print(
                f"[green]repaired[/green]: {answers[who]['points']:.2f} → {answer['points']:.2f} ({moved:+.2f})"
            )
            return answer
        time.sleep(0.5)
    raise Broken("invented-city.service-did-not-take-up", root=walk.home.root / "logs" / "service.log")


def audit(walk: Walk, score_id: str) -> None:
    """Walk back from a score, verify everything, score again to the bit."""
    chain = walk.step("trace", "trace", score_id)
    walk.step("ledger verify", "ledger", "verify")
    output.console.print(f"[green]verified[/green]: {len(chain['links'])} links, actors {', '.join(chain['actors'])}")


def finish(walk: Walk, out: Path) -> None:
    """Draw the report and say where it is."""
    report.write(out / "report.html", walk.journey)
    walk.journey.write(out / "summary.json")
    for model, told in walk.journey.models.items():
        output.figures(model, told["version"], told["evidence"])
    seconds = sum(step.seconds for step in walk.journey.steps)
    output.console.print(f"{seconds:.0f} s, at most {walk.journey.peak_mib:.0f} MiB over all processes")
    output.console.print(f"look: {out / 'report.html'}   read: {out / 'summary.json'}   keep it up: haihe up")


def _credentials(walk: Walk) -> Path:
    return walk.home.root / "service" / f"{BANK}.json"
