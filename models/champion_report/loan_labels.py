"""The label of a scored subject from the events of its loans: 90 days overdue, or written off, within the window."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from models.champion_report.loan_events import ReportedEvent

DEFAULTED_DAYS = 90  # 违约: the label of the built-in models, and of the risk classification of loans (2023) art. 11


def label_of(loans: Sequence[Sequence[ReportedEvent]], scored_on: date, window_ends: date) -> float:
    """1 if one of the loans defaulted after ``scored_on`` and by ``window_ends``, 0 if one was running and none did.

    NaN without a running loan in the window, and for a subject that had defaulted by ``scored_on`` already.
    """
    running = False
    for loan in loans:
        for event in loan:
            if _is_default(event) and event.happened_on <= scored_on:
                return float("nan")
        running |= _runs(loan, scored_on, window_ends)
    for loan in loans:
        if any(_is_default(event) and scored_on < event.happened_on <= window_ends for event in loan):
            return 1.0
    return 0.0 if running else float("nan")


def _is_default(event: ReportedEvent) -> bool:
    return event.event == "written_off" or (event.event == "overdue" and event.days_overdue >= DEFAULTED_DAYS)


def _runs(loan: Sequence[ReportedEvent], scored_on: date, window_ends: date) -> bool:
    drawn = [event.happened_on for event in loan if event.event == "drawn"]
    settled = [event.happened_on for event in loan if event.event == "settled"]
    return bool(drawn) and min(drawn) <= window_ends and not (settled and settled[0] <= scored_on)
