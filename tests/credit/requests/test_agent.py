"""An agent carries out the requests of the desk for its zone, each once, and refuses what is not one."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from credit.actor import Actor, Role
from credit.errors import Broken, Malformed, Missing, Refused
from credit.requests.failure import error_of
from credit.requests.private_arguments import read_private_arguments
from credit.requests.progress import read_broken, read_private_result, read_progress
from credit.requests.request import MADE, STEP_DONE, Request, Stage
from credit.requests.task import StepResult, Task
from tests.credit.requests.zone_lab import CLERK, PETRA, ZoneLab, serving


def result(**values: object) -> StepResult:
    return StepResult(values)


def test_a_request_goes_through_its_zones_in_order(lab: ZoneLab) -> None:
    agents = [
        lab.agent("custody", {"repair": lambda task: result(documents=list(task.arguments["documents"]))}),
        lab.agent("compute", {"repair": lambda task: result(after=dict(task.earlier[0]))}),
        lab.agent("platform", {"repair": lambda task: result(after=dict(task.earlier[1]), by=str(task.by))}),
    ]
    with serving(*agents):
        name = lab.request("repair", documents=["A-1"])
        state = lab.wait(name, lambda state: state.stage is Stage.DONE)
    assert state.results[2] == {"after": {"after": {"documents": ["A-1"]}}, "by": "city:chen"}
    for zone in ("custody", "compute", "platform"):
        (entry,) = lab.entries(zone)
        assert (entry.verb, entry.object, entry.by) == (STEP_DONE, name, CLERK)
    assert "A-1" not in (lab.root / "ledgers" / "desk.jsonl").read_text()


def test_an_error_ends_the_request_and_is_the_same_error_for_its_maker(lab: ZoneLab) -> None:
    def refuse(task: Task) -> StepResult:
        raise Refused("repair.record-may-not-be-repaired", severity="general", least_months=3, earliest="2026-12-01")

    with serving(lab.agent("custody", {"repair": refuse})):
        name = lab.request("repair", documents=["A-1"])
        state = lab.wait(name, lambda state: state.stage is Stage.FAILED)
    assert state.failure is not None
    error = error_of(state.failure)
    assert isinstance(error, Refused)
    wanted = Refused("repair.record-may-not-be-repaired", severity="general", least_months=3, earliest="2026-12-01")
    assert [error.in_language(each) for each in ("en", "zh")] == [wanted.in_language(each) for each in ("en", "zh")]


def test_a_fault_of_a_step_does_not_show_its_words(lab: ZoneLab) -> None:
    def fail(task: Task) -> StepResult:
        raise ValueError("91120000MA00000000")

    with serving(lab.agent("custody", {"repair": fail})):
        name = lab.request("repair", documents=["A-1"])
        state = lab.wait(name, lambda state: state.stage is Stage.FAILED)
    assert "9112" not in str(state.failure)


def test_a_request_of_a_role_that_may_not_make_it_is_refused_by_the_agent_too(lab: ZoneLab) -> None:
    with serving(lab.agent("custody", {})):
        name = lab.request("repair", Actor("alice", Role.RESEARCHER), documents=["A-1"])
        state = lab.wait(name, lambda state: state.stage is Stage.FAILED)
    assert state.failure is not None
    assert isinstance(error_of(state.failure), Refused)


@pytest.mark.parametrize("zone", ["research", "platform", "service"])
def test_a_request_written_past_the_desk_is_not_carried_out(lab: ZoneLab, zone: str) -> None:
    real = lab.request("withdraw")
    (entry,) = lab.entries("desk")
    forged = f"request-{99:032x}"
    lab.ledger(zone).append(MADE, forged, by=CLERK, details=entry.details)
    done: list[str] = []

    def note(task: Task) -> StepResult:
        done.append(task.request.id)
        return result()

    with serving(lab.agent("custody", {"withdraw": note})):
        lab.wait(real, lambda state: state.step == 1)
    assert done == [real]


def test_changed_or_lost_private_arguments_are_refused(lab: ZoneLab) -> None:
    changed, lost = (lab.request("repair", number=number, documents=["A-1"]) for number in (1, 2))
    (lab.root / "requests" / f"{changed}.json").write_text('{"documents":["B-2"]}')
    (lab.root / "requests" / f"{lost}.json").unlink()
    with serving(lab.agent("custody", {})):
        for name in (changed, lost):
            state = lab.wait(name, lambda state: state.stage is Stage.FAILED)
            assert state.failure is not None
    request = Request.of(lab.entries("desk")[1])
    with pytest.raises(Missing):
        read_private_arguments(lab.root / "requests", request)


def test_a_cancelled_request_stops_at_the_next_report(lab: ZoneLab) -> None:
    begun = threading.Event()

    def work(task: Task) -> StepResult:
        begun.set()
        while True:
            task.report("working", 0, 0)
            time.sleep(0.005)

    with serving(lab.agent("custody", {"withdraw": work})):
        name = lab.request("withdraw")
        assert begun.wait(20)
        lab.cancel(name)
        limit = time.monotonic() + 20
        while read_progress(lab.root / "runs" / "custody", name) and time.monotonic() < limit:
            time.sleep(0.01)
        assert not read_progress(lab.root / "runs" / "custody", name)
    assert lab.state(name).stage is Stage.CANCELLED
    assert lab.entries("custody") == []


def test_a_request_past_its_deadline_ends(lab: ZoneLab) -> None:
    with serving(lab.agent("custody", {})):
        name = lab.request("withdraw", seconds=-1)
        state = lab.wait(name, lambda state: state.stage is Stage.FAILED)
    assert state.failure is not None
    assert state.failure["kind"] == "lapsed"


def test_requests_that_touch_nothing_in_common_run_side_by_side(lab: ZoneLab) -> None:
    meeting = threading.Barrier(2, timeout=20)

    def meet(task: Task) -> StepResult:
        meeting.wait()
        return result()

    apart = lab.agent("custody", {"release": meet}, touches=lambda request: frozenset({str(request.arguments["on"])}))
    with serving(apart):
        names = [lab.request("release", PETRA, number=number, on=str(number)) for number in (1, 2)]
        for name in names:
            lab.wait(name, lambda state: state.stage is Stage.DONE)


def test_requests_that_touch_the_same_run_in_the_order_in_which_they_were_made(lab: ZoneLab) -> None:
    at_work, order = threading.Lock(), list[int]()

    def alone(task: Task) -> StepResult:
        assert at_work.acquire(blocking=False)
        order.append(int(task.request.arguments["on"]))
        time.sleep(0.01)
        at_work.release()
        return result()

    names = [lab.request("release", PETRA, number=number, on=str(number)) for number in range(1, 6)]
    with serving(lab.agent("custody", {"release": alone})):
        for name in names:
            lab.wait(name, lambda state: state.stage is Stage.DONE)
    assert order == [1, 2, 3, 4, 5]


def test_two_agents_of_one_zone_do_not_work_in_one_folder(lab: ZoneLab) -> None:
    first, second = lab.agent("custody", {}), lab.agent("custody", {})
    with serving(first):
        limit = time.monotonic() + 20
        while not (lab.root / "runs" / "custody" / ".agent").exists() and time.monotonic() < limit:
            time.sleep(0.01)
        with pytest.raises(Malformed):
            second.serve()


def test_a_private_result_is_in_no_ledger(lab: ZoneLab) -> None:
    def read(task: Task) -> StepResult:
        return StepResult({"count": 1}, private={"codes": ["91120000MA00000000"]})

    with serving(lab.agent("custody", {"subjects": read})):
        name = lab.request("subjects", table="registration")
        lab.wait(name, lambda state: state.stage is Stage.DONE)
    assert read_private_result(lab.root / "runs" / "custody", name) == {"codes": ["91120000MA00000000"]}
    assert not any("9112" in path.read_text() for path in Path(lab.root / "ledgers").glob("*.jsonl"))


def test_a_ledger_that_does_not_verify_stops_only_its_zone(lab: ZoneLab) -> None:
    lab.ledger("service").append("x.y", "z", by=PETRA)
    path = lab.root / "ledgers" / "service-agent.jsonl"
    path.write_bytes(path.read_bytes().replace(b"x.y", b"x.z"))
    with serving(lab.agent("custody", {"withdraw": lambda task: result()})):
        lab.wait(lab.request("withdraw"), lambda state: state.step == 1)


def test_an_agent_whose_own_ledger_is_cut_reports_it(lab: ZoneLab) -> None:
    """No entry can say it; the desk reads it, and the person gets the error at once."""
    own = lab.ledger("custody")
    for number in range(2):
        own.append("record.kept", f"record-{number}", by=PETRA)
    lines = own.path.read_bytes().splitlines(keepends=True)
    own.path.write_bytes(lines[0])
    with serving(lab.agent("custody", {"withdraw": lambda task: result()})):
        name = lab.request("withdraw")
        limit = time.monotonic() + 30
        while not (failure := read_broken(lab.root / "runs" / "custody", name)) and time.monotonic() < limit:
            time.sleep(0.02)
    assert isinstance(error_of(failure), Broken)
