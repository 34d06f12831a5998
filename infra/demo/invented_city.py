"""The demonstration on an invented city: from raw record to verified score once, with a report at its end."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from credit.errors import Broken, Refused
from infra import output, stack
from infra.demo import report
from infra.demo.cli_runner import DemoRun, StepFailed, demo_run, started
from infra.demo.folder import FILES, HOME, claim
from infra.desk import running
from infra.home import Home
from infra.progress import progress

CITY_DAY = date(2026, 11, 1)  # the current day of the invented city
MODELS = ("enterprise", "individual_business")
BANK = "harbour-bank"
PURPOSE = "credit_granting"
CLIENTS = (
    ("good_enterprise", "a good firm"),
    ("penalised_enterprise", "a firm with fresh penalties"),
    ("individual_business", "an individual business"),
)


def run_invented_city(out: Path, *, subjects: int, seed: int, home: Home | None = None) -> None:
    """Draw the city, train and promote both models, score three clients, repair one penalty, write the report.

    Everything is left in ``out``, after what an earlier demonstration left there is removed. The home is ``<out>/home``
    unless another is given. Raises :class:`~credit.errors.Refused` when ``out`` holds anything else.
    """
    claim(out, (HOME, *FILES), homes=[Home((out / HOME).resolve())])
    with demo_run(out, invented=True, home=home) as run:
        raw = run.home.root / "city"
        run.env |= {"HAIHE_TODAY": CITY_DAY.isoformat()}
        run.step("keys", "keys")
        run.step("city", "city", "--subjects", str(subjects), "--seed", str(seed), "--out", str(raw))
        with zones_of(run) as mlflow:
            bring_in(run, raw, "city")
            run.step("practice", "practice")
            dossiers(run)
            evaluate(run)
            with mlflow():
                train(run, MODELS)
                for model in MODELS:
                    promote(run, model)
            # From here on neither Ray nor MLflow runs: the service stands on the shelf alone.
            serve_and_repair(run, raw, out)
        finish(run, out)


@contextmanager
def zones_of(run: DemoRun) -> Iterator[Callable[[], AbstractContextManager[str]]]:
    """The front desk and an agent a zone, for all steps in the block; gives what starts their MLflow."""
    port = stack.free_port()
    env = {f"HAIHE_{zone}_MLFLOW_URI": f"http://127.0.0.1:{port}" for zone in ("COMPUTE", "PLATFORM")}
    with ExitStack() as zones:
        with run.timed("start the zones"), progress() as report:
            report("starting the front desk and the agents", 0, 0)
            zones.enter_context(running.desk_and_agents(run.home, env=env))
        yield lambda: started("MLflow", stack.mlflow_server(run.home, port))


def serve_and_repair(run: DemoRun, raw: Path, out: Path) -> None:
    """Score three clients as a bank would, repair one penalty, score again, and audit it."""
    examples = json.loads((raw / "city.json").read_text())["examples"]
    with run.timed("serve"):
        env = {"HAIHE_SERVICE_TODAY": CITY_DAY.isoformat()}
        serving = started("the scoring service", stack.scoring_service(run.home, env=env))
        address = serving.__enter__()
    try:
        mandates = authorise(run, {who: examples[who]["code"] for who, _ in CLIENTS})
        answers = {who: score(run, who, examples[who]["code"], mandates[who], address) for who, _ in CLIENTS}
        after = repaired(run, examples["penalised_enterprise"], mandates, address, answers)
        for who in ("penalised_enterprise", "individual_business"):
            paper = out / f"{who}.pdf"
            report_of(run, who, examples[who]["code"], mandates[who], address, paper)
    finally:
        serving.__exit__(None, None, None)
    for who, words in CLIENTS:
        before = answers[who] if who == "penalised_enterprise" else None
        answer = after if before else answers[who]
        run.journey.scores.append({"title": words, "answer": answer, **({"before": before} if before else {})})
    audit(run, after["score_id"])


def bring_in(run: DemoRun, raw: Path, catalogue: str) -> None:
    """Bring the raw files in, then make a release for training and one for scoring: both are for compute."""
    summary = run.step("intake", "intake", str(raw), "--catalogue", catalogue)
    run.journey.intake = {key: summary[key] for key in ("rows", "kept", "duplicates", "quarantined", "reasons")}
    for purpose in ("research", "scoring"):
        made = run.step(f"release {purpose}", "release", purpose, "--catalogue", catalogue)
        run.journey.releases.append(made["release"])
        run.journey.catalogue = f"{catalogue} {made['catalogue'][:16]}"


def dossiers(run: DemoRun) -> None:
    """Make the credit files that the service answers queries and reports from."""
    run.step("release inquiry", "release", "inquiry")
    run.step("dossiers", "dossiers")


def evaluate(run: DemoRun) -> None:
    """Evaluate every subject for the month by public records alone: no model is needed, and none has a part in it."""
    run.step("evaluate", "evaluate", "--period", CITY_DAY.isoformat()[:7], "--here")


def report_of(run: DemoRun, who: str, code: str, mandate: str, address: str, out: Path) -> None:
    """Get a subject's public credit report as the bank would, and check it offline."""
    words = ("report", code, "--as", str(_credentials(run)), "--mandate", mandate, "--out", str(out), "--url", address)
    made = run.step(f"report {who}", *words)
    run.step(f"verify report {who}", "verify-report", made["file"], made["signature"])


def train(run: DemoRun, models: tuple[str, ...]) -> None:
    """Train all models on one Ray cluster."""
    made = run.step("train", "train", *models)
    for model, version in made.items():
        run.journey.models[model] = {**version, "verdict": {"outcome": "not judged", "findings": []}}


def promote(run: DemoRun, model: str, accept: tuple[int, ...] = ()) -> bool:
    """Register a version, have another person judge it, and make the snapshot.

    False when the gate refuses, or already the registration, because the usage right of its tables permits no score.
    """
    made = run.journey.models[model]
    try:
        run.step(f"register {model}", "register", made["version"])
    except StepFailed as failed:
        if failed.exit_code not in accept:
            raise
        return False
    decided = run.step(f"promote {model}", "promote", made["version"], accept=accept)
    if decided.get("approvals") and not decided["granted"]:  # it takes a second person
        words = ("promote", made["version"], "--by", "platform:petra")
        decided = run.step(f"promote {model} as the second of two", *words, accept=accept)
    made["verdict"] = decided["verdict"]
    passed = bool(decided.get("granted"))
    if passed:
        snapshot(run, model)
    return passed


def snapshot(run: DemoRun, model: str) -> None:
    """Make a snapshot of the newest scoring release."""
    made = run.step(f"snapshot {model}", "snapshot", model)
    run.journey.models[model] |= {"snapshot": made["snapshot"], "shares": made["shares"]}


def authorise(run: DemoRun, codes: dict[str, str], day: date = CITY_DAY) -> dict[str, str]:
    """Add a bank, and the mandate that each of these subjects gave it; mandate ids by subject."""
    run.step("bank", "bank", BANK, "--save", str(_credentials(run)))
    until = (day + timedelta(days=90)).isoformat()
    mandates = {}
    for who, code in codes.items():
        paper = run.home.root / "mandates" / f"{who}.txt"
        paper.parent.mkdir(exist_ok=True)
        paper.write_text(f"{BANK} may ask for our score, for {PURPOSE}, until {until}. (invented)\n")
        words = ("mandate", BANK, code, "--purpose", PURPOSE, "--until", until, "--document", str(paper))
        mandates[who] = run.step(f"mandate {who}", *words)["mandate"]
    return mandates


def score(run: DemoRun, who: str, code: str, mandate: str, address: str) -> dict[str, Any]:
    """Request a score as the bank would."""
    words = (
        "score",
        code,
        "--as",
        str(_credentials(run)),
        "--mandate",
        mandate,
        "--purpose",
        PURPOSE,
        "--url",
        address,
    )
    answer = run.step(f"score {who}", *words)
    output.score(answer)
    return {key: value for key, value in answer.items() if key != "uscc"}


def repaired(
    run: DemoRun, subject: dict[str, Any], mandates: dict[str, str], address: str, answers: dict[str, Any]
) -> dict[str, Any]:
    """Repair one penalty: what rests on it is made again, and the score changes without a restart."""
    who = "penalised_enterprise"
    made = run.step("repair", "repair", subject["repairable_document"])
    run.journey.releases.append(made["releases"]["scoring"])
    wanted = made["snapshots"]["enterprise"]
    run.journey.models["enterprise"]["snapshot"] = wanted
    limit = time.monotonic() + 60
    while time.monotonic() < limit:
        try:
            answer = score(run, f"{who} after repair", subject["code"], mandates[who], address)
        except StepFailed as failed:
            if failed.exit_code != Refused.exit_code:
                raise
            time.sleep(1)  # the service still says that the subject is evaluated again, as a bank would see it
            continue
        if answer["snapshot"]["id"] == wanted:
            moved = answer["points"] - answers[who]["points"]
            output.line(
                f"[green]repaired[/green]: {answers[who]['points']:.2f} → {answer['points']:.2f} ({moved:+.2f})"
            )
            return answer
        time.sleep(0.5)
    raise Broken("invented-city.service-did-not-take-up", root=run.home.root / "logs" / "service.log")


def audit(run: DemoRun, score_id: str) -> None:
    """Trace a score back, verify everything on the way, and compute the score again to the bit."""
    chain = run.step("trace", "trace", score_id)
    run.step("ledger verify", "ledger", "verify")
    actors = output.safe(", ".join(chain["actors"]))
    output.line(f"[green]verified[/green]: {len(chain['links'])} links, actors {actors}")


def finish(run: DemoRun, out: Path) -> None:
    """Write the report and print where it is."""
    report.write(out / "report.html", run.journey)
    run.journey.write(out / "summary.json")
    for model, version in run.journey.models.items():
        output.evidence(model, version["version"], version["evidence"])
    seconds = sum(step.seconds for step in run.journey.steps)
    output.line(f"{seconds:.0f} s, at most {run.journey.peak_mib:.0f} MiB over all processes")
    output.line(f"look: {out / 'report.html'}   read: {out / 'summary.json'}", markup=False)
    output.line(f"run the lab with it: haihe up --home {_relative(run.home.root)}", markup=False)


def _relative(path: Path) -> Path:
    """A path as a person would type it here."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def _credentials(run: DemoRun) -> Path:
    return run.home.root / "service" / f"{BANK}.json"
