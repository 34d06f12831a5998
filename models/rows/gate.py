"""The gate of rows: the attack is part of it. Thresholds are data and printed in the verdict."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from credit.gate import Finding, Gate, Outcome
from credit.messages import Text
from models.rows.attack.answers import AttackFigures
from models.rows.attack.deidentification import ACCEPTABLE, deidentification
from models.rows.shown import ShownRows

Thresholds = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class RowsCase:
    """A release of rows before the gate. ``attacks`` are the figures by attacker; ``together`` those with all earlier
    rows of the author and the project, and ``earlier`` how many these are."""

    rows: ShownRows
    subjects: int
    least_subjects: int
    attacks: Mapping[str, AttackFigures]
    together: Mapping[str, AttackFigures]
    earlier: int


def population(case: RowsCase, thresholds: Thresholds) -> Finding:
    """The release is of enough subjects."""
    evidence = {"subjects": case.subjects, "at_least": case.least_subjects}
    outcome = Outcome.PASS if case.subjects >= case.least_subjects else Outcome.FAIL
    return Finding.of("population", outcome, Text.of("rows-gate.population", **evidence), evidence)


def groups(case: RowsCase, thresholds: Thresholds) -> Finding:
    """Every group has enough members, all of one look in every open column."""
    sizes = np.unique(case.rows.groups, return_counts=True)[1] if len(case.rows) else np.zeros(1, dtype=np.int64)
    evidence = {"smallest": int(sizes.min()), "groups": len(sizes), "mean": round(float(sizes.mean()), 2)}
    outcome = Outcome.PASS if sizes.min() >= thresholds["group_at_least"] else Outcome.FAIL
    why = Text.of("rows-gate.groups", smallest=evidence["smallest"], groups=evidence["groups"])
    return Finding.of("groups", outcome, why, evidence)


def records(case: RowsCase, thresholds: Thresholds) -> Finding:
    """No subject is finding by a few records, with or without the register."""
    limits = {name: thresholds[f"{name}_at_most"] for name in ("alone", "in_five", "guess_right")}
    return _attack("few-records", "rows-gate.few-records", case.attacks, ("records_",), limits)


def all_knowing(case: RowsCase, thresholds: Thresholds) -> Finding:
    """No subject is finding by all that is open; a guess is right once in k."""
    limits = {name: thresholds[f"{name}_all_knowing_at_most"] for name in ("alone", "guess_right")}
    return _attack("all-knowing", "rows-gate.all-knowing", case.attacks, ("all_knowing",), limits)


def partners(case: RowsCase, thresholds: Thresholds) -> Finding:
    """No bank finds its customers by its own loans, and no trading partner by its own invoices."""
    limits = {"alone": thresholds["alone_partner_at_most"]}
    known = {name: each for name, each in case.attacks.items() if not name.endswith("_all_knowing")}
    return _attack("partners", "rows-gate.partners", known, ("bank_", "partner_"), limits)


def together(case: RowsCase, thresholds: Thresholds) -> Finding:
    """The same holds for all rows that the author and the project ever had, taken together."""
    limits = {name: thresholds[f"{name}_at_most"] for name in ("alone", "in_five", "guess_right")}
    finding = _attack("together", "rows-gate.few-records", case.together, ("records_",), limits)
    worst = case.together.get("all_knowing")
    alone = worst is not None and worst.alone > thresholds["alone_all_knowing_at_most"]
    evidence = {**finding.evidence, "earlier": case.earlier}
    if worst is not None:
        evidence["all_knowing"] = worst.as_json()
    outcome = Outcome.FAIL if alone else finding.outcome
    return Finding.of("together", outcome, Text.of("rows-gate.together", earlier=case.earlier), evidence)


def labels(case: RowsCase, thresholds: Thresholds) -> Finding:
    """No group tells the label of its members (l-diversity), and few defaulted rows are in groups that mostly did."""
    known = ~np.isnan(case.rows.labels)
    if not known.any():
        return Finding.of("labels", Outcome.PASS, Text.of("rows-gate.no-labels"))
    numbers = np.unique(case.rows.groups, return_inverse=True)[1]
    count = int(numbers.max()) + 1
    bad = np.bincount(numbers[known], weights=case.rows.labels[known], minlength=count)
    labelled = np.bincount(numbers[known], minlength=count)
    members = np.bincount(numbers, minlength=count)
    all_bad = float(np.mean(bad == members))
    of_labelled = float(np.mean((labelled >= 2) & (bad == labelled)))
    half = float(bad[bad * 2 >= members].sum() / max(1.0, bad.sum()))
    evidence = {
        "all_defaulted": round(all_bad, 5),
        "labelled_all_defaulted": round(of_labelled, 5),
        "half_defaulted": round(half, 5),
        "groups": count,
    }
    low = (
        all_bad <= thresholds["defaulted_groups_at_most"]
        and of_labelled <= thresholds["defaulted_labelled_at_most"]
        and half <= thresholds["defaulted_half_at_most"]
    )
    why = Text.of("rows-gate.labels", all_bad=f"{all_bad:.2%}", labelled=f"{of_labelled:.2%}", half=f"{half:.1%}")
    return Finding.of("labels", Outcome.PASS if low else Outcome.FAIL, why, evidence)


def graded(case: RowsCase, thresholds: Thresholds) -> Finding:
    """The grade by GB/T 42460-2023: no direct identifier, and a risk of re-identification within the limit."""
    open_attacks = [each for name, each in case.attacks.items() if not name.startswith(("bank_", "partner_"))]
    result = deidentification(case.rows.groups, open_attacks, at_most=thresholds["risk_at_most"])
    evidence = result.as_json() | {"risk_at_most": thresholds["risk_at_most"]}
    why = Text.of("rows-gate.deidentification", grade=result.grade, largest=f"{result.largest:.3f}",
                  mean=f"{result.mean:.3f}", at_most=thresholds["risk_at_most"])  # fmt: skip
    return Finding.of("deidentification", Outcome.PASS if result.grade >= ACCEPTABLE else Outcome.FAIL, why, evidence)


def _attack(
    check: str,
    message: str,
    attacks: Mapping[str, AttackFigures],
    prefixes: tuple[str, ...],
    limits: Mapping[str, float],
) -> Finding:
    tried = {name: each for name, each in attacks.items() if name.startswith(prefixes)}
    evidence: dict[str, Any] = {name: each.as_json() for name, each in tried.items()}
    over = [name for name, each in tried.items() if any(getattr(each, key) > most for key, most in limits.items())]
    worst = {key: max((getattr(each, key) for each in tried.values()), default=0.0) for key in limits}
    worst_figures = ", ".join(f"{key} {value:.4f}" for key, value in worst.items())
    why = Text.of(message, figures=worst_figures, attackers=len(tried))
    return Finding.of(check, Outcome.FAIL if over else Outcome.PASS, why, evidence | {"over": over})


CHECKS = (population, groups, records, all_knowing, partners, together, labels, graded)


def rows_gate(thresholds: Mapping[str, float]) -> Gate[RowsCase]:
    """The gate with these thresholds."""
    return Gate("rows", CHECKS, dict(thresholds))
