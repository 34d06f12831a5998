"""A reader of requests that begins at its checkpoint knows what one that reads everything knows."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from credit.ledger.fold_checkpoint import FoldCheckpoint
from credit.requests import request_states
from credit.requests.request import STEP_DONE, STEP_FAILED
from credit.requests.state_reader import StateReader
from tests.credit.requests.zone_lab import CLERK, ZoneLab

FLOW = ("custody", "compute", "platform")  # of a repair
ACTS = ("request", "step", "fail", "cancel", "junk", "store")


def reader(lab: ZoneLab, zone: str = "platform") -> StateReader:
    checkpoint = FoldCheckpoint(lab.root / "runs" / "states", lab.keys[zone], lab.ring)
    opened = StateReader.open(zone, lab.root / "ledgers", lab.ring, checkpoint)
    opened.catch_up()
    return opened


def move(lab: ZoneLab, name: str, verb: str) -> None:
    state = lab.state(name)
    if state.zone:
        details = {"step": state.step, "after": state.turn, "result": {"by": state.zone}}
        lab.ledger(state.zone).append(verb, name, by=CLERK, details=details)


@given(st.lists(st.tuples(st.sampled_from(ACTS), st.integers(0, 3)), max_size=25), st.integers(0, 2))
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_reader_continues_where_its_checkpoint_ended(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch, acts: list[tuple[str, int]], kept: int
) -> None:
    """Whatever is requested, done, cancelled or written out of turn, and whenever the checkpoint is stored."""
    monkeypatch.setattr(request_states, "KEPT", kept)
    lab = ZoneLab.make(tmp_path_factory.mktemp("lab"))
    names = [lab.request("repair", number=99)]
    for number, (act, which) in enumerate(acts):
        name = names[which % len(names)]
        match act:
            case "request":
                names.append(lab.request("repair", number=number))
            case "step":
                move(lab, name, STEP_DONE)
            case "fail":
                move(lab, name, STEP_FAILED)
            case "cancel":
                lab.cancel(name)
            case "junk":
                lab.ledger(FLOW[which % 3]).append(STEP_DONE, name, by=CLERK, details={"step": 0, "after": "nothing"})
            case _:
                reader(lab).store(every=0)
    reader(lab).store(every=0)
    again = reader(lab)
    assert not again.states.early()
    for name in names:
        assert again.find(name) == lab.state(name)
    unended = [each.request.id for each in again.states.all() if not each.ended]
    assert unended == [name for name in names if not lab.state(name).ended]


def test_a_step_that_was_read_before_its_request_is_not_lost(tmp_path: Path) -> None:
    """The desk's ledger is read first, so a step of a request written at that moment is early, and it counts."""
    lab = ZoneLab.make(tmp_path)
    name = lab.request("repair")
    early = reader(lab)
    ledger = early._followers["desk"]
    move(lab, second := lab.request("repair", number=2), STEP_DONE)
    early._followers["custody"].catch_up()
    assert early.states.early()
    early.store(every=0)
    assert ledger.position.seq == 2
    assert [len(state.results) for state in map(reader(lab).find, (name, second)) if state] == [0, 1]


@pytest.mark.attack
def test_no_checkpoint_is_stored_while_a_ledger_does_not_verify(tmp_path: Path) -> None:
    """Else what that zone wrote would be forgotten once its ledger is put right."""
    lab = ZoneLab.make(tmp_path)
    move(lab, name := lab.request("repair"), STEP_DONE)
    path = lab.root / "ledgers" / "custody.jsonl"
    right = path.read_bytes()
    path.write_bytes(right.replace(b"custody", b"Custody", 1))
    broken = reader(lab)
    broken.store(every=0)
    assert not (lab.root / "runs" / "states").exists()
    path.write_bytes(right)
    state = reader(lab).find(name)
    assert state is not None
    assert state.step == 1


@pytest.mark.attack
def test_another_zone_cannot_write_the_checkpoint(tmp_path: Path) -> None:
    """A state that custody signed is not that of the platform's agent."""
    lab = ZoneLab.make(tmp_path)
    name = lab.request("repair")
    forged = reader(lab, "custody")
    forged.states.all()[0].cancelled = True
    forged.store(every=0)
    again = reader(lab, "platform").find(name)
    assert again is not None
    assert not again.cancelled
