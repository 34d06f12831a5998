"""Processes that share nothing but shelf, ledgers and public keys walk a subject from raw record to verified score.

What must be refused on the way is refused in words, with the exit code of the error tree.
"""

from __future__ import annotations

import json
import os
import re
import time
from pathlib import Path

import numpy as np
import pytest

from credit.subjects import PseudonymKey
from infra import stack
from infra.home import Home
from models.scoring.snapshot_layout import FEATURES_FILE, SUBJECTS_FILE
from tests.journey.hand import DAY, Walked

pytestmark = pytest.mark.servers


def test_every_dirty_row_is_in_quarantine_and_none_is_lost(walked: Walked) -> None:
    results = walked.results
    intake, city = results["intake"], results["city"]
    assert intake["rows"] == sum(city["rows"].values()) == intake["kept"] + intake["duplicates"] + intake["quarantined"]
    assert intake["quarantined"] == sum(city["dirty"].values()) > 0


def test_bringing_in_the_same_again_changes_nothing(walked: Walked) -> None:
    hand, results = walked.hand, walked.results
    again = hand.does("intake", str(results["raw"]))
    assert (again["rows"], again["kept"]) == (results["intake"]["rows"], 0)


def test_the_same_release_and_version_come_out_again(walked: Walked) -> None:
    hand, results = walked.hand, walked.results
    with hand.zones():
        assert hand.does("release", "research")["release"] == results["research"]
        assert hand.does("train", "enterprise")["enterprise"]["version"] == results["version"]


def test_the_road_ends_in_a_score_that_traces_back_and_replays(walked: Walked) -> None:
    hand, home, results = walked.hand, walked.home, walked.results
    examples = results["city"]["examples"]
    hand.is_refused("promote", results["version"], "--by", "researcher:alice", code=3, why="role platform")
    hand.is_refused(
        "promote",
        results["version"],
        "--by",
        "platform:alice",
        code=3,
        why="alice is not there or has not the role platform",
    )
    assert hand.does("promote", results["version"], "--by", "platform:bob")["verdict"]["outcome"] == "pass"
    snapshot = hand.does("snapshot", "enterprise")["snapshot"]
    assert not rays(home), "the Ray of this walk is gone before the service starts"
    env = {"HAIHE_SERVICE_TODAY": DAY, "HAIHE_SERVICE_MODELS": "enterprise"}
    with hand.zones(), stack.scoring_service(home, env=env) as url:
        bank, paper = home.root / "bank.json", home.root / "paper.txt"
        paper.write_text("yes\n")
        hand.does("bank", "harbour-bank", "--save", str(bank))
        hand.does("bank", "other-bank", "--save", str(home.root / "other.json"))
        code = examples["penalised_enterprise"]["code"]
        mandate = hand.does("mandate", "harbour-bank", code, "--document", str(paper), "--until", "2027-01-31")[
            "mandate"
        ]
        options = ("--mandate", mandate, "--as", str(bank), "--url", url)
        before = hand.does("score", code, *options)
        cents = round(before["base_points"] * 100) + sum(round(r["points"] * 100) for r in before["reasons"])
        assert cents == round(before["points"] * 100), "base and reasons sum to the points, to the hundredth"
        assert before["snapshot"]["id"] == snapshot

        wrong = code[:-1] + ("0" if code[-1] != "0" else "1")
        other = examples["good_enterprise"]["code"]
        stolen = ("--mandate", mandate, "--as", str(home.root / "other.json"), "--url", url)
        hand.is_refused("score", wrong, *options, code=2, why="")
        hand.is_refused("score", other, *options, code=3, why="another subject")
        hand.is_refused("score", code, *stolen, code=3, why="no such mandate")
        hand.is_refused("score", code, *options, "--purpose", "post_loan_management", code=3, why="another purpose")

        made = hand.does("repair", examples["penalised_enterprise"]["repairable_document"])
        renewed, deadline = made["snapshots"]["enterprise"], time.monotonic() + 60
        after = hand.does_once_evaluated("score", code, *options)
        while after["snapshot"]["id"] != renewed and time.monotonic() < deadline:
            after = hand.does_once_evaluated("score", code, *options)
        assert after["snapshot"]["id"] == renewed
        assert after["points"] >= before["points"], "a repaired record may only help"
    counted = [penalties(home, name, code) for name in (snapshot, renewed)]
    assert counted[1] == counted[0] - 1, "the repaired record has left what the score is made of"
    for answer, amended in ((before, []), (after, ["release"])):
        chain = hand.does("trace", answer["score_id"])
        kinds = [link["kind"] for link in chain["links"]]
        assert kinds == ["score", "snapshot", "version", "release", "order", *amended, "release"]
        assert chain["replayed"]
        assert {"researcher:alice", "city:chen"} <= set(chain["actors"])
        assert code not in json.dumps(chain), "the chain names subjects by pseudonym only"
    assert hand.does("ledger", "verify")["service"] > 4


def test_a_changed_byte_in_any_step_is_detected(walked: Walked) -> None:
    hand, home, results = walked.hand, walked.home, walked.results
    for seal in (results["research"], results["version"]):
        kind, _, name = seal.partition("-")
        path = max(
            (p for p in (home.root / "shelf" / kind / name).rglob("*") if p.is_file()), key=lambda p: p.stat().st_size
        )
        whole = path.read_bytes()
        path.write_bytes(whole[:100] + bytes([whole[100] ^ 1]) + whole[101:])
        try:
            hand.is_refused("trace", results["version"], code=5, why="was changed")
        finally:
            path.write_bytes(whole)
    ledger = home.root / "ledgers" / "custody.jsonl"
    lines = ledger.read_bytes()
    ledger.write_bytes(lines[: lines.rstrip(b"\n").rindex(b"\n") + 1])
    try:
        verified = hand.run("ledger", "verify")  # a witness may have countersigned the last line, and says so then
        assert verified.returncode == 5
        assert re.search("lines are missing|ledger custody was cut", verified.stderr), verified.stderr
        hand.is_refused("release", "scoring", "--today", "2026-11-02", code=5, why="lines are missing")
    finally:
        ledger.write_bytes(lines)


def test_an_ended_release_trains_nothing(walked: Walked) -> None:
    hand, results = walked.hand, walked.results
    hand.is_refused(
        "train", "enterprise", "--release", results["research"], "--today", "2027-12-01", code=3, why="ended on"
    )


def penalties(home: Home, snapshot: str, code: str) -> float:
    """The subject's penalties of the last 12 months in a snapshot."""
    opened = home.shelf.open(snapshot)
    subject = PseudonymKey("scoring", b"scoring".ljust(32)).key_of(code).raw
    keys = (opened.path / SUBJECTS_FILE).read_bytes()
    row = [keys[at : at + 16] for at in range(0, len(keys), 16)].index(subject)
    column = list(opened.seal.terms["features"]).index("penalties_12m")
    return float(np.load(opened.path / FEATURES_FILE)[row, column])


def rays(home: Home) -> set[str]:
    """The pids of the raylets that were started for a home; others of this machine are not ours to count."""
    return {pid for pid in os.listdir("/proc") if pid.isdigit() and _is_ray_of(pid, home)}


def _is_ray_of(pid: str, home: Home) -> bool:
    try:
        is_ray = b"raylet" in Path(f"/proc/{pid}/cmdline").read_bytes()
        return is_ray and str(home.root).encode() in Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return False
