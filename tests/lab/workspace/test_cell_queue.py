"""Cells reach a kernel one at a time, in the order in which they came, whatever is reported about them and how often."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lab.workspace.cell_queue import CellQueue, WaitingCell, forget_cells, queue_of

REPORTS = st.lists(
    st.tuples(st.sampled_from(["add", "end", "fail", "refused"]), st.integers(0, 9), st.booleans()), max_size=40
)


@given(REPORTS)
def test_one_runs_at_a_time_and_each_is_passed_aborted_or_waits(reports: list[tuple[str, int, bool]]) -> None:
    queue = CellQueue()
    added: list[str] = []
    passed: list[str] = []
    ended: list[str] = []
    aborted: list[str] = []
    refused: list[str] = []

    def cell(name: str, stops: bool, accepts: bool) -> WaitingCell:
        def pass_on() -> bool:
            (passed if accepts else refused).append(name)
            return accepts

        return WaitingCell(name, stops, pass_on, lambda: aborted.append(name), lambda: ended.append(name))

    for act, number, flag in reports:
        if act in ("add", "refused"):
            name = str(len(added))
            added.append(name)
            queue.add(cell(name, flag, act == "add"))
        else:
            known = str(number)
            running = set(passed) - set(ended)
            before = list(ended)
            queue.failed(known) if act == "fail" else queue.ended(known)
            assert set(ended) - set(before) <= running, "what does not run does not end"
        assert len(set(passed) - set(ended)) <= 1, "one at a time"
    assert passed == sorted(passed, key=int)
    handled = [*passed, *aborted, *refused]
    assert len(handled) == len(set(handled)), "each once"
    waiting = set(added) - set(handled)
    assert not waiting or set(passed) - set(ended), "nothing waits for nothing"


def test_a_kernel_that_restarts_waits_for_no_cell_of_the_former_process() -> None:
    queue_of("k").add(WaitingCell("lost", True, lambda: True, lambda: None, lambda: None))
    forget_cells("k")
    passed: list[str] = []
    queue_of("k").add(WaitingCell("new", True, lambda: passed.append("new") is None, lambda: None, lambda: None))
    assert passed == ["new"]
    forget_cells("k")
