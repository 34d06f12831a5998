"""A champion's report compares its months, and says of a label watch nothing before its labels are ripe."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from credit.actor import Actor, Role
from credit.errors import Broken, Missing
from credit.keys import KeyRing, SigningKey
from credit.seal import Kind, Seal
from credit.shelf import DESTROYED, OpenedSeal, Shelf
from models.champion_report.loan_events import FILE, ReportedEvent, read_reported_loans
from models.champion_report.loan_labels import label_of
from models.champion_report.report import ChampionReport, champion_report
from models.champion_report.scored_months import scored_months
from models.monitoring.watch_result import WatchState
from models.scoring.snapshot_layout import ANSWERS_FILE, FEATURES_FILE, SUBJECTS_FILE, answer_dtype

BY, ENDS, SUBJECTS, RATE = Actor("maker", Role.SERVICE), date(2030, 1, 1), 4_000, 0.08
JANUARY = date(2026, 1, 1)


class Shelves:
    """The shelf of compute with a version, and the service's shelf of outcomes."""

    def __init__(self, root: Path) -> None:
        (root / "keys").mkdir()
        self.keys = {zone: SigningKey.create(root / "keys", zone) for zone in ("compute", "service", "platform")}
        ring = KeyRing({zone: {key.keyid: key.private.public_key()} for zone, key in self.keys.items()})
        self.shelf, self.outcomes = Shelf(root / "shelf", ring), Shelf(root / "outcomes", ring)
        evidence = {"auc": 0.80, "auc_low": 0.78, "auc_high": 0.82, "rows": 50_000, "positives": 4_000}
        self.version = self.shelf.open(
            self.put(Kind.VERSION, {"evidence.json": json.dumps(evidence).encode()}, {"model": "enterprise"}).id
        )

    def put(self, kind: Kind, files: dict[str, bytes], terms: dict[str, Any]) -> Seal:
        shelf, zone = (self.outcomes, "service") if kind is Kind.OUTCOMES else (self.shelf, "compute")
        zone = "platform" if kind is Kind.EXCERPT else zone
        with shelf.staging() as folder:
            for name, content in files.items():
                (folder / name).write_bytes(content)
            return shelf.put(folder, kind, parents=(), terms=terms, expires_on=ENDS, by=BY, key=self.keys[zone])

    def snapshot(self, as_of: date, *, moved: float = 0.0, kind: Kind = Kind.SNAPSHOT) -> Seal:
        """Subjects with one feature, of which the probability follows; ``moved`` shifts both."""
        random = np.random.default_rng(as_of.toordinal())
        feature = random.normal(moved, 1, (SUBJECTS, 1))
        answers = np.zeros(SUBJECTS, dtype=answer_dtype(1))
        answers["probability"] = probability(feature[:, 0])
        keys = np.arange(SUBJECTS, dtype=">u8").tobytes()
        subjects = b"".join(keys[8 * n : 8 * n + 8] * 2 for n in range(SUBJECTS))
        with self.shelf.staging() as folder:
            np.save(folder / FEATURES_FILE, feature)
            np.save(folder / ANSWERS_FILE, answers)
            arrays = {name: (folder / name).read_bytes() for name in (FEATURES_FILE, ANSWERS_FILE)}
        terms = {"version": self.version.seal.id, "as_of": as_of.isoformat(), "subjects": SUBJECTS, "features": ["f"]}
        return self.put(kind, {SUBJECTS_FILE: subjects, **arrays}, terms)

    def report_loans(self, opened: OpenedSeal, as_of: date, *, times: float = 1.0) -> None:
        """Every subject has a running loan; ``times`` as many default as the snapshot says."""
        chance = np.load(opened.path / ANSWERS_FILE)["probability"] * times
        defaulted = np.random.default_rng(5).random(SUBJECTS) < chance
        lines = []
        for number in range(SUBJECTS):
            events = [("granted", -30, 0), ("drawn", -20, 0)] + [("overdue", 120, 91)] * bool(defaulted[number])
            lines += [line(number, name, as_of + timedelta(days=day), days) for name, day, days in events]
        self.put(Kind.OUTCOMES, {FILE: "\n".join(map(json.dumps, lines)).encode()}, {"form": 1, "purpose": "scoring"})

    def report(self, today: date) -> ChampionReport:
        return champion_report(self.shelf, self.version, read_reported_loans(self.outcomes), today)


def probability(feature: np.ndarray) -> np.ndarray:
    values: np.ndarray = 1 / (1 + np.exp(2.9 - 1.25 * feature))
    return values


def line(subject: int, event: str, day: date, days: int = 0, **more: Any) -> dict[str, Any]:
    key = subject.to_bytes(8, "big").hex() * 2
    return {
        "id": f"{subject}-{event}-{day}", "bank": "bank-0", "loan": key, "subject": key, "event": event,
        "happened_on": day.isoformat(), "days_overdue": days, "received_on": day.isoformat(), "late": 0,
        "replaces": "", **more,
    }  # fmt: skip


@pytest.fixture
def shelves(tmp_path: Path) -> Shelves:
    return Shelves(tmp_path)


def states(report: ChampionReport, watch: str) -> dict[str, WatchState]:
    return {result.month: result.state for result in report.results if result.watch == watch}


def test_a_month_that_moved_alarms_and_one_that_did_not_is_quiet(shelves: Shelves) -> None:
    for month, moved in ((1, 0.0), (2, 0.0), (3, 0.8)):
        shelves.snapshot(date(2026, month, 1), moved=moved)
    report = shelves.report(date(2026, 4, 1))
    assert report.reference == "2026-01"
    for watch in ("score", "feature:f"):
        assert states(report, watch) == {"2026-02": WatchState.OK, "2026-03": WatchState.ALARM}
    assert {alarm["watch"]: alarm["since"] for alarm in report.alerts()} == {"score": "2026-03", "feature:f": "2026-03"}
    assert set(states(report, "estimated_discrimination").values()) == {WatchState.HINT}


def test_an_alarm_keeps_its_name_while_it_lasts_and_ends_with_a_good_month(shelves: Shelves) -> None:
    for month, moved in ((1, 0.0), (2, 0.8), (3, 0.8)):
        shelves.snapshot(date(2026, month, 1), moved=moved)
    first = shelves.report(date(2026, 4, 1)).alerts()
    shelves.snapshot(date(2026, 4, 1))
    assert {alarm["since"] for alarm in first} == {"2026-02"}
    assert shelves.report(date(2026, 5, 1)).alerts() == []


@pytest.mark.parametrize(("times", "state"), [(1.0, WatchState.OK), (1.8, WatchState.ALARM)])
def test_labels_count_once_they_are_ripe(shelves: Shelves, times: float, state: WatchState) -> None:
    opened = shelves.shelf.open(shelves.snapshot(JANUARY).id)
    shelves.report_loans(opened, JANUARY, times=times)
    before, after = shelves.report(date(2026, 8, 31)), shelves.report(date(2026, 9, 3))
    assert states(before, "calibration") == {}
    assert states(before, "discrimination") == {"2026-01": WatchState.NOT_RIPE}
    assert states(after, "calibration") == {"2026-01": state}
    assert states(after, "discrimination")["2026-01"] is not WatchState.ALARM


def test_every_line_of_the_outcomes_is_accounted_for(shelves: Shelves) -> None:
    wrong = line(1, "granted", JANUARY)
    right = line(1, "granted", JANUARY + timedelta(days=1), replaces=wrong["id"])
    late = line(2, "granted", JANUARY, late=1)
    for rows in ([wrong, late], [right, late]):
        shelves.put(Kind.OUTCOMES, {FILE: "\n".join(map(json.dumps, rows)).encode()}, {"form": 1})
    counts = read_reported_loans(shelves.outcomes).counts()
    assert counts == {"lines": 4, "events": 2, "repeated": 1, "replaced": 1, "late": 1, "subjects": 2}
    assert counts["lines"] == counts["events"] + counts["repeated"] + counts["replaced"]


def test_outcomes_that_the_service_did_not_sign_or_of_another_form_are_refused(shelves: Shelves) -> None:
    service, shelves.keys["service"] = shelves.keys["service"], shelves.keys["compute"]
    with pytest.raises(Broken):
        shelves.put(Kind.OUTCOMES, {FILE: b""}, {"form": 1})
    shelves.keys["service"] = service
    seal = shelves.put(Kind.OUTCOMES, {FILE: b""}, {"form": 2})
    with pytest.raises(Broken, match="have a form that this program does not know"):
        read_reported_loans(shelves.outcomes)
    (shelves.outcomes.open(seal.id).path / FILE).write_bytes(b"forged")
    with pytest.raises(Broken):
        read_reported_loans(shelves.outcomes)


def test_an_excerpt_replaces_a_destroyed_snapshot(shelves: Shelves) -> None:
    seal = shelves.snapshot(JANUARY)
    shelves.snapshot(date(2026, 2, 1))
    shelves.snapshot(JANUARY, kind=Kind.EXCERPT)
    shelves.shelf.set_pointer(f"{DESTROYED}-{seal.id}", {"on": "2026-07-01", "excerpt": ""}, shelves.keys["platform"])
    months = scored_months(shelves.shelf, shelves.version.seal.id)
    assert [(month.month, month.is_whole) for month in months] == [("2026-01", False), ("2026-02", True)]


def test_without_a_snapshot_there_is_no_report(shelves: Shelves) -> None:
    with pytest.raises(Missing):
        shelves.report(JANUARY)


@pytest.mark.parametrize(
    ("loan", "label"),
    [
        ([("drawn", -20, 0)], 0.0),
        ([("drawn", 40, 0)], 0.0),
        ([("drawn", -20, 0), ("overdue", 30, 89)], 0.0),
        ([("drawn", -20, 0), ("overdue", 30, 90)], 1.0),
        ([("drawn", -20, 0), ("written_off", 30, 0)], 1.0),
        ([("drawn", -20, 0), ("overdue", 300, 90)], 0.0),  # after the window
        ([("drawn", -200, 0), ("overdue", -3, 90)], None),  # before the score
        ([("drawn", -200, 0), ("settled", -3, 0)], None),
        ([("granted", -20, 0)], None),
        ([("drawn", 300, 0)], None),
    ],
)
def test_a_label_needs_a_running_loan_and_a_default_in_the_window(
    loan: list[tuple[str, int, int]], label: float | None
) -> None:
    events = [ReportedEvent(JANUARY + timedelta(days=day), name, days) for name, day, days in loan]
    result = label_of([sorted(events)], JANUARY, date(2026, 7, 1))
    assert (None if np.isnan(result) else result) == label
